"""How well the edges of two cameras' images agree at every small shift.

Own formulation. An edge is a vector whose angle is twice that of the gradient: turning a gradient
round, as where warm is dark in one image and bright in the other, leaves it as it is, while edges
of different direction cancel. Its length is the gradient's over that of its surroundings, so that
neither a headlamp nor a hot engine outvotes the rest. The picture is judged in 3 x 3 regions by
themselves, so that a region that says something else can be told from all of them.
"""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np

from mdacl_ros.sensing.registration.aligned_pair import AlignedPair
from mdacl_ros.types import BoolArray, FloatArray

REGIONS = 3
"""Regions along each side of the picture."""

REACH = 24
"""Cells to each side over which shifts are tried: 48 px at an image width of 640."""

_BLUR = 1.5  # cells; cameras of different sharpness, and registration that is off within a region
_SURROUNDINGS = 12.0  # cells over which the strength of edges is evened out
_NOISE = 2.0  # gradient (Sobel, grey levels) below which there is noise rather than an edge
_STRONGEST = 3.0  # times its surroundings; an edge counts no more than that
_LEAST_ENERGY = 0.05  # of a region, per cell: emptier ones weigh less
_RIM = 5  # cells beside what thermal does not see, whose gradient is that of the rim


def agreement(pair: AlignedPair) -> FloatArray:
    """Correlate the edges of a pair.

    Args:
        pair: The images, registered as well as the calibration can.

    Returns:
        ``(3, 3, 2 R + 1, 2 R + 1)`` float32 about in [-1, 1], R = :data:`REACH`, by region (row,
        column) and shift (row, column). The largest value of a region lies at
        ``(R + dy, R + dx)`` where thermal is displaced by (dx, dy) cells.
    """
    rim = cv2.erode(pair.covered.astype(np.uint8), np.ones((2 * _RIM + 1,) * 2, np.uint8))
    rgb, thermal = (edges(image, rim.astype(bool)) for image in (pair.grey, pair.thermal))
    around = cv2.copyMakeBorder(thermal, *(REACH,) * 4, cv2.BORDER_CONSTANT, value=(0, 0))
    side = 2 * REACH + 1
    result = np.zeros((REGIONS, REGIONS, side, side), np.float32)
    for row, (y0, y1) in enumerate(_parts(rgb.shape[0])):
        for column, (x0, x1) in enumerate(_parts(rgb.shape[1])):
            here = np.ascontiguousarray(rgb[y0:y1, x0:x1])
            there = np.ascontiguousarray(around[y0 : y1 + 2 * REACH, x0 : x1 + 2 * REACH])
            matched = cv2.matchTemplate(there, here, cv2.TM_CCORR)
            result[row, column] = matched / np.sqrt(_energy(here) * _energy(thermal[y0:y1, x0:x1]))
    return result


def edges(image: FloatArray, seen: BoolArray) -> FloatArray:
    """Edges of an image as doubled-angle vectors.

    Args:
        image: ``(h, w)`` float32 in 0..255.
        seen: ``(h, w)`` bool; edges elsewhere are zero.

    Returns:
        ``(h, w, 2)`` float32, length 0 to 3, the same for the image's negative.
    """
    smooth = cv2.GaussianBlur(cast(Any, image), (0, 0), _BLUR)
    x, y = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    strength = cv2.magnitude(x, y)
    around = cv2.sqrt(cv2.GaussianBlur(strength * strength, (0, 0), _SURROUNDINGS))
    length = np.minimum(strength / (around + np.float32(_NOISE)), np.float32(_STRONGEST)) * seen
    length /= strength * strength + np.float32(1e-6)
    return cast(FloatArray, np.dstack(((x * x - y * y) * length, 2 * x * y * length)))


def _energy(vectors: FloatArray) -> float:
    """Sum of squared lengths, not below what an empty region is given."""
    return max(float((vectors**2).sum()), _LEAST_ENERGY * vectors.shape[0] * vectors.shape[1])


def _parts(length: int) -> list[tuple[int, int]]:
    """Bounds of the regions along an axis."""
    return [(length * i // REGIONS, length * (i + 1) // REGIONS) for i in range(REGIONS)]
