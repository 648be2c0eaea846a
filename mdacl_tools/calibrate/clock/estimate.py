"""Offset and rate of the thermal clock, with their errors, or why there is none."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from mdacl_ros.types import Modality
from mdacl_tools.calibrate.clock.match import (
    Curve,
    Prepared,
    coarse_shifts,
    curve,
    fine_shifts,
    prepare,
    prominence,
    summit,
)
from mdacl_tools.calibrate.clock.signals import CameraSignal, Times

LARGEST_ERROR = 0.010
"""Estimated error in seconds beyond which an offset is refused."""

LEAST_PROMINENCE = 2.0
"""Height of the peak against the highest chance agreement."""

WINDOW = 10.0
"""Seconds of a window whose offset is estimated by itself, for the rate."""

FEWEST_WINDOWS = 3

_GROUPS = 8  # of cells left out in turn
_SEARCH_FRAMES = 900  # of the sampled camera; enough to find the peak


@dataclass(frozen=True, slots=True)
class ClockResult:
    """What to set, and how far to trust it.

    Attributes:
        offset: Seconds to add to thermal stamps, at the middle of the recording.
        error: Estimated standard error of the offset in seconds.
        rate_ppm: By how much the offset grows, in microseconds a second; ``None`` where the
            recording is too short to tell.
        rate_error_ppm: Standard error of the rate, ``None`` likewise.
        confidence: In [0, 1].
        prominence: Height of the peak against the highest chance agreement.
        search: The coarse curve, its shifts as offsets of the thermal clock.
        windows: ``(W, 2)`` seconds since the start, offset of each window.
        refusal: Why the offset must not be used; empty if it may.
    """

    offset: float
    error: float
    rate_ppm: float | None
    rate_error_ppm: float | None
    confidence: float
    prominence: float
    search: Curve
    windows: Times
    refusal: str


def estimate_clock(signals: dict[Modality, CameraSignal], reach_s: float) -> ClockResult:
    """Find the offset, the rate, and what speaks for them.

    Args:
        signals: Of :func:`.clock_signals.collect_signals`.
        reach_s: Largest offset looked for, in seconds.
    """
    prepared = prepare(signals["rgb"], signals["thermal"])
    count = len(prepared.sampled.times)
    middle = max(0, (count - _SEARCH_FRAMES) // 2)
    search = curve(prepared, coarse_shifts(reach_s), slice(middle, middle + _SEARCH_FRAMES))
    stands_out = prominence(search)
    peak = float(search.shifts[search.total.argmax()])
    windows = _windows(prepared, peak)
    offset, error = _offset(prepared, peak)
    rate, rate_error = None, None
    if len(windows) >= FEWEST_WINDOWS:
        rate, rate_error = _line(windows)
    at_rim = abs(peak) > reach_s - 2 * (search.shifts[1] - search.shifts[0])
    refusal = _refusal(stands_out, error, at_rim, reach_s)
    sure = math.exp(-((error / LARGEST_ERROR) ** 2)) * (1 - math.exp(1 - max(stands_out, 1)))
    sign = prepared.sign
    return ClockResult(
        offset=sign * offset,
        error=error,
        rate_ppm=None if rate is None else sign * rate * 1e6,
        rate_error_ppm=None if rate_error is None else rate_error * 1e6,
        confidence=0.0 if refusal else sure,
        prominence=stands_out,
        search=Curve(sign * search.shifts, search.cells),
        windows=windows * (1, sign),
        refusal=refusal,
    )


def _offset(prepared: Prepared, peak: float, rows: slice = slice(None)) -> tuple[float, float]:
    """Shift at the peak and its error: cells are left out, a group at a time (jackknife)."""
    for _ in range(2):  # the second time with the peak in the middle
        found = curve(prepared, fine_shifts(peak), rows)
        peak = summit(found.shifts, found.total)
    cells = found.cells.shape[1]
    group = np.arange(cells) * _GROUPS // cells  # neighbouring rows of cells stay together
    tops = [summit(found.shifts, found.cells[:, group != k].mean(axis=1)) for k in range(_GROUPS)]
    error = math.sqrt((_GROUPS - 1) / _GROUPS * float(np.sum((np.array(tops) - peak) ** 2)))
    return peak, error


def _windows(prepared: Prepared, peak: float) -> Times:
    """Middle and shift of each window of the recording, ``(W, 2)``."""
    times = prepared.sampled.times
    count = int((times[-1] - times[0]) // WINDOW)
    if count < FEWEST_WINDOWS:
        return np.zeros((0, 2))
    edges = np.searchsorted(times, np.linspace(times[0], times[-1], count + 1))
    found = []
    for first, last in itertools.pairwise(edges):
        if last - first > 20:
            shift, _ = _offset(prepared, peak, slice(int(first), int(last)))
            found.append((float(times[first:last].mean()), shift))
    return np.array(found).reshape(-1, 2)


def _line(windows: Times) -> tuple[float, float]:
    """Slope of the windows' shifts and its error: Theil-Sen, so that odd windows do not matter."""
    times, shifts = windows.T
    one, two = np.triu_indices(len(times), 1)
    slope = float(np.median((shifts[two] - shifts[one]) / (times[two] - times[one])))
    rest = shifts - slope * times
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
    scale = max(spread, 1e-4) / float(np.sqrt(np.sum((times - times.mean()) ** 2)))
    return slope, scale * math.sqrt(len(times) / max(len(times) - 2, 1))


def _refusal(stands_out: float, error: float, at_rim: bool, reach_s: float) -> str:
    if stands_out < LEAST_PROMINENCE:
        return (
            f"no shift of the clocks stands out ({stands_out:.1f} times the next best, wanted"
            f" {LEAST_PROMINENCE}): too little moves in both views, or it repeats itself; record"
            " people walking by or a slow, uneven pan"
        )
    if at_rim:
        return f"the offset may lie beyond the {reach_s} s looked for; give a larger --range"
    if error > LARGEST_ERROR:
        return (
            f"regions of the image contradict each other by {error * 1e3:.0f} ms, wanted"
            f" {LARGEST_ERROR * 1e3:.0f} ms or less; record for longer"
        )
    return ""
