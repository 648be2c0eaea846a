"""The frames of a recording at one scale, as edges: RGB once, thermal wherever a guess lays it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from mdacl_ros.types import ByteArray, FloatArray
from mdacl_tools.calibrate.scene.structure import Structure, structure
from mdacl_tools.calibrate.scene.warp_model import Matrix, resize_matrix

Size = tuple[int, int]


@dataclass(frozen=True)
class ScenePairs:
    """Pairs of frames taken at about one time.

    Attributes:
        rgb: ``(K, H, W)`` float32 in [0, 1], grey, shrunk to the working size ("canvas").
        thermal: ``(K, h, w)`` float32 in [0, 1], normalised, in the thermal camera's own pixels.
        picture: ``(h, w)`` uint8, 0 where the thermal camera delivers black bars.
        rgb_size: ``(width, height)`` of the RGB images as delivered.
    """

    rgb: FloatArray
    thermal: FloatArray
    picture: ByteArray
    rgb_size: Size

    @property
    def canvas(self) -> Size:
        """``(width, height)`` of the working image."""
        return self.rgb.shape[2], self.rgb.shape[1]

    @property
    def thermal_size(self) -> Size:
        """``(width, height)`` of the thermal images."""
        return self.thermal.shape[2], self.thermal.shape[1]

    @property
    def to_canvas(self) -> Matrix:
        """RGB pixels -> canvas pixels."""
        return resize_matrix(self.rgb_size, self.canvas)


class Level:
    """All pairs at one scale.

    Args:
        pairs: The frames.
        scale: Size against the canvas, 1 or less.
        blur: Standard deviation in pixels of this level.
        frames: Which pairs.

    Attributes:
        size: ``(width, height)`` of the level.
        from_canvas: Canvas pixels -> pixels of the level.
    """

    def __init__(self, pairs: ScenePairs, scale: float, blur: float, frames: list[int]) -> None:
        width, height = pairs.canvas
        self.size = (max(8, round(width * scale)), max(8, round(height * scale)))
        self.from_canvas = resize_matrix(pairs.canvas, self.size)
        self._pairs, self._scale, self._blur, self._frames = pairs, scale, blur, frames

    @cached_property
    def rgb(self) -> Structure:
        """``(K, H, W)`` edges of the RGB frames."""
        shrunk = (_resize(self._pairs.rgb[k], self.size) for k in self._frames)
        return np.stack([structure(grey, self._blur) for grey in shrunk])

    def thermal(self, to_canvas: Matrix) -> Structure:
        """Edges of the thermal frames as a guess lays them over RGB.

        Args:
            to_canvas: Thermal pixels -> canvas pixels.

        Returns:
            ``(K, H, W)`` complex64, 0 where thermal does not reach.
        """
        images, picture, shrink = self._shrunk_thermal
        matrix = self.from_canvas @ to_canvas @ np.linalg.inv(shrink)
        inside = _warp(picture, matrix, self.size) > 0.99
        rim = 2 * math.ceil(2 * self._blur) + 1
        valid = cv2.erode(
            inside.astype(np.uint8), np.ones((rim, rim), np.uint8), borderValue=(0,)
        ).astype(np.float32)
        warped = (_warp(image, matrix, self.size) for image in images)
        return np.stack([structure(image, self._blur, valid) for image in warped])

    @cached_property
    def _shrunk_thermal(self) -> tuple[FloatArray, FloatArray, Matrix]:
        """Thermal frames near the level's scale, so that warping does not alias."""
        size = self._pairs.thermal_size
        magnified = self.size[0] / size[0]
        factor = max(1, round(1 / magnified))
        small = (max(8, size[0] // factor), max(8, size[1] // factor))
        images = np.stack([_resize(self._pairs.thermal[k], small) for k in self._frames])
        picture = _resize(self._pairs.picture.astype(np.float32), small)
        return images, picture, resize_matrix(size, small)


def _resize(image: FloatArray, size: Size) -> FloatArray:
    if image.shape == size[::-1]:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)


def _warp(image: FloatArray, matrix: Matrix, size: Size) -> FloatArray:
    return np.asarray(cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_LINEAR), np.float32)
