"""Random corruptions for training: darkness, smoke, glare, noise, blur, pattern noise."""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.types import ByteArray, FloatArray
from mdacl_tools.corruption.fields import blob, cloud


def corrupt_rgb(image: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Apply one random corruption of the colour camera to ``(H, W, 3)`` uint8."""
    kind = rng.choice(("dark", "smoke", "smoke", "glare", "noise", "blur"))
    x: np.ndarray = image.astype(np.float32) * (1 / 255)
    if kind == "dark":
        x = x ** rng.uniform(1.5, 3.0) * rng.uniform(0.08, 0.6)
        x += rng.normal(0, rng.uniform(0.005, 0.04), x.shape)
    elif kind == "smoke":
        x = _smoke(x, rng)
    elif kind == "glare":
        x = x + blob(x.shape[:2], rng)[..., None] * rng.uniform(0.4, 1.5)
    elif kind == "noise":
        x += rng.normal(0, rng.uniform(0.02, 0.12), x.shape)
    else:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.8, 4.0))
    return (x.clip(0, 1) * 255).astype(np.uint8)


def corrupt_thermal(image: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Apply one random corruption of the thermal camera to ``(H, W)`` float32 in [0, 1]."""
    kind = rng.choice(("flat", "noise", "blur", "pattern", "low_resolution", "drift"))
    h, w = image.shape
    x: np.ndarray = image
    if kind == "flat":
        x = rng.uniform(0.1, 0.9) + (x - x.mean()) * rng.uniform(0.05, 0.5)
    elif kind == "noise":
        x = x + rng.normal(0, rng.uniform(0.02, 0.12), x.shape)
    elif kind == "blur":
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.8, 4.0))
    elif kind == "pattern":
        x = x + rng.normal(0, rng.uniform(0.01, 0.06), (1, w)) + rng.normal(0, 0.01, (h, 1))
    elif kind == "low_resolution":
        factor = rng.uniform(2, 5)
        small = cv2.resize(x, (int(w / factor), int(h / factor)), interpolation=cv2.INTER_AREA)
        x = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    else:
        x = x + (blob((h, w), rng) - 0.3) * rng.uniform(-0.5, 0.5)
    return np.clip(x, 0, 1).astype(np.float32)


def _smoke(x: np.ndarray, rng: np.random.Generator) -> FloatArray:
    """Blend towards a bright, cloudy veil, thick in places."""
    opacity = np.clip(
        cloud(x.shape[:2], rng) * rng.uniform(0.6, 1.6) + rng.uniform(-0.3, 0.6), 0, 0.98
    )[..., None]
    colour = rng.uniform(0.35, 0.95) + rng.normal(0, 0.03, 3)
    return (x * (1 - opacity) + colour * opacity).astype(np.float32)
