"""By how much to shift one camera's clock so that what moves in both moves at one time.

Each cell is judged by itself: how well does the other camera's value, at the shifted time, predict
it, with whatever sign and gain. The sum of ``-log(1 - r^2)`` over the cells is the gain in
likelihood; cells in which both cameras see the same thing decide it, the others add a constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from mdacl_ros.types import FloatArray
from mdacl_tools.calibrate.clock.signals import CameraSignal, Times

SLOW = 0.4
"""Seconds; what changes more slowly than this (light, warming up) tells nothing about clocks."""

_KERNEL = 1.2  # frame periods. An even width: linear interpolation, which averages noise between
# frames but not on them, would prefer shifts of half a frame
_SUPPORT = 3.0  # kernel widths
_FLOOR = 0.02  # of the median cell's energy
_MOST = 0.999  # r^2
_BLOCK = 256  # rows at a time: the gathered neighbours stay in the cache
_FAR = 0.25  # seconds from the peak beyond which agreement is chance
_COARSE, _FINE, _REACH = 0.02, 0.006, 0.03  # seconds


@dataclass(frozen=True, slots=True)
class Prepared:
    """Both signals, slow changes removed; ``sampled`` is the camera with fewer frames a second.

    Attributes:
        sampled: Its frames are compared one by one.
        smooth: The other camera, read between its frames.
        sign: +1 where ``sampled`` is the thermal camera: a shift of its stamps is the offset.
    """

    sampled: CameraSignal
    smooth: CameraSignal
    sign: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Agreement over the shift.

    Attributes:
        shifts: ``(S,)`` seconds added to the sampled camera's stamps.
        cells: ``(S, F)`` gain in likelihood of each cell, a frame.
    """

    shifts: Times
    cells: FloatArray

    @property
    def total(self) -> Times:
        """``(S,)`` mean over the cells."""
        return cast(Times, self.cells.mean(axis=1, dtype=np.float64))


def prepare(rgb: CameraSignal, thermal: CameraSignal) -> Prepared:
    """Remove slow changes and choose whose frames are sampled."""
    fast_rgb = rgb.period <= thermal.period
    sampled, smooth = (thermal, rgb) if fast_rgb else (rgb, thermal)
    return Prepared(_without_trend(sampled), _without_trend(smooth), 1 if fast_rgb else -1)


def curve(prepared: Prepared, shifts: Times, rows: slice = slice(None)) -> Curve:
    """Agreement at each shift.

    Args:
        prepared: The signals.
        shifts: ``(S,)`` seconds added to the sampled camera's stamps.
        rows: Which of the sampled frames.
    """
    times, values = prepared.sampled.times[rows], prepared.sampled.values[rows]
    smooth = prepared.smooth
    first, last = smooth.times[0], smooth.times[-1]
    agreement = np.zeros((len(shifts), values.shape[1]), np.float32)
    for row, shift in zip(agreement, shifts, strict=True):
        at = times + shift
        inside = (at >= first) & (at <= last)
        if np.count_nonzero(inside) > 8:
            predicted = _kernel_mean(smooth, at[inside], _KERNEL * smooth.period)
            row[:] = _gain(predicted, values[inside])
    return Curve(shifts, agreement)


def coarse_shifts(reach_s: float) -> Times:
    """Shifts to try first."""
    count = round(reach_s / _COARSE)
    return np.arange(-count, count + 1, dtype=np.float64) * _COARSE


def fine_shifts(middle: float) -> Times:
    """Shifts around a coarse peak."""
    count = round(_REACH / _FINE)
    return middle + np.arange(-count, count + 1, dtype=np.float64) * _FINE


def summit(shifts: Times, total: Times) -> float:
    """The top of a parabola through a curve around its peak; its best shift if it has none."""
    middle = float(shifts[total.argmax()])
    a, b, _ = np.polyfit(shifts - middle, total, 2)
    top = middle - b / (2 * a) if a < 0 else middle
    return float(np.clip(top, shifts[0], shifts[-1]))


def prominence(found: Curve) -> float:
    """How far the peak stands out: its height over the highest chance agreement elsewhere.

    Returns:
        Ratio of both heights above the median; 1 or less where another peak is as high.
    """
    total = found.total
    far = total[np.abs(found.shifts - found.shifts[total.argmax()]) > _FAR]
    if far.size < 5:
        return 0.0
    base = float(np.median(far))
    # Chance is uneven: at the least, what random peaks of so many tries reach.
    chance = max(float(far.max()) - base, 1e-9 + 0.02 * base)
    return (float(total.max()) - base) / chance


def _without_trend(signal: CameraSignal) -> CameraSignal:
    slow = _kernel_mean(signal, signal.times, SLOW)
    return CameraSignal(signal.times, signal.values - slow)


def _kernel_mean(signal: CameraSignal, at: Times, width: float) -> FloatArray:
    """Gaussian-weighted mean of the frames around each time, ``(len(at), F)``."""
    result = np.empty((len(at), signal.values.shape[1]), np.float32)
    for start in range(0, len(at), _BLOCK):
        here = at[start : start + _BLOCK]
        low, high = here.min() - _SUPPORT * width, here.max() + _SUPPORT * width
        first, last = np.searchsorted(signal.times, (low, high))
        first, last = max(0, int(first) - 1), int(last) + 1
        distance = (here[:, None] - signal.times[None, first:last]) / width
        # In a gap the nearest frame stands in, however far: the largest exponent is made 0.
        exponent = -0.5 * distance**2
        weight = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        result[start : start + _BLOCK] = weight.astype(np.float32) @ signal.values[first:last]
    return result


def _gain(predicted: FloatArray, seen: FloatArray) -> FloatArray:
    """``-log(1 - r^2)`` of each cell."""
    predicted = predicted - predicted.mean(axis=0)
    seen = seen - seen.mean(axis=0)
    energies = [(part * part).sum(axis=0) for part in (predicted, seen)]
    floors = [energy + _FLOOR * np.median(energy) + 1e-9 for energy in energies]
    both = (predicted * seen).sum(axis=0)
    return cast(FloatArray, -np.log1p(-np.minimum(both**2 / (floors[0] * floors[1]), _MOST)))
