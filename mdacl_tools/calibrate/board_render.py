"""A board seen by a camera with a known lens: exact inverse mapping, averaged over each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import BoolArray, FloatArray
from mdacl_tools.calibrate.board.board import Board, Indices, Points
from mdacl_tools.calibrate.board.optics import lens_of, normalised
from mdacl_tools.calibrate.board.patterns import is_black, outline

_COARSE = 4  # pixels between the rays that tell where the board is
_SAMPLES = 8  # a side of each pixel that an edge crosses
_LEVELS = {"black": 0.0, "white": 1.0, "around": 0.45}
_HEATED = {
    "black": 1.0,
    "white": 0.35,
    "around": 0.0,
}  # paint radiates, bare metal mirrors the room


@dataclass(frozen=True, slots=True, eq=False)
class BoardRenderer:
    """Draws a board into one camera's image.

    Attributes:
        size: ``(width, height)`` in pixels.
        board: The target.
        rays: ``(H + 1, W + 1, 2)`` normalised directions of the pixels' corners.
    """

    size: tuple[int, int]
    board: Board
    rays: Points

    @classmethod
    def of(cls, camera: CameraModel, board: Board) -> BoardRenderer:
        """A renderer for a camera with a perspective lens model."""
        lens = lens_of(np.asarray(camera.matrix, np.float64), camera.distortion)
        return cls(camera.size, board, _rays(camera.size, tuple(lens.tolist())))

    def render(self, pose: Points, blur: float, *, heated: bool = False) -> FloatArray:
        """Draw the board.

        Args:
            pose: ``(4, 4)`` board -> camera's optical frame.
            blur: Standard deviation of the point spread in pixels.
            heated: Thermal look: black is hot, white cooler, the room cold.

        Returns:
            ``(H, W)`` float32, about 0 to 1.
        """
        back = np.asarray(
            np.linalg.inv(pose[:3, [0, 1, 3]]), np.float64
        )  # rays to the board's plane
        levels = _HEATED if heated else _LEVELS
        width, height = self.size
        image = np.full((height, width), levels["around"], np.float32)
        top, bottom, left, right = self._region(back)
        corners = self._look(self.rays[top : bottom + 1, left : right + 1], back, levels)
        parts = np.stack((corners[:-1, :-1], corners[:-1, 1:], corners[1:, :-1], corners[1:, 1:]))
        rows, columns = np.nonzero(np.ptp(parts, axis=0) > 0)
        image[top:bottom, left:right] = corners[:-1, :-1]
        rows, columns = rows + top, columns + left
        image[rows, columns] = self._averages(rows, columns, back, levels)
        image += self._unevenness(heated)
        return np.asarray(cv2.GaussianBlur(image, (0, 0), blur), np.float32)

    def _region(self, back: Points) -> tuple[int, int, int, int]:
        """Top, bottom, left and right of the pixels that may show the board."""
        width, height = self.size
        x, y = self._plane(self.rays[::_COARSE, ::_COARSE], back)
        rows, columns = np.nonzero(self._on_board(x, y))
        if not rows.size:
            return 0, 0, 0, 0
        reach = 2  # coarse steps: the board may end within one
        top, left = (max(0, int(i.min()) - reach) * _COARSE for i in (rows, columns))
        bottom, right = ((int(i.max()) + reach) * _COARSE for i in (rows, columns))
        return top, min(bottom, height), left, min(right, width)

    def _averages(
        self, rows: Indices, columns: Indices, back: Points, levels: dict[str, float]
    ) -> FloatArray:
        """Mean over a grid of points in each of the named pixels."""
        steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
        total = np.zeros(len(rows), np.float32)
        first, right = self.rays[rows, columns], self.rays[rows, columns + 1]
        below, across = self.rays[rows + 1, columns], self.rays[rows + 1, columns + 1]
        for down in steps:
            for along in steps:
                upper = first + (right - first) * along
                lower = below + (across - below) * along
                total += self._look(upper + (lower - upper) * down, back, levels)
        return np.asarray(total / _SAMPLES**2, np.float32)

    def _look(self, rays: Points, back: Points, levels: dict[str, float]) -> FloatArray:
        """The picture along rays, ``(..., 2)`` -> ``(...)``."""
        x, y = self._plane(rays, back)
        look = np.where(is_black(self.board, x, y), levels["black"], levels["white"])
        return np.asarray(np.where(self._on_board(x, y), look, levels["around"]), np.float32)

    def _plane(self, rays: Points, back: Points) -> tuple[Points, Points]:
        """Where rays meet the board's plane, metres."""
        plane = rays @ back[:, :2].T + back[:, 2]
        return plane[..., 0] / plane[..., 2], plane[..., 1] / plane[..., 2]

    def _on_board(self, x: Points, y: Points) -> BoolArray:
        (x0, y0), _, (x1, y1), _ = outline(self.board)
        return np.asarray((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))

    def _unevenness(self, heated: bool) -> FloatArray:
        """Light, or heat, that differs over the image: a slow slope and a slow wave."""
        width, height = self.size
        x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)
        strength = 0.06 if heated else 0.04
        wave = np.sin(2.1 * x)[None] * np.cos(1.7 * y)[:, None] + 0.5 * y[:, None]
        return np.asarray(strength * wave, np.float32)


@lru_cache(maxsize=4)
def _rays(size: tuple[int, int], lens: tuple[float, ...]) -> Points:
    """Directions of the pixels' corners, ``(H + 1, W + 1, 2)``."""
    width, height = size
    x, y = np.meshgrid(np.arange(width + 1) - 0.5, np.arange(height + 1) - 0.5)
    rays = normalised(np.column_stack((x.ravel(), y.ravel())), np.array(lens))
    return rays.reshape(height + 1, width + 1, 2)
