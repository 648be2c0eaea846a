"""Where to start: rotation, scale and shift by trying them all on small pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_tools.calibrate.scene.pyramid import Level, Size
from mdacl_tools.calibrate.scene.structure import Structure
from mdacl_tools.calibrate.scene.warp_model import Matrix

Spectrum = npt.NDArray[np.complexfloating[Any, Any]]

SHIFT = 64.0
"""Largest shift tried, in canvas pixels (a canvas is 640 wide), beside ROTATIONS and SCALES.

All three go a step beyond what is accepted (:mod:`.placement`), so that a rig at the limit of that
is not at the limit of the search.
"""

ROTATIONS = np.arange(-8.0, 8.1, 2.0)  # degrees
SCALES = np.exp(np.arange(-5, 6) * 0.05)  # 0.78 to 1.28


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best of all tried.

    Attributes:
        to_canvas: ``(3, 3)`` thermal pixels -> canvas pixels.
        score: Agreement of edges in [-1, 1], all frames together.
    """

    to_canvas: Matrix
    score: float


def search(
    level: Level, canvas: Size, guess: Matrix, groups: list[list[int]]
) -> tuple[list[SearchResult], float]:
    """Try rotations and scales about the guess; correlation gives all shifts at once.

    Args:
        level: Frames at a small scale.
        canvas: ``(width, height)`` of the canvas.
        guess: Thermal pixels -> canvas pixels.
        groups: Sets of the level's frames; each is searched by itself, at hardly more cost. The
            first is all of them.

    Returns:
        The best start of each group, and the best agreement of the first one with mirrored RGB
        images: what chance gives, as these cannot fit. Both are searched in one pass, since
        warping thermal is what costs.
    """
    width, height = level.size
    reach = math.ceil(SHIFT * level.from_canvas[0, 0])
    padded = (
        cv2.getOptimalDFTSize(height + 2 * reach),
        cv2.getOptimalDFTSize(width + 2 * reach),
    )
    rgb = np.fft.fft2(level.rgb, padded)  # (K, N, N)
    mirrored = np.fft.fft2(_mirrored(level.rgb), padded)
    rgb_energy = [float(np.sum(np.abs(level.rgb[group]) ** 2)) for group in groups]
    best = [SearchResult(guess, -2.0)] * len(groups)
    chance = -2.0
    for matrix in _similarities(canvas, guess):
        thermal = level.thermal(matrix)
        spectrum = np.conj(np.fft.fft2(thermal, padded))
        energy = np.sum(np.abs(thermal) ** 2, axis=(1, 2))  # (K,)
        for index, group in enumerate(groups):
            norm = math.sqrt(float(energy[group].sum()) * rgb_energy[index] + 1e-9)
            surface = _agreement(spectrum[group] * rgb[group], reach) / norm
            row, column = np.unravel_index(surface.argmax(), surface.shape)
            if surface[row, column] > best[index].score:
                shift = np.array((column - reach, row - reach)) / level.from_canvas[0, 0]
                best[index] = SearchResult(_shift(shift) @ matrix, float(surface[row, column]))
            if index == 0:
                against = _agreement(spectrum[group] * mirrored[group], reach) / norm
                chance = max(chance, float(against.max()))
    return best, chance


def _similarities(canvas: Size, guess: Matrix) -> Iterator[Matrix]:
    """Rotations and scales about the canvas's middle."""
    x, y = (canvas[0] - 1) / 2, (canvas[1] - 1) / 2
    for angle in np.radians(ROTATIONS):
        for scale in SCALES:
            c, s = scale * math.cos(angle), scale * math.sin(angle)
            turn = np.array(((c, -s, x - c * x + s * y), (s, c, y - s * x - c * y), (0, 0, 1)))
            yield turn @ guess


def _mirrored(edges: Structure) -> Structure:
    """Edges of the images with left and right exchanged: a gradient's x changes its sign."""
    return np.conj(edges[:, :, ::-1])


def _shift(offset: Matrix) -> Matrix:
    return np.array(((1, 0, offset[0]), (0, 1, offset[1]), (0, 0, 1.0)))


def _agreement(cross: Spectrum, reach: int) -> Matrix:
    """Sum over frames of a correlation, given as spectra, at shifts from -reach to reach."""
    surface = np.fft.ifft2(cross.sum(axis=0)).real
    rows = np.concatenate((surface[-reach:], surface[: reach + 1]))
    return np.concatenate((rows[:, -reach:], rows[:, : reach + 1]), axis=1)
