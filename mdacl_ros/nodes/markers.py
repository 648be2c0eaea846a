"""Detections as RViz markers: boxes on a virtual image plane in front of the RGB camera.

The plane is parallel to the image at a set distance; a pixel's ray through camera_info meets it
where the box corner is drawn. Frame: the RGB optical frame (REP-103: x right, y down, z forward).
"""

from __future__ import annotations

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from mdacl_ros.drawing.label_places import place_labels
from mdacl_ros.drawing.overlay import class_colour, detection_text
from mdacl_ros.drawing.primitives import GREY
from mdacl_ros.nodes.marker_shapes import colour, live_for, outlines, text, text_size
from mdacl_ros.nodes.reliance_gauge import to_gauge
from mdacl_ros.sensing.camera_info import camera_model
from mdacl_ros.types import BoolArray, Detections, FloatArray, IntArray, PerceptionResult

COEFFICIENTS = (4, 5, 8, 12, 14)
"""Numbers of distortion coefficients that OpenCV's lens models have; fewer are no distortion."""

LEAST_FOCAL, MOST_FOCAL = 1.0, 1e6
"""Pixels between which a focal length can lie."""

WIDEST = 20.0
"""Tangent of the widest angle from the optical axis that is drawn on a plane: 87 degrees."""

LETTER_HEIGHT = 0.018
"""Height of a label's letters, shares of the image plane's distance."""

LEAST_LIFETIME, MOST_LIFETIME = 0.5, 10.0
"""Seconds; see :func:`marker_lifetime`."""

FAINTEST = 0.25
"""Alpha of a box of score 0: still to be seen; one of score 1 is opaque."""


def image_plane_points(
    pixels: FloatArray, camera: CameraInfo, distance: float, size: tuple[int, int] | None = None
) -> FloatArray:
    """Cast pixels onto the plane at ``distance``.

    Args:
        pixels: ``(N, 2)`` x, y in pixels of the original (distorted) image, (0, 0) its outer
            corner as in :mod:`mdacl_ros.types`.
        camera: Intrinsics, see :mod:`mdacl_ros.sensing.camera_info`.
        distance: Distance of the plane in metres.
        size: ``(width, height)`` of the image, where known.

    Returns:
        ``(N, 3)`` float32 in metres in the camera's optical frame.
    """
    if len(pixels) == 0:
        return np.zeros((0, 3), np.float32)  # OpenCV refuses to undistort nothing
    # camera_info counts from the centre of the first pixel, boxes from its corner.
    points = np.ascontiguousarray(pixels, np.float64).reshape(-1, 1, 2) - 0.5
    model, _ = camera_model(camera, size)
    K = np.zeros((3, 3)) if model.matrix is None else np.asarray(model.matrix, np.float64)
    D = np.zeros(4) if len(model.distortion) < min(COEFFICIENTS) else np.array(model.distortion)
    if model.model == "equidistant":
        rays = cv2.fisheye.undistortPoints(points, K, D)
    else:
        rays = cv2.undistortPoints(points, K, D)
    plane = np.concatenate([rays.reshape(-1, 2), np.ones((len(points), 1))], axis=1)
    with np.errstate(over="ignore", invalid="ignore"):  # out of sight
        return (plane * distance).astype(np.float32)


def unusable(camera: CameraInfo, size: tuple[int, int] | None) -> str:
    """What keeps the intrinsics from showing where the boxes lie; empty for nothing.

    Args:
        camera: As it arrived; drivers send zeros when uncalibrated.
        size: ``(width, height)`` of the images, where known.
    """
    model, remarks = camera_model(camera, size)
    told = model.size
    if not (np.isfinite(camera.k).all() and np.isfinite(camera.d).all()):
        return "holds NaN or inf; calibrate the camera"
    if not (camera.k[0] > 0 and camera.k[4] > 0):
        return "is uncalibrated (K is 0); calibrate the camera"
    if not all(LEAST_FOCAL <= camera.k[i] <= MOST_FOCAL for i in (0, 4)):
        return f"has focal lengths of {camera.k[0]:g} and {camera.k[4]:g} px; calibrate the camera"
    if len(camera.d) >= min(COEFFICIENTS) and len(camera.d) not in COEFFICIENTS:
        return f"has {len(camera.d)} distortion coefficients, wanted one of {COEFFICIENTS}"
    if unknown := [line for line in remarks if "distortion model" in line]:
        return f"{unknown[0]}; no markers"
    if size is not None and 0 not in told and told != size:
        seen, wanted = (f"{width}x{height}" for width, height in (told, size))
        return f"is for images of {seen}, they are {wanted}; calibrate at that size"
    if _outline(size or told, camera, 1.0) is None:
        return "bends even the image's middle out of sight; calibrate the camera"
    return ""


