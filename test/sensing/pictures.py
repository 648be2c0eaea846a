"""Pairs of pictures whose true displacement is known."""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.sensing.registration.aligned_pair import AlignedPair

SIZE = (320, 240)


def clutter(seed: int, count: int = 220, size: tuple[int, int] = SIZE) -> np.ndarray:
    """``(h, w)`` float32 in 0..255 with edges in all directions."""
    rng = np.random.default_rng(seed)
    image = np.full(size[::-1], 90, np.uint8)
    for _ in range(count):
        centre, half = rng.integers(0, size), rng.integers(5, 30)
        points = rng.integers(-half, half, (4, 2)) + centre
        cv2.fillConvexPoly(image, points.astype(np.int32), int(rng.integers(20, 230)))
    return image.astype(np.float32)


def moved(image: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
    """The image displaced to the right and down, its border repeated."""
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    size = image.shape[::-1]
    return cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)


def pair_of(grey: np.ndarray, thermal: np.ndarray, cell: float = 2.0, **changes) -> AlignedPair:
    """An aligned pair of pictures on the grid."""
    values = {"covered": np.ones(grey.shape, bool), "cell": (cell, cell), "distance": 10.0}
    return AlignedPair(grey, thermal, **(values | changes))
