"""The MDI timeline picture: dominance and detections over a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mdacl_ros.drawing.overlay import CLASS_COLOURS
from mdacl_ros.drawing.primitives import RGB_COLOUR, THERMAL_COLOUR, Colour
from mdacl_tools.live.run_log import Answer, RunLog
from mdacl_tools.recordings.recording import Recording

PHASE_COLOURS = ("#eceff4", "#dfe4ec")
SINGLE_COLOURS = {"rgb": "#9ad0f2", "thermal": "#ffb595"}


def draw_timeline(run: RunLog, recording: Recording, path: Path) -> None:
    """Draw MDI over recording time, phases shaded, with the detections below.

    Args:
        run: What happened.
        recording: What was played (phases and name).
        path: PNG to write.
    """
    recorded = run.recorded_stamps()
    answers = [answer for answer in run.answers if answer.stamp_ns in recorded]
    stamps = np.array([recorded[answer.stamp_ns] for answer in answers], np.int64)
    first = min((f.recorded_ns for f in run.sent), default=0)
    seconds = (stamps - first) / 1e9
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
    _draw_phases((top, bottom), recording, first)
    _draw_mdi(top, seconds, answers)
    _draw_singles(top, seconds, answers)
    _draw_counts(bottom, seconds, answers, run)
    top.set_title(f"Modality dominance, {recording.name}", loc="left", weight="bold")
    bottom.set_xlabel("recording time in s")
    if len(seconds):
        bottom.set_xlim(float(seconds[0]), float(max(seconds[-1], seconds[0] + 0.1)))
    figure.savefig(path, dpi=110)


def _draw_phases(axes: tuple[Axes, ...], recording: Recording, first_ns: int) -> None:
    for i, phase in enumerate(recording.phases):
        start, end = (phase.start_ns - first_ns) / 1e9, (phase.end_ns - first_ns) / 1e9
        for axis in axes:
            axis.axvspan(start, end, color=PHASE_COLOURS[i % 2], lw=0, zorder=0)
        name = phase.name.replace("_", " ")
        axes[0].text((start + end) / 2, 1.03, name, ha="center", va="bottom", fontsize=9)


def _draw_mdi(axis: Axes, seconds: np.ndarray, answers: list[Answer]) -> None:
    values = np.array([answer.number("mdi") for answer in answers], float)  # None becomes NaN
    blue, red = _hex(RGB_COLOUR), _hex(THERMAL_COLOUR)
    look: dict[str, Any] = {"alpha": 0.5, "lw": 0}
    axis.fill_between(seconds, values, 0, where=values >= 0, color=blue, interpolate=True, **look)
    axis.fill_between(seconds, values, 0, where=values <= 0, color=red, interpolate=True, **look)
    axis.plot(seconds, values, color="#2b303b", lw=1.0, label="MDI, every frame")
    relied = [
        (t, a.number("reliance"))
        for t, a in zip(seconds, answers, strict=True)
        if "evidence" in a.values
    ]
    if relied:
        dots: dict[str, Any] = {"ms": 4, "mfc": "white", "mec": "#2b303b"}
        axis.plot(*zip(*relied, strict=True), "o", label="reliance", **dots)
    axis.axhline(0, color="#2b303b", lw=0.8)
    axis.set_ylim(-1.02, 1.15)
    axis.set_yticks([-1, -0.5, 0, 0.5, 1])
    axis.set_ylabel("thermal   ←      →   RGB")
    axis.legend(loc="lower left", frameon=False, fontsize=9, ncol=2)
    axis.spines[["top", "right"]].set_visible(False)


def _draw_singles(axis: Axes, seconds: np.ndarray, answers: list[Answer]) -> None:
    """A strip at the lower edge where only one camera took part."""
    for camera, colour in SINGLE_COLOURS.items():
        alone = np.array([answer.present == (camera,) for answer in answers], bool)
        if alone.any():
            axis.fill_between(
                seconds, -1.02, -0.96, where=alone, color=colour, lw=0, step="mid",
                label=f"{camera} alone",
            )  # fmt: skip
            axis.legend(loc="lower left", frameon=False, fontsize=9, ncol=4)


def _draw_counts(axis: Axes, seconds: np.ndarray, answers: list[Answer], run: RunLog) -> None:
    shown = [answer.labels[answer.scores >= run.threshold] for answer in answers]
    below = np.zeros(len(answers))
    for label, name in enumerate(run.labels):
        counts = np.array([(labels == label).sum() for labels in shown], float)
        if counts.any():
            colour = _hex(CLASS_COLOURS[label % len(CLASS_COLOURS)])
            axis.fill_between(
                seconds, below, below + counts, color=colour, step="mid", lw=0, label=name
            )
            below = below + counts
    axis.set_ylabel("detections")
    axis.set_ylim(0, max(1.0, float(below.max(initial=0)) * 1.15))
    axis.spines[["top", "right"]].set_visible(False)
    if below.any():
        axis.legend(loc="upper left", frameon=False, fontsize=9, ncol=4)


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in colour)