def _outline(size: tuple[int, int], camera: CameraInfo, distance: float) -> FloatArray | None:
    """The image's corners on the plane, clockwise from the top left; ``None``: none can be seen.

    Of a lens that looks beyond the plane's edge, the corners of the middle part that does not.
    """
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32) / 2
    for part in (1.0, 0.75, 0.5, 0.25):
        pixels = ((0.5 + part * corners) * size).astype(np.float32)
        points = image_plane_points(pixels, camera, distance, size)
        if _in_sight(points, distance).all():
            return points
    return None


def _in_sight(points: FloatArray, distance: float) -> BoolArray:
    """Which points are where one can look; NaN is nowhere."""
    return np.asarray((np.abs(points) < WIDEST * distance).all(axis=-1))


def to_markers(
    result: PerceptionResult,
    labels: tuple[str, ...],
    camera: CameraInfo,
    distance: float,
    header: Header,
    lifetime: float = LEAST_LIFETIME,
) -> MarkerArray:
    """Boxes, their names and the dominance gauge of one answer; no box that is out of sight.

    Args:
        result: The answer; boxes in pixels of the image that ``camera`` describes.
        labels: Class names in the order of the detections' labels.
        camera: RGB intrinsics, not :func:`unusable`.
        distance: Distance of the virtual image plane in metres.
        header: Stamp and RGB optical frame.
        lifetime: Seconds after which they vanish when no others follow, see
            :func:`marker_lifetime`.
    """
    detections = result.detections
    plane = _outline(detections.image_size, camera, distance)
    assert plane is not None, "unusable() says so"
    corners = _corners(detections.boxes)
    points = image_plane_points(corners, camera, distance, detections.image_size)
    boxes = points.reshape(-1, 4, 3)
    seen = np.flatnonzero(_in_sight(boxes, distance).all(axis=1))
    line = 0.004 * distance
    shades = _shades(detections)
    markers = [Marker(header=header, action=Marker.DELETEALL)]
    markers.append(outlines(header, plane[None], [colour(GREY)], ("image_plane", 0), line))
    if len(seen):
        markers.append(outlines(header, boxes[seen], [shades[i] for i in seen], ("boxes", 0), line))
    markers += _labels(detections, boxes, plane, seen, labels, shades, distance, header)
    markers += to_gauge(result.dominance, plane, distance, header)
    live_for(markers, lifetime)
    return MarkerArray(markers=markers)


def _labels(
    detections: Detections,
    boxes: FloatArray,
    plane: FloatArray,
    seen: IntArray,
    labels: tuple[str, ...],
    shades: list[ColorRGBA],
    distance: float,
    header: Header,
) -> list[Marker]:
    """A text for each box ``(N, 4, 3)`` that is seen, where it hides no other."""
    height = LETTER_HEIGHT * distance
    words = [detection_text(detections, index, labels) for index in seen.tolist()]
    flat = boxes[seen, :, :2]
    places = place_labels(
        _bounds(plane[None, :, :2])[0],
        _bounds(flat),
        [text_size(line, height) for line in words],
    )
    texts = []
    for index, line, (x0, y0, x1, y1) in zip(seen.tolist(), words, places, strict=True):
        place = np.array([(x0 + x1) / 2, (y0 + y1) / 2, distance], np.float32)
        texts.append(text(header, place, line, shades[index], ("labels", index), height))
    return texts


def _bounds(corners: FloatArray) -> list[tuple[float, float, float, float]]:
    """x0, y0, x1, y1 around each row of corners ``(N, 4, 2)``."""
    low, high = corners.min(axis=1), corners.max(axis=1)
    return [tuple(row) for row in np.concatenate([low, high], axis=1).tolist()]


def marker_lifetime(results_per_second: float) -> float:
    """Seconds that markers stay when the node publishes nothing more.

    Args:
        results_per_second: The node's own rate; 0 where it is below one in two seconds.

    Returns:
        Three times the time between two results, so that markers of a slow node do not blink,
        within :data:`LEAST_LIFETIME` and :data:`MOST_LIFETIME`.
    """
    if results_per_second <= 0:
        return MOST_LIFETIME
    return min(MOST_LIFETIME, max(LEAST_LIFETIME, 3 / results_per_second))


def _corners(boxes: FloatArray) -> FloatArray:
    """``(N, 4)`` xyxy boxes as ``(4 N, 2)`` corners, clockwise from the top left."""
    return boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)


def _shades(detections: Detections) -> list[ColorRGBA]:
    """Colour by class, as in the overlay; alpha by score."""
    return [
        colour(class_colour(label), FAINTEST + (1 - FAINTEST) * score)
        for label, score in zip(detections.labels.tolist(), detections.scores.tolist(), strict=True)
    ]
