from __future__ import annotations

import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo
from visualization_msgs.msg import Marker

from mdacl_ros.drawing.label_places import overlap
from mdacl_ros.drawing.overlay import CLASS_COLOURS
from mdacl_ros.nodes import markers, messages, reliance_gauge
from mdacl_ros.nodes.marker_shapes import text_size
from mdacl_ros.types import Detections, DominanceReading, PerceptionResult

HEADER = messages.to_header(5, "rgb_optical")
K = [400.0, 0, 319.5, 0, 400.0, 239.5, 0, 0, 1]


def camera(model: str = "plumb_bob", d: tuple[float, ...] = ()) -> CameraInfo:
    return CameraInfo(width=640, height=480, k=K, distortion_model=model, d=list(d))


def result(boxes: list[list[float]], reliance: float | None = 0.0) -> PerceptionResult:
    n = len(boxes)
    found = Detections(
        np.array(boxes, np.float32).reshape(n, 4),
        np.linspace(0.9, 0.5, n),
        np.arange(n),
        (640, 480),
        np.linspace(0.29, 0.6, n),
    )
    even = (0.5, 0.5)
    reading = DominanceReading(0.0, even, even, even, (1, 1), reliance=reliance)
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


def drawn(answer: PerceptionResult) -> dict[tuple[str, int], Marker]:
    """The markers by namespace and number."""
    message = markers.to_markers(answer, ("person", "car"), camera(), 3.0, HEADER)
    assert message.markers[0].action == Marker.DELETEALL
    assert all(m.header == HEADER for m in message.markers)
    return {(m.ns, m.id): m for m in message.markers}


def test_each_box_has_four_edges_and_a_text() -> None:
    by_name = drawn(result([[10, 10, 50, 90], [100, 100, 200, 200]]))
    assert len(by_name["boxes", 0].points) == 2 * 4 * 2
    assert by_name["labels", 0].text == "person 0.90 thermal 71 %"
    assert by_name["labels", 1].text == "car 0.50 RGB 60 %"


def test_spaces_in_texts_have_the_width_that_belongs_to_their_height() -> None:
    # RViz 14's TextViewFacingMarker hands scale.x to setSpaceWidth, unless it is 0.
    texts = [
        m for m in drawn(result([[10, 10, 50, 90]])).values() if m.type == Marker.TEXT_VIEW_FACING
    ]
    assert len(texts) == 4
    assert all(m.scale.x == pytest.approx(0.5 * m.scale.z) and m.scale.z > 0 for m in texts)


def rectangle(marker: Marker) -> tuple[float, float, float, float]:
    wide, high = text_size(marker.text, marker.scale.z)
    x, y = marker.pose.position.x, marker.pose.position.y
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def test_labels_of_neighbours_do_not_hide_each_other() -> None:
    crowd = [[100.0 + 25 * i, 200.0 + 3 * i, 150.0 + 25 * i, 320.0] for i in range(4)]
    labels = [rectangle(m) for m in drawn(result(crowd)).values() if m.ns == "labels"]
    assert len(labels) == 4
    # A tenth of a millimetre: float32 corners that touch may overlap by less.
    shrunk = [(a + 1e-4, b + 1e-4, c - 1e-4, d - 1e-4) for a, b, c, d in labels]
    assert not [(a, b) for a, b in itertools.combinations(shrunk, 2) if overlap(a, b)]


@pytest.mark.parametrize(
    ("rate", "seconds"), [(0.0, 10.0), (0.8, 3.75), (1.0, 3.0), (10.0, 0.5), (0.1, 10.0)]
)
def test_markers_live_longer_than_the_time_between_two_results(rate: float, seconds: float) -> None:
    lifetime = markers.marker_lifetime(rate)
    assert lifetime == seconds
    message = markers.to_markers(
        result([[1, 1, 9, 9]]), ("person",), camera(), 3.0, HEADER, lifetime
    )
    assert {m.lifetime.sec + m.lifetime.nanosec / 1e9 for m in message.markers} == {seconds}


