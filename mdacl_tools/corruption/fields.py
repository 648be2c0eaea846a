"""Random smooth fields that corruptions are made of."""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.types import FloatArray


def cloud(shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """Fractal noise, ``(H, W)`` in [0, 1]."""
    h, w = shape
    total = np.zeros((h, w), np.float32)
    for octave in (3, 6, 12, 24):
        total += smooth_noise((h, w), (octave, octave + 1), rng) / octave**0.7
    return (total - total.min()) / (np.ptp(total) + 1e-6)


def smooth_noise(
    shape: tuple[int, int], grid: tuple[int, int], rng: np.random.Generator
) -> FloatArray:
    """A coarse random grid (rows, columns) interpolated to ``(H, W)``, about [0, 1]."""
    noise = rng.random(grid, np.float32)
    smooth: np.ndarray = cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return smooth


def blob(shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """A soft bright spot, ``(H, W)`` in [0, 1]."""
    h, w = shape
    y = (np.arange(h, dtype=np.float32)[:, None] - rng.uniform(0, h)) / (h * rng.uniform(0.1, 0.6))
    x = (np.arange(w, dtype=np.float32)[None] - rng.uniform(0, w)) / (w * rng.uniform(0.1, 0.6))
    return np.exp(-(x * x + y * y)).astype(np.float32)
