"""How many pixels thermal lies beside RGB although it was registered, and how sure that is.

estimator = ResidualEstimator()
estimator.add(perception.aligned_pair())     # some pairs, seconds apart
residual = estimator.estimate()
if residual.confident:
    print(residual.pixels, residual.shift)
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from mdacl_ros.sensing.registration.aligned_pair import AlignedPair
from mdacl_ros.sensing.registration.edge_agreement import REACH, REGIONS, agreement
from mdacl_ros.types import FloatArray

CONFIDENT = 0.6
"""Confidence from which a residual says something: more than what two of nine regions can give,
so that neither one near object (parallax) nor chance does."""

LEAST_PAIRS = 3
"""Pairs before which nothing is sure."""

_KEPT = 12  # newest pairs that count
_SLOW = 13  # cells; agreement that changes more slowly with the shift is that of the whole texture
_PEAK = 4  # cells around a peak that belong to it
_NEAR = 8  # cells around the whole picture's peak where a region's own is sought
_SUPPORT = 3.0  # standard deviations above the mean at which a region supports a shift
_WANTED_REGIONS = 4  # of nine, from which more support adds nothing
_WANTED_LEAD = 0.4  # share by which the best shift leads the next one, likewise


@dataclass(frozen=True, slots=True)
class Residual:
    """Where thermal lies on RGB; all lengths in pixels of the RGB image.

    Attributes:
        shift: (dx, dy): an object's thermal image lies that far to the right of and below its RGB
            image.
        confidence: In [0, 1], from how far the best shift leads the others and how many regions of
            the picture support it; see :data:`CONFIDENT`.
        pairs: How many pairs it was taken from.
        regions: ``(3, 3, 2)`` shift by region of the picture (row, column); NaN where a region
            does not tell.
        size: ``(width, height)`` of the RGB image.
    """

    shift: tuple[float, float]
    confidence: float
    pairs: int
    regions: FloatArray
    size: tuple[int, int]

    @property
    def pixels(self) -> float:
        """Length of the shift."""
        return math.hypot(*self.shift)

    @property
    def confident(self) -> bool:
        """Whether it says something."""
        return self.confidence >= CONFIDENT and self.pairs >= LEAST_PAIRS


class ResidualEstimator:
    """Adds the agreement of edges up over the newest pairs; not thread-safe.

    Texture that both cameras see agrees at the same shift in every pair, chance does not. Pairs of
    another size or another reference distance start anew.

    Args:
        kept: How many of the newest pairs count.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._surfaces: deque[FloatArray] = deque(maxlen=kept)
        self._like: AlignedPair | None = None

    def add(self, pair: AlignedPair) -> None:
        """Take a pair in; about 20 ms."""
        like = self._like
        if like is None or (like.grey.shape, like.cell, like.distance) != (
            pair.grey.shape,
            pair.cell,
            pair.distance,
        ):
            self._surfaces.clear()
            self._like = pair
        self._surfaces.append(agreement(pair))

    def reset(self) -> None:
        """Forget all pairs."""
        self._surfaces.clear()
        self._like = None

    def estimate(self) -> Residual | None:
        """The residual of the pairs so far; ``None`` without any."""
        if self._like is None:
            return None
        surface = np.mean(self._surfaces, axis=0)  # (3, 3, S, S)
        flat = surface.reshape(-1, *surface.shape[2:])
        regions = np.stack([_without_slow(region) for region in flat])  # (9, S, S)
        whole = regions.mean(axis=0)
        peak = _argmax(whole)
        support = [_supports(region, peak) for region in regions]
        cell = np.asarray(self._like.cell)
        shift = _subcell(whole, peak) * cell
        own = np.stack([_own_shift(region, peak) * cell for region in regions])  # (9, 2)
        own[~np.asarray(support)] = np.nan
        height, width = self._like.grey.shape
        return Residual(
            shift=(float(shift[0]), float(shift[1])),
            confidence=_lead(whole, peak) * min(1.0, sum(support) / _WANTED_REGIONS),
            pairs=len(self._surfaces),
            regions=own.astype(np.float32).reshape(REGIONS, REGIONS, 2),
            size=(round(width * cell[0]), round(height * cell[1])),
        )


def _without_slow(surface: FloatArray) -> FloatArray:
    """What stands out of an agreement ``(S, S)`` at single shifts."""
    slow = cv2.blur(np.ascontiguousarray(surface), (_SLOW, _SLOW), borderType=cv2.BORDER_REFLECT)
    return cast(FloatArray, surface - slow)


def _argmax(surface: FloatArray) -> tuple[int, int]:
    row, column = np.unravel_index(int(surface.argmax()), surface.shape)
    return int(row), int(column)


def _around(peak: tuple[int, int], reach: int) -> tuple[slice, slice]:
    row, column = (slice(max(p - reach, 0), p + reach + 1) for p in peak)
    return row, column


def _supports(region: FloatArray, peak: tuple[int, int]) -> bool:
    """Whether a region's edges agree at the shift of the whole picture."""
    return bool(region[_around(peak, 1)].max() > _SUPPORT * max(float(region.std()), 1e-9))


def _lead(whole: FloatArray, peak: tuple[int, int]) -> float:
    """In [0, 1]: how far the best shift leads every one that is not beside it."""
    best = float(whole[peak])
    if best <= 0:
        return 0.0
    others = whole.copy()
    others[_around(peak, _PEAK)] = -np.inf
    return float(np.clip((1 - others.max() / best) / _WANTED_LEAD, 0.0, 1.0))


def _own_shift(region: FloatArray, peak: tuple[int, int]) -> FloatArray:
    """A region's best shift (x, y) in cells, near that of the whole picture."""
    rows, columns = _around(peak, _NEAR)
    row, column = _argmax(region[rows, columns])
    return _subcell(region, (row + rows.start, column + columns.start))


def _subcell(surface: FloatArray, peak: tuple[int, int]) -> FloatArray:
    """Refine a peak by parabolas; (x, y) from the middle, in cells."""
    result = np.array(peak[::-1], np.float32) - REACH
    row, column = peak
    for axis, values in enumerate((surface[row], surface[:, column])):
        at = peak[1 - axis]
        if 0 < at < len(values) - 1:
            before, here, after = (float(v) for v in values[at - 1 : at + 2])
            bend = before - 2 * here + after
            result[axis] += 0.5 * (before - after) / bend if bend < 0 else 0.0
    return result
