"""Corruptions of the colour camera; ours, in the spirit of ImageNet-C (arXiv 1903.12261).

Every function takes ``(H, W, 3)`` float32 in [0, 1], a strength 1 .. 5 and a generator, and returns
the same shape, not yet clipped. Lengths hold at an image width of 640 and grow with it.
"""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.types import FloatArray
from mdacl_tools.corruption.fields import cloud

REFERENCE_WIDTH = 640
NOISE_SIGMAS = (0.02, 0.05, 0.09, 0.15, 0.24)
BLUR_SIGMAS = (0.8, 1.5, 2.5, 4.0, 6.0)  # pixels
FOG_OPACITIES = (0.15, 0.35, 0.55, 0.72, 0.85)
GLARE_GAINS = (0.6, 1.0, 1.5, 2.0, 2.6)
GLARE_RADII = (0.06, 0.09, 0.13, 0.18, 0.24)  # share of the width
DARK_STOPS = (0.7, 1.5, 2.5, 3.7, 5.0)  # halvings of the light
GAMMA = 2.2
FULL_WELL = 2500.0  # electrons at white, with READ_NOISE: a small sensor
READ_NOISE = 0.002


def noise(image: FloatArray, strength: int, rng: np.random.Generator) -> FloatArray:
    """Gaussian noise, each channel its own."""
    sigma = np.float32(NOISE_SIGMAS[strength - 1])
    return image + sigma * rng.standard_normal(image.shape, np.float32)


def blur(image: FloatArray, strength: int, rng: np.random.Generator) -> FloatArray:
    """A lens out of focus; also serves the thermal camera."""
    sigma = BLUR_SIGMAS[strength - 1] * image.shape[1] / REFERENCE_WIDTH
    blurred: np.ndarray = cv2.GaussianBlur(image, (0, 0), sigma)
    return blurred


def fog(image: FloatArray, strength: int, rng: np.random.Generator) -> FloatArray:
    """A grey, cloudy veil (fog or smoke) that is thicker in places."""
    uneven = cloud(image.shape[:2], rng) - np.float32(0.5)
    opacity = (FOG_OPACITIES[strength - 1] + 0.3 * uneven).clip(0, 0.97)[..., None]
    ambient = np.percentile(image[::8, ::8], 95)  # the veil is no brighter than what lights it
    colour = np.float32(np.clip(ambient, 0.3, 0.9) * rng.uniform(0.75, 0.95))
    return image + (colour - image) * opacity


def glare(image: FloatArray, strength: int, rng: np.random.Generator) -> FloatArray:
    """A light source in view: a blown-out core, and stray light over the whole image."""
    h, w = image.shape[:2]
    centre_y, centre_x = rng.uniform(0.15, 0.65) * h, rng.uniform(0.2, 0.8) * w
    y, x = np.arange(h, dtype=np.float32) - centre_y, np.arange(w, dtype=np.float32) - centre_x
    distance = np.hypot(x[None], y[:, None]) / (GLARE_RADII[strength - 1] * w)
    halo = (1 + distance * distance) ** -1.3  # a bright core with a long tail of stray light
    light = (GLARE_GAINS[strength - 1] * halo).astype(np.float32)
    return image + light[..., None] * np.array((1, 0.97, 0.9), np.float32)


def dark(image: FloatArray, strength: int, rng: np.random.Generator) -> FloatArray:
    """Less light on the sensor, with the photon and read noise that come with it."""
    light = image**GAMMA * np.float32(0.5 ** DARK_STOPS[strength - 1])
    sigma = np.sqrt(light / np.float32(FULL_WELL) + np.float32(READ_NOISE**2))
    light += sigma * rng.standard_normal(image.shape, np.float32)
    return light.clip(0, 1) ** np.float32(1 / GAMMA)
