"""A lens as nine numbers: fx, fy, cx, cy in pixels, then OpenCV's k1, k2, p1, p2, k3."""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_tools.calibrate.board.board import Points

_STEPS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 60, 1e-10)


def matrix_of(lens: Points) -> Points:
    """Intrinsic matrix ``(3, 3)``."""
    return np.array([[lens[0], 0, lens[2]], [0, lens[1], lens[3]], [0, 0, 1]])


def lens_of(matrix: Points, distortion: tuple[float, ...]) -> Points:
    """The nine numbers of a plumb_bob camera without skew."""
    rest = (*distortion, *[0.0] * (5 - len(distortion)))
    return np.array([matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], *rest])


def rotation_of(turn: Points) -> Points:
    """Rotation matrix ``(3, 3)`` of a rotation vector."""
    return np.asarray(cv2.Rodrigues(np.asarray(turn, np.float64))[0], np.float64)


def vector_of(rotation: Points) -> Points:
    """Rotation vector ``(3,)`` of a rotation matrix."""
    return np.ravel(np.asarray(cv2.Rodrigues(rotation)[0], np.float64))


def projected(points: Points, lens: Points, pose: Points) -> tuple[Points, Points]:
    """Project points.

    Args:
        points: ``(N, 3)`` metres.
        lens: ``(9,)``.
        pose: ``(6,)`` rotation vector and translation into the camera's frame.

    Returns:
        Pixels ``(N, 2)`` and OpenCV's derivatives ``(2N, 15)`` by pose (6), focal lengths (2),
        centre (2) and distortion (5).
    """
    pixels, derivatives = cv2.projectPoints(points, pose[:3], pose[3:], matrix_of(lens), lens[4:])
    return np.asarray(pixels, np.float64).reshape(-1, 2), np.asarray(derivatives, np.float64)


def normalised(pixels: Points, lens: Points) -> Points:
    """Directions ``(N, 2)``, x and y at z = 1, in which pixels ``(N, 2)`` look; exact."""
    straight = np.eye(3)
    rays = cv2.undistortPointsIter(pixels, matrix_of(lens), lens[4:], straight, straight, _STEPS)
    return np.asarray(rays, np.float64).reshape(-1, 2)
