"""Detections as RViz markers: boxes on a virtual image plane in front of the RGB camera.

The plane is parallel to the image at a set distance; a pixel's ray through camera_info meets it
where the box corner is drawn. Frame: the RGB optical frame (REP-103: x right, y down, z forward).
"""

from __future__ import annotations

import cv2
import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from mdacl_ros.types import DominanceReading, FloatArray, PerceptionResult

RGB_COLOUR = (0.0, 0.45, 0.70)
THERMAL_COLOUR = (0.90, 0.62, 0.0)
"""Blue and orange of the Okabe-Ito palette: told apart by colour-blind eyes too."""

LIFETIME = Duration(sec=0, nanosec=500_000_000)
"""Markers vanish when the node falls silent."""

OUTLINE = (0, 1, 1, 2, 2, 3, 3, 0)
"""Corner pairs of a box as LINE_LIST segments."""


def image_plane_points(pixels: FloatArray, camera: CameraInfo, distance: float) -> FloatArray:
    """Cast pixels onto the plane at ``distance``.

    Args:
        pixels: ``(N, 2)`` x, y in pixels of the original (distorted) image, (0, 0) its outer
            corner as in :mod:`mdacl_ros.types`.
        camera: Intrinsics of that image; plumb_bob, rational_polynomial and equidistant lenses are
            undistorted, others are taken as pinholes.
        distance: Distance of the plane in metres.

    Returns:
        ``(N, 3)`` float32 in metres in the camera's optical frame.
    """
    # camera_info counts from the centre of the first pixel, boxes from its corner.
    points = np.ascontiguousarray(pixels, np.float64).reshape(-1, 1, 2) - 0.5
    K = np.array(camera.k, np.float64).reshape(3, 3)
    D = np.array(camera.d, np.float64)
    if camera.distortion_model == "equidistant" and D.size == 4:
        rays = cv2.fisheye.undistortPoints(points, K, D)
    elif camera.distortion_model in ("plumb_bob", "rational_polynomial") and D.size >= 4:
        rays = cv2.undistortPoints(points, K, D)
    else:
        rays = cv2.undistortPoints(points, K, np.zeros(4))
    plane = np.concatenate([rays.reshape(-1, 2), np.ones((len(points), 1))], axis=1)
    return (plane * distance).astype(np.float32)


def is_usable(camera: CameraInfo) -> bool:
    """Whether the intrinsics hold a focal length: drivers send zeros when uncalibrated."""
    return bool(camera.k[0] > 0 and camera.k[4] > 0)


def to_markers(
    result: PerceptionResult,
    labels: tuple[str, ...],
    camera: CameraInfo,
    distance: float,
    header: Header,
) -> MarkerArray:
    """Boxes, their names and the dominance gauge of one answer.

    Args:
        result: The answer; boxes in pixels of the image that ``camera`` describes.
        labels: Class names in the order of the detections' labels.
        camera: RGB intrinsics.
        distance: Distance of the virtual image plane in metres.
        header: Stamp and RGB optical frame.
    """
    width, height = result.detections.image_size
    corners = _corners(result.detections.boxes)
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    points = image_plane_points(np.concatenate([frame, corners]), camera, distance)
    boxes = points[4:].reshape(-1, 4, 3)
    colour = _mdi_colour(result.dominance)
    markers = [Marker(header=header, action=Marker.DELETEALL)]
    markers.append(_outlines(header, points[None, :4], (0.5, 0.5, 0.5), "image_plane", distance))
    if len(boxes):
        markers.append(_outlines(header, boxes, colour, "boxes", distance))
    detections = result.detections
    for index, (label, score) in enumerate(
        zip(detections.labels.tolist(), detections.scores.tolist(), strict=True)
    ):
        text = f"{labels[label]} {score:.2f}"
        markers.append(_text(header, boxes[index, 0], text, colour, ("labels", index), distance))
    gauge = f"MDI {result.dominance.mdi:+.2f}"
    markers.append(_text(header, points[0], gauge, colour, ("mdi", 0), 2 * distance))
    return MarkerArray(markers=markers)


def _corners(boxes: FloatArray) -> FloatArray:
    """``(N, 4)`` xyxy boxes as ``(4 N, 2)`` corners, clockwise from the top left."""
    return boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)


def _mdi_colour(reading: DominanceReading) -> tuple[float, float, float]:
    """Blue where RGB decides, orange where thermal does, mixed in between."""
    share = (reading.mdi + 1) / 2
    red, green, blue = (
        share * a + (1 - share) * b for a, b in zip(RGB_COLOUR, THERMAL_COLOUR, strict=True)
    )
    return red, green, blue


def _marker(
    header: Header, kind: int, name: tuple[str, int], colour: tuple[float, float, float]
) -> Marker:
    """A marker of one namespace and number, opaque, identity pose."""
    marker = Marker(header=header, type=kind, ns=name[0], id=name[1], lifetime=LIFETIME)
    marker.pose.orientation.w = 1.0
    red, green, blue = colour
    marker.color = ColorRGBA(r=red, g=green, b=blue, a=1.0)
    return marker


def _outlines(
    header: Header,
    quads: FloatArray,
    colour: tuple[float, float, float],
    namespace: str,
    distance: float,
) -> Marker:
    """``(N, 4, 3)`` quadrilaterals in metres as one LINE_LIST."""
    marker = _marker(header, Marker.LINE_LIST, (namespace, 0), colour)
    marker.scale.x = 0.004 * distance
    segments = quads[:, OUTLINE].reshape(-1, 3).tolist()
    marker.points = [Point(x=x, y=y, z=z) for x, y, z in segments]
    return marker


def _text(
    header: Header,
    position: FloatArray,
    text: str,
    colour: tuple[float, float, float],
    name: tuple[str, int],
    distance: float,
) -> Marker:
    """A line of text just above a point in metres; its height grows with ``distance``."""
    marker = _marker(header, Marker.TEXT_VIEW_FACING, name, colour)
    marker.scale.z = 0.03 * distance
    x, y, z = position.tolist()
    marker.pose.position = Point(x=x, y=y - 0.02 * distance, z=z)
    marker.text = text
    return marker
