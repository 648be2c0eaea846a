"""Training curves as a picture: losses, MDI, entropy H and gradient G over the steps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mdacl_ros.types import FloatArray

_PANELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("loss", ("loss", "many", "one", "guidance", "discriminator", "balance")),
    ("MDI (+1 RGB, -1 thermal)", ("mdi", "mdi_p3", "mdi_p4", "mdi_p5")),
    ("entropy H", ("entropy_rgb", "entropy_thermal")),
    ("gradient G", ("gradient_rgb", "gradient_thermal")),
    ("gradient share of RGB", ("share_rgb",)),
    ("learning rate", ("learning_rate",)),
)
_WINDOW = 25  # steps of the moving average


def read_log(folder: Path) -> dict[str, FloatArray]:
    """Read a run's ``log.jsonl`` into arrays by name, NaN where a step lacks a value.

    Args:
        folder: Run folder; without a log, or with an empty one, the answer is empty.
    """
    path = folder / "log.jsonl"
    records = [json.loads(x) for x in path.read_text().splitlines()] if path.exists() else []
    names = {name for record in records for name in record}
    return {n: np.array([r.get(n, np.nan) for r in records], np.float32) for n in sorted(names)}


def smooth(values: FloatArray, window: int = _WINDOW) -> FloatArray:
    """Centred moving average that passes over NaN; the ends average over what there is."""
    kernel = np.ones(min(window, max(1, len(values))))
    known = np.isfinite(values)
    total = np.convolve(np.where(known, values, 0), kernel, "same")
    count = np.convolve(known.astype(float), kernel, "same")
    mean: FloatArray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def draw_curves(folders: Sequence[Path], out: Path) -> None:
    """Draw the logs of one or more runs into one PNG; nothing if no run has two steps.

    Args:
        folders: Run folders.
        out: Picture to write.
    """
    logs = {folder.name: read_log(folder) for folder in folders}
    logs = {name: log for name, log in logs.items() if len(log.get("step", ())) > 1}
    if not logs:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 7), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (title, names) in zip(figure.subplots(2, 3).flat, _PANELS, strict=True):
        for run, log in logs.items():
            for name in names:
                if name in log and np.isfinite(log[name]).any():
                    label = name if len(logs) == 1 else f"{run} {name}"
                    values = log[name] if name == "learning_rate" else smooth(log[name])
                    axes.plot(log["step"], values, label=label, linewidth=1)
        axes.set_title(title)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize=8)
    figure.savefig(str(out), dpi=110)
