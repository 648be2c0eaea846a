"""Random tones: each camera its own."""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.types import ByteArray, FloatArray

_LEVELS = np.arange(256, dtype=np.float32) * (1 / 255)
_STRIP = 16  # rows at a time, which stay in the cache
_TONES = 1024  # entries of the thermal tone table, finer than what the network can tell


def vary_rgb(rgb: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Random gamma, gain, saturation and white balance of ``(H, W, 3)`` uint8."""
    gain = np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.06, 3)).astype(np.float32)
    tones = np.power(_LEVELS, float(np.exp(rng.normal(0, 0.25))), dtype=np.float32)
    table = (tones[:, None] * gain)[None]  # 256 powers instead of H * W * 3
    saturation = np.float32(rng.uniform(0.3, 1.4))
    varied = np.empty_like(rgb)
    for top in range(0, len(rgb), _STRIP):
        image: np.ndarray = cv2.LUT(rgb[top : top + _STRIP], table)
        grey = ((image[..., 0] + image[..., 1] + image[..., 2]) / 3)[..., None]
        image -= grey
        image *= saturation
        image += grey
        np.clip(image, 0, 1, out=image)
        image *= 255
        varied[top : top + _STRIP] = image  # cast drops the fraction
    return varied


def vary_thermal(
    thermal: FloatArray, invert: float, tone: float, rng: np.random.Generator
) -> FloatArray:
    """Random gamma, gain, offset and, where asked for, tone curve, detail and polarity.

    Args:
        thermal: ``(H, W)`` float32 in [0, 1].
        invert: Probability of flipped polarity.
        tone: Strength of :func:`_other_camera`; 0 for none.
        rng: Source of the draws.
    """
    image = np.power(thermal, np.float32(np.exp(rng.normal(0, 0.25))))
    image = image * np.float32(np.exp(rng.normal(0, 0.2))) + np.float32(rng.normal(0, 0.05))
    if tone > 0:
        image = _other_camera(image, tone, rng)
    if rng.random() < invert:
        image = 1 - image
    return image.clip(0, 1).astype(np.float32)


def _other_camera(image: FloatArray, tone: float, rng: np.random.Generator) -> FloatArray:
    """What another camera's gain control and detail filter would make of the scene.

    A random monotone curve, its knots denser where thermal images have their mass, and a random
    amount of unsharp masking or softening.
    """
    knots = np.linspace(0, 1, 7) ** 2
    rise = np.diff(knots) * np.exp(rng.normal(0, tone, 6))
    curve = np.concatenate([[0.0], np.cumsum(rise)])
    curve /= curve[-1] ** rng.uniform(0, 1)  # the hottest need not be white
    table = np.interp(np.linspace(0, 1, _TONES), knots, curve).astype(np.float32)
    toned = table[(image.clip(0, 1) * np.float32(_TONES - 1)).astype(np.int32)]
    detail = toned - cv2.GaussianBlur(toned, (0, 0), 1.5)
    return np.asarray(toned + np.float32(tone * rng.uniform(-0.6, 1.0)) * detail)
