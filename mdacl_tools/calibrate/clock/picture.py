"""The picture of a clock calibration: agreement over the shift, one cell's signals, the windows."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from mdacl_ros.types import Modality
from mdacl_tools.calibrate.clock.estimate import ClockResult
from mdacl_tools.calibrate.clock.signals import CameraSignal, Times

_SECONDS = 8.0  # of the signals that are drawn
_CURVE, _RGB, _THERMAL = "#222831", "#2b8cbe", "#e6550d"


def draw_clock(signals: dict[Modality, CameraSignal], result: ClockResult) -> bytes:
    """Draw the evidence.

    Args:
        signals: What was compared.
        result: What came of it.

    Returns:
        A PNG file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    left, middle, right = figure.subplots(1, 3)
    left.plot(result.search.shifts * 1e3, result.search.total, color=_CURVE)
    left.axvline(result.offset * 1e3, color=_THERMAL, linestyle="--")
    left.set(xlabel="added to thermal stamps (ms)", ylabel="agreement", title="search")
    _draw_cell(middle, signals, result)
    if len(result.windows):
        times, offsets = result.windows.T
        right.plot(times, offsets * 1e3, "o", color=_CURVE)
    else:
        right.set_ylim((result.offset - 0.01) * 1e3, (result.offset + 0.01) * 1e3)
    right.axhline(result.offset * 1e3, color=_THERMAL, linestyle="--")
    rate = "too short for a rate" if result.rate_ppm is None else f"{result.rate_ppm:+.0f} ppm"
    right.set(xlabel="time (s)", ylabel="offset of a window (ms)", title=rate)
    figure.suptitle(
        f"thermal_clock_offset {result.offset:.4f} s, confidence {result.confidence:.2f}"
    )
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _draw_cell(axes: Any, signals: dict[Modality, CameraSignal], result: ClockResult) -> None:
    """The cell that agrees best, both cameras, thermal stamps shifted."""
    best = int(result.search.cells[result.search.total.argmax()].argmax())
    start = _busiest(signals["thermal"].times, signals["thermal"].values[:, best])
    parts: tuple[tuple[Modality, float, str, str], ...] = (
        ("rgb", 0.0, _RGB, "-"),
        ("thermal", result.offset, _THERMAL, "o-"),
    )
    drawn: list[Times] = []
    for camera, shift, colour, style in parts:
        signal = signals[camera]
        times = signal.times + shift
        inside = (times >= start + result.offset) & (times < start + result.offset + _SECONDS)
        value = signal.values[inside, best].astype(np.float64)
        value = (value - value.mean()) / (value.std() + 1e-9)
        drawn.append(np.interp(np.linspace(0, 1, 50), np.linspace(0, 1, len(value)), value))
        if camera == "thermal" and float(drawn[0] @ drawn[1]) < 0:
            value = -value  # the other side is the warmer
        axes.plot(times[inside], value, style, color=colour, ms=3, label=camera)
    axes.legend(loc="upper right")
    axes.set(xlabel="time (s)", title="best cell, shifted")


def _busiest(times: Times, values: np.ndarray) -> float:
    """Start of the stretch in which a cell changes most."""
    starts = np.arange(times[0], max(times[-1] - _SECONDS, times[0] + 1e-3), _SECONDS / 2)
    spread = [
        float(values[(times >= start) & (times < start + _SECONDS)].std()) for start in starts
    ]
    return float(starts[int(np.argmax(spread))])
