"""How well each part of the thermal image fits every small shift of itself over RGB.

The correlations of all frames are added before anything is decided: an edge that is weak in one
frame counts in the sum, and a chance agreement in one frame is averaged away.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_ros.types import FloatArray
from mdacl_tools.calibrate.scene.pyramid import Size
from mdacl_tools.calibrate.scene.structure import Structure
from mdacl_tools.calibrate.scene.warp_model import Matrix


@dataclass(frozen=True, slots=True)
class Cells:
    """Overlapping square parts of an image.

    Attributes:
        side: Pixels.
        corners: ``(C, 2)`` int, top left x, y.
    """

    side: int
    corners: np.ndarray

    @property
    def centres(self) -> Matrix:
        """``(C, 2)`` float64 x, y."""
        return self.corners + (self.side - 1) / 2


def make_cells(size: Size, side: int, step: int) -> Cells:
    """Lay cells over an image so that they reach all its borders.

    Args:
        size: ``(width, height)`` in pixels.
        side: Of a cell; made smaller where the image is.
        step: About how far apart.
    """
    side = min(side, *size)
    along = [
        np.linspace(0, length - side, max(1, round((length - side) / step)) + 1).round().astype(int)
        for length in size
    ]
    x, y = np.meshgrid(*along)
    return Cells(side, np.column_stack((x.ravel(), y.ravel())))


def match_cells(thermal: Structure, rgb: Structure, cells: Cells, reach: int) -> FloatArray:
    """Correlate each cell of the thermal frames with its neighbourhood in RGB.

    Args:
        thermal: ``(K, H, W)`` edges, laid over RGB.
        rgb: ``(K, H, W)`` edges.
        cells: Parts of the image.
        reach: Largest shift in pixels.

    Returns:
        ``(C, 2 reach + 1, 2 reach + 1)`` float32: agreement at shifts y, x from -reach to reach,
        the sum over all frames and pixels.
    """
    side, wide = cells.side, cells.side + 2 * reach
    padded = cv2.getOptimalDFTSize(wide)
    window = np.hanning(side + 2)[1:-1].astype(np.float32)
    window = np.outer(window, window)
    framed = np.pad(rgb, ((0, 0), (reach, reach), (reach, reach)))
    shape = (len(cells.corners), 2 * reach + 1, 2 * reach + 1)
    surfaces = np.empty(shape, np.float32)
    for surface, (x, y) in zip(surfaces, cells.corners, strict=True):
        part = thermal[:, y : y + side, x : x + side] * window
        around = framed[:, y : y + wide, x : x + wide]
        spectrum = np.conj(np.fft.fft2(part, (padded, padded))) * np.fft.fft2(
            around, (padded, padded)
        )
        surface[:] = np.fft.ifft2(spectrum.sum(axis=0)).real[: shape[1], : shape[2]]
    return surfaces
