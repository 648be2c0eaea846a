"""Tables of a run: where its frames went, what it took, with what it was done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mdacl_tools.report.formatting import NOTHING, number
from mdacl_tools.report.table_cells import Cell, Table, count
from mdacl_tools.scoring.report import Report


def frames_table(report: Report) -> Table:
    """Where the frames went."""
    counts = report.counts
    rows = [
        _plain(name, counts.get(key))
        for key, name in (
            ("frames_rgb", "RGB images read"),
            ("frames_thermal", "thermal images read"),
            ("processed", "answers"),
            ("pairs", "results of both cameras"),
            ("single_rgb", "results of RGB alone"),
            ("single_thermal", "results of thermal alone"),
            ("dropped_busy", "pairs dropped while the detector was busy"),
            ("failed", "pairs that could not be used"),
            ("clock_resets", "times that the clock went back"),
            ("truth_frames", "frames with ground truth"),
            ("scored", "of these, scored"),
            ("labels_unmatched", "labels without a frame"),
        )
        if counts.get(key) is not None
    ]
    for key, words in (("dropped", "images dropped"), ("unreadable", "images unreadable")):
        rows += _by_camera(counts.get(key) or {}, words)
    left_out = counts.get("left_out") or {}
    rows += [_plain(f"objects left out: {name}", n) for name, n in left_out.items()]
    return Table("Where the frames went", "", ("what", "how many"), tuple(rows))


def timing_table(report: Report) -> Table:
    """What the clock said."""
    rows = [
        (Cell(key.removesuffix("_ms").replace("_", " ")), *(_ms(value.get(p)) for p in _QUANTILES))
        for key, value in report.timing.items()
        if isinstance(value, dict) and "p50" in value
    ]
    head = ("milliseconds", "median", "95 % below", "99 % below")
    return Table(
        "Time for a frame", "Differs from run to run and machine to machine.", head, tuple(rows)
    )


def settings_table(report: Report) -> Table:
    """With what the recording was evaluated."""
    rows = [
        (Cell(key.replace("_", " ")), Cell(_setting(value)))
        for key, value in report.settings.items()
        if value is not None
    ]
    return Table(
        "Settings",
        "Reports with equal settings may be compared.",
        ("setting", "value"),
        tuple(rows),
    )


_QUANTILES = ("p50", "p95", "p99")


def _ms(value: float | None) -> Cell:
    return Cell(NOTHING if value is None else f"{value:.1f}", value)


def _plain(name: str, value: float | None) -> tuple[Cell, ...]:
    return Cell(name), count(value)


def _by_camera(values: dict[str, Any], words: str) -> Iterable[tuple[Cell, ...]]:
    """Rows of ``{camera: n}`` or ``{camera: {cause: n}}``, zeros left out."""
    for camera, value in values.items():
        causes = value if isinstance(value, dict) else {"": value}
        for cause, n in causes.items():
            if n:
                why = f", {cause.replace('_', ' ')}" if cause else ""
                yield _plain(f"{words}: {camera}{why}", n)


def _setting(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items() if v is not None)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return str(value)
