from __future__ import annotations

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo
from visualization_msgs.msg import Marker

from mdacl_ros.nodes import markers, messages
from mdacl_ros.types import Detections, DominanceReading, PerceptionResult

HEADER = messages.to_header(5, "rgb_optical")
K = [400.0, 0, 319.5, 0, 400.0, 239.5, 0, 0, 1]


def camera(model: str = "plumb_bob", d: tuple[float, ...] = ()) -> CameraInfo:
    return CameraInfo(width=640, height=480, k=K, distortion_model=model, d=list(d))


def result(boxes: list[list[float]], mdi: float = 0.0) -> PerceptionResult:
    n = len(boxes)
    found = Detections(
        np.array(boxes, np.float32).reshape(n, 4), np.full(n, 0.5), np.zeros(n, int), (640, 480)
    )
    reading = DominanceReading(mdi, (0.5, 0.5), (0.5, 0.5), (0.5, 0.5), (1, 1))
    return PerceptionResult(5, found, reading, (True, True))


def test_the_principal_point_lies_straight_ahead() -> None:
    centre = np.array([[320.0, 240.0]], np.float32)  # corner-based pixels of K's (319.5, 239.5)
    point = markers.image_plane_points(centre, camera(), 3.0)
    assert point == pytest.approx(np.array([[0, 0, 3]]), abs=1e-6)


@pytest.mark.parametrize(
    ("model", "d"),
    [
        ("plumb_bob", ()),
        ("plumb_bob", (-0.3, 0.1, 0.001, -0.002, 0.0)),
        ("rational_polynomial", (-0.3, 0.1, 0.001, -0.002, 0.01, 0.02, 0.01, 0.001)),
        ("equidistant", (-0.02, 0.01, -0.003, 0.001)),
    ],
)
def test_points_project_back_onto_their_pixels(model: str, d: tuple[float, ...]) -> None:
    pixels = np.array([[100, 100], [320, 240], [600, 50], [560, 430]], np.float32)
    points = markers.image_plane_points(pixels, camera(model, d), 2.0).astype(np.float64)
    matrix, zero = np.array(K).reshape(3, 3), np.zeros(3)
    project = cv2.fisheye.projectPoints if model == "equidistant" else None
    if project:
        back, _ = project(points[:, None], zero, zero, matrix, np.array(d))
    else:
        back, _ = cv2.projectPoints(points, zero, zero, matrix, np.array(d) if d else None)
    assert back.reshape(-1, 2) + 0.5 == pytest.approx(pixels, abs=0.1)
    assert points[:, 2] == pytest.approx(2.0)


def test_each_box_has_four_edges_and_a_label() -> None:
    message = markers.to_markers(
        result([[10, 10, 50, 90], [100, 100, 200, 200]]), ("person",), camera(), 3.0, HEADER
    )
    by_name = {(m.ns, m.id): m for m in message.markers}
    assert message.markers[0].action == Marker.DELETEALL
    assert len(by_name["boxes", 0].points) == 2 * 4 * 2
    assert by_name["labels", 1].text == "person 0.50"
    assert by_name["mdi", 0].text == "MDI +0.00"
    assert all(m.header == HEADER for m in message.markers)


def test_no_boxes_still_tell_the_mdi() -> None:
    message = markers.to_markers(result([], mdi=-0.5), ("person",), camera(), 3.0, HEADER)
    assert {m.ns for m in message.markers} == {"", "image_plane", "mdi"}


def test_an_uncalibrated_camera_is_not_usable() -> None:
    assert markers.is_usable(camera())
    assert not markers.is_usable(CameraInfo(width=640, height=480))
