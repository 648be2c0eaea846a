"""A registered pair reduced to one small grid: what the agreement of edges is measured on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np

from mdacl_ros.sensing.registration.thermal_registration import Registration
from mdacl_ros.types import BoolArray, ByteArray, FloatArray

GRID = 320
"""Cells along the longer side of the RGB image."""

_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class AlignedPair:
    """Both cameras' images on one grid over the RGB image.

    Attributes:
        grey: ``(h, w)`` float32 in 0..255.
        thermal: ``(h, w)`` float32 in 0..255, in the RGB camera's view.
        covered: ``(h, w)`` bool, true where thermal sees the cell.
        cell: RGB pixels per cell, (x, y).
        distance: Metres at which thermal was laid over RGB.
    """

    grey: FloatArray
    thermal: FloatArray
    covered: BoolArray
    cell: tuple[float, float]
    distance: float


def align(rgb: ByteArray, thermal: FloatArray, registration: Registration) -> AlignedPair:
    """Reduce a network input to the grid; costs a millisecond.

    Args:
        rgb: ``(H, W, 3)`` uint8, R, G, B.
        thermal: ``(H, W)`` float32 in [0, 1], registered.
        registration: What it was registered by.

    Returns:
        Copies; the network input may be filled anew.
    """
    width, height = registration.letterbox.content_size
    rgb_width, rgb_height = registration.letterbox.source_size
    ratio = GRID / max(rgb_width, rgb_height)
    grid = max(1, round(rgb_width * ratio)), max(1, round(rgb_height * ratio))

    def reduced(image: Any) -> FloatArray:
        inside = image[:height, :width]
        return cast(FloatArray, cv2.resize(inside, grid, interpolation=cv2.INTER_AREA))

    return AlignedPair(
        grey=reduced(rgb.astype(np.float32)) @ _GREY,
        thermal=np.float32(255) * reduced(thermal),
        covered=reduced(registration.coverage.astype(np.float32)) > 0.999,
        cell=(rgb_width / grid[0], rgb_height / grid[1]),
        distance=registration.distance,
    )
