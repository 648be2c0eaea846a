"""Charts over time as plain geometry in pixels; the templates draw them as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdacl_tools.report.axes import Scale, Tick, nice_ticks
from mdacl_tools.report.course import Timeline, Values
from mdacl_tools.report.formatting import MINUS, event_words
from mdacl_tools.scoring.report import EventSpan

WIDTH = 1120
LEFT, RIGHT = 112, 12
"""Margins of the plot area in pixels."""

LANE = 18
"""Height of the lane of one kind of event."""

LEAST_BAR = 2.0
"""Width of the shortest event."""

MOST_DOTS = 240
"""Exact readings drawn at most."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the charts that share a time axis.

    Attributes:
        title: What it shows.
        top: Its upper edge.
        height: Height in pixels.
        ticks: Marks of the vertical axis.
        paths: ``(kind, path)``; the kind is a class of the style sheet.
        dots: Centres of single readings.
        key: ``(kind, text)`` for the legend.
    """

    title: str
    top: float
    height: float
    ticks: tuple[Tick, ...]
    paths: tuple[tuple[str, str], ...]
    dots: tuple[tuple[float, float], ...] = ()
    key: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """The spans of one kind of event: ``(x, width, text)``."""

    name: str
    top: float
    bars: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True, slots=True)
class TimeChart:
    """Everything over one time axis.

    Attributes:
        width: In pixels.
        height: In pixels.
        left: Left edge of the plot area.
        right: Right edge of it.
        lanes: Events by kind.
        panels: Charts from the top.
        ticks: Marks of the time axis.
        axis: Where the time axis is.
        readout: What the pointer shows: ``x``, ``t``, ``mdi``, ``gates``, ``detections``,
            ``events`` by column.
    """

    width: int
    height: int
    left: int
    right: int
    lanes: tuple[Lane, ...]
    panels: tuple[Panel, ...]
    ticks: tuple[Tick, ...]
    axis: float
    readout: dict[str, list[Any]]


def time_chart(line: Timeline, events: Sequence[EventSpan]) -> TimeChart:
    """Dominance, gates and detections over time, with the events above."""
    end = float(line.seconds.max(initial=0.0))
    across = Scale(0.0, end or 1.0, LEFT, WIDTH - RIGHT)
    lanes = _lanes(events, line.start_ns, across)
    top = LANE * len(lanes) + 26.0
    panels = (
        _mdi_panel(line, across, top, 190.0),
        _gate_panel(line, across, top + 228.0, 96.0),
        _count_panel(line, across, top + 362.0, 64.0),
    )
    axis = panels[-1].top + panels[-1].height
    ticks = tuple(Tick(across(t), f"{t:g} s") for t in nice_ticks(0.0, end, 10))
    return TimeChart(
        WIDTH, round(axis + 24), LEFT, WIDTH - RIGHT, lanes, panels, ticks, axis,
        _readout(line, across),
    )  # fmt: skip


def _lanes(events: Sequence[EventSpan], start_ns: int, across: Scale) -> tuple[Lane, ...]:
    names = list(dict.fromkeys(event.name for event in events))
    return tuple(
        Lane(
            event_words(name),
            float(LANE * row),
            tuple(_bar(e, start_ns, across) for e in events if e.name == name),
        )
        for row, name in enumerate(names)
    )


def _bar(event: EventSpan, start_ns: int, across: Scale) -> tuple[float, float, str]:
    first, last = ((ns - start_ns) / 1e9 for ns in (event.start_ns, event.end_ns))
    x = across(first)
    text = f"{event_words(event.name)}: {first:.1f} to {last:.1f} s"
    return round(x, 2), round(max(across(last) - x, LEAST_BAR), 2), text


def _mdi_panel(line: Timeline, across: Scale, top: float, height: float) -> Panel:
    up = Scale(-1.0, 1.0, top + height, top)
    paths = [
        ("band", _area(line, across, up, line.mdi_low, line.mdi_high)),
        ("rgb-area", _area(line, across, up, np.zeros(len(line.mdi)), np.maximum(line.mdi, 0))),
        ("thermal-area", _area(line, across, up, np.minimum(line.mdi, 0), np.zeros(len(line.mdi)))),
        ("line", _curve(line, across, up, line.mdi)),
    ]
    step = max(1, math.ceil(len(line.reliance) / MOST_DOTS))
    dots = tuple((round(across(t), 1), round(up(v), 1)) for t, v in line.reliance[::step].tolist())
    marks = {1: "RGB +1", 0.5: "+0.5", 0: "0", -0.5: f"{MINUS}0.5", -1: f"thermal {MINUS}1"}
    key = [("rgb-area", "RGB leads"), ("thermal-area", "thermal leads")]
    key += [("dot", "reliance, where something is seen")] if dots else []
    ticks = tuple(Tick(up(value), text) for value, text in marks.items())
    title = "Reliance (dots): which camera the detections rest on; MDI (line)"
    return Panel(title, top, height, ticks, tuple(paths), dots, tuple(key))


def _gate_panel(line: Timeline, across: Scale, top: float, height: float) -> Panel:
    known = line.gates[~np.isnan(line.gates)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 2.0)
    pad = max(0.05, 0.1 * (high - low))
    up = Scale(max(0.0, low - pad), high + pad, top + height, top)
    ticks = tuple(Tick(up(t), f"{t:g}") for t in nice_ticks(up.low, up.high, 4))
    paths = (
        ("rgb-line", _curve(line, across, up, line.gates[:, 0])),
        ("thermal-line", _curve(line, across, up, line.gates[:, 1])),
    )
    key = (("rgb-line", "RGB"), ("thermal-line", "thermal"))
    title = "Gates: how far each camera's features are let through (1: as they are)"
    return Panel(title, top, height, ticks, paths, (), key)


def _count_panel(line: Timeline, across: Scale, top: float, height: float) -> Panel:
    most = max(1.0, float(line.detections.max(initial=0.0)))
    up = Scale(0.0, most, top + height, top)
    zero = np.zeros(len(line.detections))
    paths = (("count-area", _area(line, across, up, zero, line.detections)),)
    ticks = tuple(Tick(up(t), f"{t:g}") for t in nice_ticks(0, most, 3) if t == round(t))
    return Panel("Detections in a frame", top, height, ticks, paths)


def _curve(line: Timeline, across: Scale, up: Scale, values: Values) -> str:
    """A path through the known values, interrupted where they are not and in pauses."""
    parts: list[str] = []
    for run in line.segments():
        pen = "M"
        for t, value in zip(line.seconds[run].tolist(), values[run].tolist(), strict=True):
            if math.isnan(value):
                pen = "M"
                continue
            parts.append(f"{pen}{across(t):.1f} {up(value):.1f}")
            pen = "L"
    return "".join(parts)


def _area(line: Timeline, across: Scale, up: Scale, low: Values, high: Values) -> str:
    """A closed path between two curves for every run without a pause."""
    parts: list[str] = []
    for run in line.segments():
        there = list(zip(line.seconds[run].tolist(), high[run].tolist(), strict=True))
        back = list(zip(line.seconds[run].tolist(), low[run].tolist(), strict=True))[::-1]
        points = [f"{across(t):.1f} {up(v):.1f}" for t, v in there + back]
        if points:
            parts.append("M" + "L".join(points) + "Z")
    return "".join(parts)


def _readout(line: Timeline, across: Scale) -> dict[str, list[Any]]:
    gates = np.where(np.isnan(line.gates), -1.0, line.gates)
    return {
        "x": [round(across(t), 1) for t in line.seconds.tolist()],
        "t": [round(t, 2) for t in line.seconds.tolist()],
        "mdi": [round(v, 3) for v in line.mdi.tolist()],
        "gates": [[round(v, 3) for v in pair] for pair in gates.tolist()],
        "detections": [round(v, 1) for v in line.detections.tolist()],
        "events": [", ".join(map(event_words, names)) for names in line.events],
    }
