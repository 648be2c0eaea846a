"""Tone curve of a thermal image: plateau equalisation blended with a linear percentile stretch.

The usual automatic gain control of thermal cameras, as one monotone lookup table:

- a linear stretch around the scene's median, logarithmic far away from it, keeps differences
  readable over a robust range;
- histogram equalisation under a plateau gives every part of the scene its share, so that neither
  a large fire nor a large wall takes the whole range; its weight grows with the scene's span;
- the slope never exceeds ``1 / min_span``, so a uniform scene stays uniform instead of showing
  amplified sensor noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mdacl_ros.types import FloatArray

Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_BINS = 1024
_TAILS = (0.001, 0.9995)  # quantiles of the robust range; distant people are few pixels, keep them
_ORDINARY_SPANS = 4.0  # wider scenes (in min_spans) shift weight from stretch to equalisation
_LEAST_STRETCH = 0.7  # share of its weight that the stretch keeps however wide the scene
_LINEAR_SPANS = 2.0  # the stretch is linear within this many min_spans of the median


@dataclass(frozen=True, slots=True)
class ToneLimits:
    """How far a tone curve may go.

    Attributes:
        min_span: Smallest difference, in raw levels, that may take the full output range.
        equalization: Weight in [0, 1] of the plateau equalisation in scenes of ordinary span.
        plateau: Cap of a histogram bin, in units of the mean occupied bin.
    """

    min_span: float
    equalization: float = 0.25
    plateau: float = 4.0


def tone_curve(samples: Samples, levels: int, limits: ToneLimits) -> FloatArray:
    """Compute the curve that maps raw levels to [0, 1].

    Args:
        samples: ``(N,)`` uint8 or uint16 raw levels, N >= 1, a subsample of the image.
        levels: Number of raw levels, 256 or 65536.
        limits: Span, weight and plateau.

    Returns:
        ``(levels,)`` float32, non-decreasing, 0 below the robust range and 1 above it.
    """
    low, high = _robust_range(samples, levels, limits.min_span)
    bins = int(min(_BINS, high - low))
    density = _density(samples, low, high, bins, limits)
    knots = np.concatenate(([0.0], np.cumsum(density)))
    first, last = int(np.floor(low)), int(np.ceil(high))
    curve = np.zeros(levels, np.float32)
    position = (np.arange(first, last + 1, dtype=np.float64) - low) * (bins / (high - low))
    curve[first : last + 1] = np.interp(position, np.arange(bins + 1), knots / knots[-1])
    curve[last + 1 :] = 1.0
    return curve


def _robust_range(samples: Samples, levels: int, min_span: float) -> tuple[float, float]:
    """Quantile range in raw levels, widened to ``min_span`` inside [0, levels - 1]."""
    base = int(samples.min())
    cumulative = np.cumsum(np.bincount(samples - samples.dtype.type(base)))
    low, high = (
        float(base + np.searchsorted(cumulative, tail * samples.size, side="left"))
        for tail in _TAILS
    )
    missing = min(min_span, levels - 1.0) - (high - low)
    if missing > 0:
        # Headroom mostly above: a calm scene stays dark, and what is hot will stand out in it.
        low = min(max(low - missing / 4, 0.0), levels - 1.0 - (high - low + missing))
        high = low + min(min_span, levels - 1.0)
    return low, high


def _density(
    samples: Samples, low: float, high: float, bins: int, limits: ToneLimits
) -> npt.NDArray[np.float64]:
    """Output range given to each of ``bins`` equal steps from low to high; sums to 1."""
    span = high - low
    index = (samples.astype(np.float32) - np.float32(low)) * np.float32(bins / span)
    inside = np.clip(index, 0, bins - 1).astype(np.intp)
    share = np.bincount(inside, minlength=bins) / samples.size
    plateau = limits.plateau / np.count_nonzero(share)
    equalized = np.minimum(share, plateau)
    equalized /= equalized.sum()
    spans = span / limits.min_span
    weight = (1 - limits.equalization) * max(_LEAST_STRETCH, min(1.0, _ORDINARY_SPANS / spans))
    middle = float(np.searchsorted(np.cumsum(share), 0.5))
    density = weight * _stretch(bins, middle, spans) + (1 - weight) * equalized
    return _limit_slope(density, max(span / limits.min_span, 1.0) / bins)


def _stretch(bins: int, middle: float, spans: float) -> npt.NDArray[np.float64]:
    """Density of the stretch: even near bin ``middle``, falling as 1 / distance far from it."""
    distance = np.abs(np.arange(bins) - middle) * (spans / bins)  # (bins,) in min_spans
    density = 1.0 / (1.0 + np.maximum(distance - _LINEAR_SPANS, 0.0))
    return density / density.sum()


def _limit_slope(density: npt.NDArray[np.float64], cap: float) -> npt.NDArray[np.float64]:
    """Cap each step and give the excess to the others in proportion to their headroom."""
    limited = np.minimum(density, cap)
    headroom = cap - limited
    total = headroom.sum()
    if total <= 0:
        return limited
    return limited + headroom * (min(1.0 - limited.sum(), total) / total)
