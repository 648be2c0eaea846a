"""The picture of training dynamics: one or more runs over each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mdacl_ros.types import MODALITIES, Modality
from mdacl_tools.learning.curves import smooth
from mdacl_tools.util.plots import CAMERA_COLOURS, INK, bare
from research.analysis.dynamics import Dynamics

LINES = ("-", "--", ":", "-.")
RUN_COLOURS = (INK, "#b48ead", "#6a9a5b", "#c08a2b")
"""One for each run; they start over."""

LEVEL_COLOURS = {"mdi_p3": "#a3be8c", "mdi_p4": "#88a0c8", "mdi_p5": "#b48ead"}
WINDOW_SHARE = 0.03


def draw_dynamics(runs: Sequence[Dynamics], path: Path) -> None:
    """Draw MDI, gradient share, entropy and linear probes over the steps.

    Args:
        runs: At least one; cameras are told by colour, runs by the kind of line and by colour.
        path: PNG to write.
    """
    figure = Figure(figsize=(11, 7.2), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True)
    for number, run in enumerate(runs):
        line = LINES[number % len(LINES)]
        colour = RUN_COLOURS[number % len(RUN_COLOURS)]
        if len(runs) == 1:
            _draw_levels(axes[0, 0], run)
        name = _plain(run.name) if len(runs) > 1 else "MDI"
        _draw_log(axes[0, 0], run, "mdi", colour, line, name, width=2)
        _draw_log(axes[0, 1], run, "share_rgb", colour, line, name if len(runs) > 1 else None)
        for camera in MODALITIES:
            colour = CAMERA_COLOURS[camera]
            label = f"{camera}, {_plain(run.name)}" if len(runs) > 1 else str(camera)
            _draw_log(axes[1, 0], run, f"entropy_{camera}", colour, line, label)
            _draw_probes(axes[1, 1], run, camera, line, label)
    _finish(axes)
    figure.savefig(path, dpi=110)


def _plain(name: str) -> str:
    """A run folder's name without the digest that the ablation puts behind it."""
    return re.sub(r"_[0-9a-f]{12}$", "", name)


def _draw_levels(axis: Axes, run: Dynamics) -> None:
    for field, colour in LEVEL_COLOURS.items():
        _draw_log(axis, run, field, colour, "-", field[-2:].upper(), width=1)


def _draw_probes(axis: Axes, run: Dynamics, camera: Modality, line: str, label: str | None) -> None:
    """Dots joined by a line; nothing where the stream was not probed."""
    if scores := run.probes.get(camera):
        values = [100 * score.balanced_accuracy for score in scores.values()]
        colour = CAMERA_COLOURS[camera]
        axis.plot(list(scores), values, f"o{line}", color=colour, ms=4, label=label)


def _draw_log(
    axis: Axes,
    run: Dynamics,
    field: str,
    colour: str,
    line: str,
    label: str | None,
    width: float = 1.5,
) -> None:
    """A smoothed curve; nothing where the run did not log the field."""
    if field not in run.log or not np.isfinite(run.log[field]).any():
        return
    window = max(1, round(WINDOW_SHARE * len(run.log[field])))
    axis.plot(
        run.log["step"], smooth(run.log[field], window), line, color=colour, label=label, lw=width
    )


def _finish(axes: np.ndarray) -> None:
    titles = (
        "Modality Dominance Index",
        "Share of the gradient that goes through RGB",
        "Entropy H of the calibrated features",
        "Linear probe of each stream alone",
    )
    for axis, title in zip(axes.flat, titles, strict=True):
        axis.set_title(title, loc="left", weight="bold", fontsize=10)
        bare(axis)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(frameon=False, fontsize=8)
        if not axis.lines:
            axis.text(0.5, 0.5, "not in this run", transform=axis.transAxes, ha="center")
    axes[0, 0].axhline(0, color=INK, lw=0.8)
    axes[0, 0].set_ylabel("thermal   ←   0   →   RGB")
    axes[1, 1].set_ylabel("balanced accuracy in %")
    axes[0, 1].axhline(0.5, color=INK, lw=0.8)
    for axis in axes[1]:
        axis.set_xlabel("step")
