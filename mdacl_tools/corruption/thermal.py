"""Corruptions of the thermal camera; ours.

Every function takes ``(H, W)`` float32 in which 0 and 1 are the 1st and the 99th percentile of the
image, a strength 1 .. 5 and a generator, and returns the same shape and unit. Lengths hold at an
image width of 640 and grow with it.
"""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.types import FloatArray
from mdacl_tools.corruption.fields import smooth_noise
from mdacl_tools.corruption.rgb import REFERENCE_WIDTH

NOISE_SIGMAS = (0.02, 0.05, 0.10, 0.17, 0.28)
DRIFT_SPANS = (0.15, 0.35, 0.6, 1.0, 1.5)
GHOST_GAINS = (0.08, 0.18, 0.32, 0.5, 0.75)
PATTERN_SIGMAS = (0.01, 0.02, 0.035, 0.055, 0.08)
SHIFTS = (1.0, 2.0, 4.0, 8.0, 16.0)  # pixels


def noise(image: FloatArray, strength: int, rng: np.random.Generator) -> FloatArray:
    """Temporal noise of a warm detector: Gaussian, pixel by pixel."""
    sigma = np.float32(NOISE_SIGMAS[strength - 1])
    return image + sigma * rng.standard_normal(image.shape, np.float32)


def drift(image: FloatArray, strength: int, rng: np.random.Generator) -> FloatArray:
    """A slow offset over the image, as the housing warms up since the last shutter."""
    field = smooth_noise((image.shape[0], image.shape[1]), (3, 4), rng)
    field = (field - field.mean()) / np.ptp(field)
    return image + np.float32(DRIFT_SPANS[strength - 1]) * field


def nuc_ghost(image: FloatArray, strength: int, rng: np.random.Generator) -> FloatArray:
    """A non-uniformity correction that took in the scene: its negative, and stripes, stay.

    The earlier scene is this image, seen mirrored and from elsewhere: hot things leave dark ghosts.
    """
    h, w = image.shape
    turned = np.roll(image[:, ::-1], int(rng.uniform(0.1, 0.4) * w), axis=1)
    ghost: np.ndarray = cv2.GaussianBlur(turned, (0, 0), 1.5 * w / REFERENCE_WIDTH)
    columns = rng.standard_normal((1, w), np.float32)
    rows = rng.standard_normal((h, 1), np.float32) * np.float32(0.3)
    gain, sigma = GHOST_GAINS[strength - 1], PATTERN_SIGMAS[strength - 1]
    return image - np.float32(gain) * (ghost - ghost.mean()) + np.float32(sigma) * (columns + rows)


def shift(image: FloatArray, strength: int, rng: np.random.Generator) -> FloatArray:
    """Misregistration against RGB: the image moves in a random direction, its border repeats."""
    h, w = image.shape
    angle = rng.uniform(0, 2 * np.pi)
    step = SHIFTS[strength - 1] * w / REFERENCE_WIDTH
    matrix = np.array([[1, 0, step * np.cos(angle)], [0, 1, step * np.sin(angle)]], np.float64)
    moved: np.ndarray = cv2.warpAffine(
        image, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return moved
