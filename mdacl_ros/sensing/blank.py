"""Parts of an image that show nothing: uniform, saturated, black, blown out, a covered lens.

They count as absent, cell by cell, in the same way as what a camera does not cover. Blank is not
dark: a night image with one lamp shows something. Ours; the bounds stand far from all 1,900 images
of four cameras that they were measured on (docs/dominance.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from mdacl_ros.types import Array, BoolArray, ByteArray, FloatArray

BLOCK = 8
"""Side in pixels of the blocks whose means are compared: sensor noise averages out in them."""

FLAT, NO_LONGER_FLAT = 1, 2
"""Grey levels of 255 by which the blocks of a cell differ at most: to become flat, and to stay flat
or to be flat among flat ones."""

PART, NO_LONGER_PART = 0.35, 0.25
"""Share of the covered cells from which flat ones count as absent. Thermal skies reach 0.23."""

WHOLE, NO_LONGER_WHOLE = 28, 38
"""Grey levels between the darkest and the brightest block up to which the whole image is blank.
Thick smoke has 61; the glow of a covered lens, stretched as thermal images are, 22."""

DARK, LIT = 16, 0.9
"""A cell is dark up to this level. Where more than this share of them is, the rest are lamps: the
image stays as it is."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """Darkest and brightest block of each cell, ``(h, w, C)``."""

    darkest: ByteArray
    brightest: ByteArray


class BlankCells:
    """Finds what shows nothing in the images of one camera; bounds have hysteresis over frames."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the frames so far."""
        self._flat: BoolArray | None = None
        self._part = self._whole = False

    def look(self, image: Array, covered: FloatArray) -> BoolArray:
        """Find the cells of one image that show nothing.

        Args:
            image: ``(H, W, 3)`` or ``(H, W)``, uint8, or float32 in [0, 1]; as the network sees it.
            covered: ``(h, w)``, more than 0 where the camera covers the cell; H and W are whole
                multiples of h and w.

        Returns:
            ``(h, w)`` bool, true for covered cells that show nothing.
        """
        here = covered > 0
        if not here.any():
            self.reset()
            return np.zeros_like(here)
        cells = _measure(image, here.shape)
        contrast = (cells.brightest - cells.darkest).max(-1)
        flat = contrast <= FLAT
        likely = _mostly_around(flat)
        if self._flat is not None:
            likely |= self._flat
        flat |= likely & (contrast <= NO_LONGER_FLAT)
        self._flat = flat = flat & here
        spread = int((cells.brightest[here].max(0) - cells.darkest[here].min(0)).max())
        self._whole = spread <= (NO_LONGER_WHOLE if self._whole else WHOLE)
        count = int(here.sum())
        share = int(flat.sum()) / count
        night = int((here & (cells.brightest.max(-1) <= DARK)).sum()) / count > LIT
        self._part = not night and share >= (NO_LONGER_PART if self._part else PART)
        if self._whole:
            return here
        return flat if self._part else np.zeros_like(here)


def _mostly_around(flat: BoolArray) -> BoolArray:
    """Cells ``(h, w)`` of which most of the 3 x 3 around are flat."""
    return np.asarray(cv2.blur(flat.astype(np.float32), (3, 3)) > 0.5)


def _measure(image: Array, shape: tuple[int, int]) -> _Cells:
    """Compare the blocks within each of ``shape`` cells."""
    pixels = cast(FloatArray, image)
    grey = pixels if image.dtype == np.uint8 else cv2.convertScaleAbs(pixels, alpha=255.0)
    rows, columns = shape
    height, width = grey.shape[0] // rows // BLOCK, grey.shape[1] // columns // BLOCK
    size = (columns * width, rows * height)
    blocks = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    parts = blocks.reshape(rows, height, columns, width, -1)
    return _Cells(parts.min(axis=(1, 3)), parts.max(axis=(1, 3)))
