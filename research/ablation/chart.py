"""The picture of the ablation: a bar a variant, error bars over seeds, a dot a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mdacl_tools.util.plots import CAMERA_COLOURS, INK
from research.ablation.rows import VariantRow
from research.ablation.statistic import Statistic

FUSED = "#6b7280"
_KEPT = (
    ("retention_rgb_absent", "RGB absent, % of thermal alone", CAMERA_COLOURS["thermal"]),
    ("retention_thermal_absent", "thermal absent, % of RGB alone", CAMERA_COLOURS["rgb"]),
    ("corruption_retention", "corrupted, % of clean", FUSED),
)


def draw_ablation(rows: Sequence[VariantRow], path: Path) -> None:
    """Draw mAP50, what is kept of it, and the Modality Dominance Index.

    Args:
        rows: The table, one variant at least.
        path: PNG to write; its folder is created.
    """
    figure = Figure(figsize=(12, 1.9 + 0.42 * len(rows)), layout="constrained")
    grid = {"width_ratios": (1, 1.2, 0.8)}
    scores, kept, index = figure.subplots(1, 3, sharey=True, gridspec_kw=grid)
    _draw_scores(scores, rows)
    _draw_kept(kept, rows)
    _draw_index(index, rows)
    scores.set_yticks(range(len(rows)))
    scores.set_yticklabels([f"{row.variant} (n = {len(row.seeds)})" for row in rows])
    scores.invert_yaxis()
    for axis in (scores, kept, index):
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="x", color="#dfe4ec", lw=0.8)
        axis.set_axisbelow(True)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _draw_scores(axis: Axes, rows: Sequence[VariantRow]) -> None:
    for y, row in enumerate(rows):
        _bar(axis, y, row.statistics["map50"], 100, _colour(row.cameras))
    axis.set_title("mAP50 in %", loc="left", weight="bold")


def _colour(cameras: Sequence[str]) -> str:
    lone = [colour for camera, colour in CAMERA_COLOURS.items() if tuple(cameras) == (camera,)]
    return lone[0] if lone else FUSED


def _draw_kept(axis: Axes, rows: Sequence[VariantRow]) -> None:
    for i, (name, label, colour) in enumerate(_KEPT):
        axis.plot([], [], "s", color=colour, label=label)
        for y, row in enumerate(rows):
            _bar(axis, y + 0.26 * (i - 1), row.statistics[name], 100, colour, 0.22)
    axis.axvline(100, color=INK, lw=0.8)
    axis.set_title("mAP50 kept, in %", loc="left", weight="bold")
    axis.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.07))


def _draw_index(axis: Axes, rows: Sequence[VariantRow]) -> None:
    for y, row in enumerate(rows):
        if len(row.cameras) > 1:
            _bar(axis, y, row.statistics["mdi"], 1, FUSED)
    axis.axvline(0, color=INK, lw=0.8)
    axis.set_title("mean MDI", loc="left", weight="bold")
    axis.set_xlabel("< 0: leans on thermal, > 0: on RGB", fontsize=8, loc="left")
    axis.locator_params(axis="x", nbins=4)


def _bar(
    axis: Axes, y: float, statistic: Statistic, scale: float, colour: str, height: float = 0.62
) -> None:
    """A bar of the mean, its spread, and a dot for each run; nothing where nothing is known."""
    if statistic.mean is None:
        return
    spread = None if statistic.spread is None else scale * statistic.spread
    look = {"ecolor": INK, "elinewidth": 1.2, "capsize": 3}
    axis.barh(
        y, scale * statistic.mean, height, xerr=spread, color=colour, alpha=0.75, error_kw=look
    )
    values = [scale * value for value in statistic.known]
    axis.plot(values, [y] * len(values), ".", color=INK, ms=4)