def test_boxes_take_their_colour_from_the_class_and_alpha_from_the_score() -> None:
    first, second = np.split(
        np.array(drawn(result([[10, 10, 50, 90], [100, 100, 200, 200]]))["boxes", 0].colors), 2
    )
    for edges, label, alpha in ((first, 0, 0.925), (second, 1, 0.625)):
        assert all(c == edges[0] for c in edges)
        red, green, blue = (v / 255 for v in CLASS_COLOURS[label])
        assert [edges[0].r, edges[0].g, edges[0].b, edges[0].a] == pytest.approx(
            [red, green, blue, alpha], abs=1e-6
        )


@pytest.mark.parametrize("reliance", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_the_pointer_stands_where_the_reliance_is(reliance: float) -> None:
    by_name = drawn(result([], reliance))
    low, _, _, high = by_name["reliance", reliance_gauge.BAR].points
    tip = by_name["reliance", reliance_gauge.POINTER].points[0]
    assert (tip.x - low.x) / (high.x - low.x) == pytest.approx((reliance + 1) / 2, abs=1e-5)
    assert tip.y == pytest.approx(low.y)
    assert by_name["reliance", reliance_gauge.TEXT].text == f"reliance {reliance:+.2f}"
    thermal, rgb = (
        by_name["reliance", reliance_gauge.THERMAL],
        by_name["reliance", reliance_gauge.RGB],
    )
    assert (thermal.text, rgb.text) == ("thermal", "RGB")
    assert thermal.pose.position.x < low.x < high.x < rgb.pose.position.x


def test_the_gauge_lies_below_the_image() -> None:
    by_name = drawn(result([]))
    lowest = max(p.y for p in by_name["image_plane", 0].points)
    assert all(p.y > lowest for p in by_name["reliance", reliance_gauge.BAR].points)


def test_the_pointer_waits_in_the_middle_while_nothing_is_seen() -> None:
    by_name = drawn(result([], None))
    low, _, _, high = by_name["reliance", reliance_gauge.BAR].points
    assert by_name["reliance", reliance_gauge.POINTER].points[0].x == (low.x + high.x) / 2
    assert by_name["reliance", reliance_gauge.TEXT].text == "reliance --"


def test_no_boxes_still_have_a_gauge() -> None:
    assert {name for name, _ in drawn(result([], reliance=-0.5))} == {"", "image_plane", "reliance"}


def test_an_uncalibrated_camera_is_not_usable() -> None:
    assert markers.unusable(camera(), None) == ""
    assert "uncalibrated" in markers.unusable(CameraInfo(width=640, height=480), None)


def test_a_fisheye_lens_shows_what_can_be_seen_and_no_more() -> None:
    # 1280 px wide at 500 px a radian: the image's corners are beyond 90 degrees.
    k = [500.0, 0, 639.5, 0, 500.0, 479.5, 0, 0, 1]
    lens = CameraInfo(width=1280, height=960, k=k, distortion_model="equidistant", d=[0.0] * 4)
    assert markers.unusable(lens, (1280, 960)) == ""
    seen = replace(
        result([[500, 400, 700, 600], [0, 0, 60, 60]]).detections, image_size=(1280, 960)
    )
    array = markers.to_markers(
        replace(result([]), detections=seen), ("person", "car"), lens, 3.0, HEADER
    )
    names = [(m.ns, m.id) for m in array.markers if m.ns == "labels"]
    assert names == [("labels", 0)]
    points = [p for m in array.markers for p in m.points]
    assert all(abs(v) < 100 for p in points for v in (p.x, p.y, p.z))
    assert "out of sight" in markers.unusable(
        CameraInfo(width=64, height=48, k=[1.0, 0, 1e9, 0, 1.0, 1e9, 0, 0, 1]), (64, 48)
    )
