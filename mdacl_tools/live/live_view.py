"""What the demo shows while it runs: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

LINE_PERIOD_S = 3.0
"""Seconds between two plain lines."""

RGB_STYLE, THERMAL_STYLE, DEAD_STYLE = "bold #56b4e9", "bold #ff6e30", "dim"
BAR_CELLS = 20
"""Characters from the middle of the bar to one end."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """One moment of a run.

    Attributes:
        title: What is played.
        stage: What is going on in words, while nothing is played.
        done: Share of the recording that was answered, in [0, 1].
        phase: Name of the recording's phase, if known.
        rates: Hz by name (rgb, thermal, answers).
        latency_ms: p50 and p95 of the last seconds, ``None`` before the first answer.
        found: Shown detections of the newest answer by class.
        reliance: Which camera the detections rest on, ``None`` while nothing is seen.
        present: Cameras that took part in the newest answer.
        dropped: Frames dropped by cause.
        cpu_percent: CPU of the detector, 100 is one core.
        rss_mb: Memory of the detector.
        warnings: What the detector's diagnostics complain about.
    """

    title: str
    stage: str = ""
    done: float = 0.0
    phase: str = ""
    rates: dict[str, float] = field(default_factory=dict)
    latency_ms: tuple[float, float] | None = None
    found: Counter[str] = field(default_factory=Counter)
    reliance: float | None = None
    present: tuple[str, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    cpu_percent: float | None = None
    rss_mb: float | None = None
    warnings: tuple[str, ...] = ()


class LiveView(Protocol):
    """Somewhere to show a state."""

    def show(self, state: LiveState) -> None:
        """Show it now, or soon."""
        ...


@contextlib.contextmanager
def open_view() -> Iterator[LiveView]:
    """A live view if stdout is a terminal, otherwise plain lines."""
    if not sys.stdout.isatty():
        yield PlainView()
        return
    console = Console()
    with Live(console=console, refresh_per_second=8, transient=False) as live:
        yield _RichView(live)


class PlainView:
    """One line every few seconds, and whenever the stage changes."""

    def __init__(self) -> None:
        self._stage = ""
        self._next = 0.0

    def show(self, state: LiveState) -> None:
        """Print a line if it is time for one."""
        if state.stage:
            if state.stage != self._stage:
                print(state.stage, flush=True)
            self._stage = state.stage
            return
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_PERIOD_S
            print(plain_line(state), flush=True)


def plain_line(state: LiveState) -> str:
    """The state in one line."""
    parts = [f"{state.done:4.0%}", state.phase] if state.phase else [f"{state.done:4.0%}"]
    parts.append(f"{state.rates.get('answers', 0):.1f} Hz")
    if state.latency_ms:
        parts.append(f"latency p50 {state.latency_ms[0]:.0f} p95 {state.latency_ms[1]:.0f} ms")
    if state.reliance is not None:
        parts.append(f"reliance {state.reliance:+.2f}")
    parts.append("cameras " + ("+".join(state.present) or "none"))
    parts.append(", ".join(f"{n} {name}" for name, n in state.found.items()) or "nothing found")
    if state.dropped:
        parts.append("dropped " + ", ".join(f"{n} {cause}" for cause, n in state.dropped.items()))
    return " | ".join(parts)


class _RichView:
    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, state: LiveState) -> None:
        self._live.update(render(state))


def render(state: LiveState) -> Panel:
    """The state as a rich panel."""
    if state.stage:
        return Panel(Text(state.stage), title=state.title, width=78, border_style="#56b4e9")
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", width=10)
    table.add_column()
    table.add_row("playing", _progress(state))
    table.add_row("cameras", _cameras(state))
    table.add_row("reliance", _bar(state.reliance))
    table.add_row("found", ", ".join(f"{n} {c}" for c, n in state.found.items()) or "nothing")
    latency = "--"
    if state.latency_ms:
        latency = f"p50 {state.latency_ms[0]:.0f} ms   p95 {state.latency_ms[1]:.0f} ms"
    table.add_row("answers", f"{state.rates.get('answers', 0):4.1f} Hz   latency {latency}")
    drops = "   ".join(f"{cause} {n}" for cause, n in state.dropped.items()) or "none"
    table.add_row("dropped", drops)
    if state.cpu_percent is not None and state.rss_mb is not None:
        load = f"{state.cpu_percent:.0f} % of a core   {state.rss_mb:.0f} MB"
        table.add_row("detector", load)
    lines = [Text(f"! {w}", style="yellow", overflow="ellipsis") for w in state.warnings]
    return Panel(Group(table, *lines), title=state.title, width=78, border_style="#56b4e9")


def _progress(state: LiveState) -> Table:
    row = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=1.0, completed=min(1.0, state.done), width=32)
    row.add_row(bar, f"{state.done:4.0%}", Text(state.phase, style="bold"))
    return row


def _cameras(state: LiveState) -> Text:
    text = Text()
    for name, style in (("rgb", RGB_STYLE), ("thermal", THERMAL_STYLE)):
        there = name in state.present
        text.append("● " if there else "○ ", style=style if there else DEAD_STYLE)
        text.append(f"{name} ", style=style if there else DEAD_STYLE)
        text.append(f"{state.rates.get(name, 0):4.1f} Hz    ", style="" if there else DEAD_STYLE)
    return text


def _bar(reliance: float | None) -> Text:
    """Reliance as a bar that leaves the middle: left thermal, right RGB."""
    value = 0.0 if reliance is None else min(1.0, max(-1.0, reliance))
    cells = round(abs(value) * BAR_CELLS)
    text = Text("thermal ", style=THERMAL_STYLE)
    text.append("─" * (BAR_CELLS - (cells if value < 0 else 0)), style="dim")
    text.append("█" * (cells if value < 0 else 0), style=THERMAL_STYLE)
    text.append("┃")
    text.append("█" * (cells if value > 0 else 0), style=RGB_STYLE)
    text.append("─" * (BAR_CELLS - (cells if value > 0 else 0)), style="dim")
    text.append(" rgb", style=RGB_STYLE)
    return text.append("    --" if reliance is None else f"  {reliance:+.2f}")
