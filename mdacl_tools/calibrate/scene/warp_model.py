"""A homography as eight numbers, the four of a similarity first, the unlikely ones last."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

PARAMETERS = 8
SIMILARITY = 4
"""Shift x, y, scale and rotation come first; then stretch, shear, and the two of perspective."""


def homography_of(parameters: Matrix) -> Matrix:
    """Build the matrix.

    Args:
        parameters: ``(8,)`` shift x, y, scale - 1, rotation, stretch, shear, perspective x, y; all
            0 for the identity. Coordinates are those of :func:`unit_frame`.

    Returns:
        ``(3, 3)`` float64.
    """
    dx, dy, scale, turn, stretch, shear, px, py = parameters
    return np.array(
        (
            (1 + scale + stretch, shear - turn, dx),
            (shear + turn, 1 + scale - stretch, dy),
            (px, py, 1.0),
        )
    )


def parameters_of(matrix: Matrix) -> Matrix:
    """The inverse of :func:`homography_of`."""
    (a, b, dx), (c, d, dy), (px, py, _) = matrix / matrix[2, 2]
    return np.array((dx, dy, (a + d) / 2 - 1, (c - b) / 2, (a - d) / 2, (b + c) / 2, px, py))


def unit_frame(size: tuple[int, int]) -> Matrix:
    """The map from pixels to coordinates with 0 in the middle and +-1 at the sides.

    Args:
        size: ``(width, height)`` in pixels; height is scaled as the width is.

    Returns:
        ``(3, 3)`` float64.
    """
    width, height = size
    return np.array(((2, 0, 1 - width), (0, 2, 1 - height), (0, 0, width))) / width


def resize_matrix(source: tuple[int, int], target: tuple[int, int]) -> Matrix:
    """Pixels -> pixels of the same picture at another size: corners coincide, not pixel centres."""
    sx, sy = target[0] / source[0], target[1] / source[1]
    return np.array(((sx, 0, (sx - 1) / 2), (0, sy, (sy - 1) / 2), (0, 0, 1.0)))


def transform(matrix: Matrix, points: Matrix) -> Matrix:
    """Map ``(N, 2)`` points."""
    mapped = np.column_stack((points, np.ones(len(points)))) @ matrix.T
    return cast(Matrix, mapped[:, :2] / mapped[:, 2:])


def corners(size: tuple[int, int]) -> Matrix:
    """Centres of the four corner pixels, ``(4, 2)``, clockwise from the top left."""
    right, bottom = size[0] - 1.0, size[1] - 1.0
    return np.array(((0, 0), (right, 0), (right, bottom), (0, bottom)), np.float64)
