"""Where to start: rotation, scale and shift by trying them all on small pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_tools.calibrate.scene.pyramid import Level, Size
from mdacl_tools.calibrate.scene.warp_model import Matrix

SHIFT = 56.0
"""Largest shift looked for, in canvas pixels (a canvas is 640 wide), beside ROTATIONS, SCALES."""

ROTATIONS = np.arange(-7.0, 7.1, 2.0)  # degrees
SCALES = np.geomspace(0.86, 1.17, 7)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best of all tried.

    Attributes:
        to_canvas: ``(3, 3)`` thermal pixels -> canvas pixels.
        score: Agreement of edges in [-1, 1], all frames together.
        at_limit: The best lies at the rim of what was tried: the truth may lie outside.
    """

    to_canvas: Matrix
    score: float
    at_limit: bool


def search(
    level: Level, canvas: Size, guess: Matrix, groups: list[list[int]], mirrored: bool = False
) -> list[SearchResult]:
    """Try rotations and scales about the guess; correlation gives all shifts at once.

    Args:
        level: Frames at a small scale.
        canvas: ``(width, height)`` of the canvas.
        guess: Thermal pixels -> canvas pixels.
        groups: Sets of the level's frames; each is searched by itself, at hardly more cost.
        mirrored: Mirror the thermal frames, to see how well pictures agree that do not belong.

    Returns:
        The best start of each group.
    """
    width, height = level.size
    reach = math.ceil(SHIFT * level.from_canvas[0, 0])
    padded = [cv2.getOptimalDFTSize(side + 2 * reach) for side in (height, width)]
    rgb = np.fft.fft2(level.rgb, padded)  # (K, N, N)
    rgb_energy = np.array([np.sum(np.abs(level.rgb[g]) ** 2) for g in groups])
    best: list[tuple[float, Matrix, bool]] = [(-2.0, guess, False)] * len(groups)
    for matrix, at_rim in _similarities(canvas, guess):
        thermal = level.thermal(matrix, mirrored)
        cross = np.conj(np.fft.fft2(thermal, padded)) * rgb
        for index, group in enumerate(groups):
            energy = float(np.sum(np.abs(thermal[group]) ** 2) * rgb_energy[index])
            surface = _centred(np.fft.ifft2(cross[group].sum(axis=0)).real, reach)
            row, column = np.unravel_index(surface.argmax(), surface.shape)
            score = float(surface[row, column]) / math.sqrt(energy + 1e-9)
            if score > best[index][0]:
                shift = np.array((column - reach, row - reach)) / level.from_canvas[0, 0]
                rim = at_rim or bool(np.abs(shift).max() > SHIFT - 1)
                best[index] = (score, _shift(shift) @ matrix, rim)
    return [SearchResult(matrix, score, rim) for score, matrix, rim in best]


def _similarities(canvas: Size, guess: Matrix) -> Iterator[tuple[Matrix, bool]]:
    """Rotations and scales about the canvas's middle, and whether each is at the rim."""
    x, y = (canvas[0] - 1) / 2, (canvas[1] - 1) / 2
    for angle in np.radians(ROTATIONS):
        for scale in SCALES:
            c, s = scale * math.cos(angle), scale * math.sin(angle)
            turn = np.array(((c, -s, x - c * x + s * y), (s, c, y - s * x - c * y), (0, 0, 1)))
            rim = abs(angle) == np.radians(ROTATIONS).max() or scale in (SCALES[0], SCALES[-1])
            yield turn @ guess, bool(rim)


def _shift(offset: Matrix) -> Matrix:
    return np.array(((1, 0, offset[0]), (0, 1, offset[1]), (0, 0, 1.0)))


def _centred(surface: Matrix, reach: int) -> Matrix:
    """Shifts from -reach to reach of a circular correlation."""
    rows = np.concatenate((surface[-reach:], surface[: reach + 1]))
    return np.concatenate((rows[:, -reach:], rows[:, : reach + 1]), axis=1)
