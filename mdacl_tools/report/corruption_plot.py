"""The picture of corruption retention."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mdacl_ros.types import MODALITIES
from mdacl_tools.scoring.corruption_retention import CorruptionRow, CorruptionTable
from mdacl_tools.util.plots import CAMERA_COLOURS, INK, bare

STYLES = ("o-", "s--", "^-", "D:", "v-.")
"""One for each kind of a camera."""


def draw_corruption(table: CorruptionTable, path: Path) -> None:
    """Draw the share of the clean mAP50 that stays, a panel a camera.

    Curves over the strengths; bars where strengths were mixed.

    Args:
        table: What was measured.
        path: PNG to write.
    """
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    for axis, camera in zip(figure.subplots(1, 2, sharey=True), MODALITIES, strict=True):
        rows = [row for row in table.rows if row.camera == camera]
        if not rows:
            axis.set_axis_off()
            continue
        if any(row.strength is None for row in rows):
            _draw_bars(axis, rows)
        else:
            _draw_curves(axis, rows)
        axis.axhline(100, color=INK, lw=0.8)
        axis.set_ylim(0, 112)
        mean = 100 * table.by_camera()[camera]
        axis.set_title(f"{camera} corrupted, mean {mean:.1f} %", loc="left", weight="bold")
        bare(axis)
    figure.axes[0].set_ylabel("share of the clean mAP50 in %")
    figure.savefig(path, dpi=110)


def _draw_curves(axis: Axes, rows: list[CorruptionRow]) -> None:
    for style, kind in zip(STYLES, dict.fromkeys(row.kind for row in rows), strict=False):
        chosen = [row for row in rows if row.kind == kind]
        strengths = [row.strength for row in chosen if row.strength is not None]
        kept = [100 * row.retention for row in chosen]
        axis.plot(strengths, kept, style, ms=5, lw=1.6, label=_title(chosen[0]))
    axis.set_xticks(sorted({row.strength for row in rows if row.strength is not None}))
    axis.set_xlabel("strength")
    axis.legend(frameon=False, loc="lower left", fontsize=9)


def _draw_bars(axis: Axes, rows: list[CorruptionRow]) -> None:
    kept = [100 * row.retention for row in rows]
    axis.bar([_title(row) for row in rows], kept, color=CAMERA_COLOURS[rows[0].camera])
    axis.set_xlabel("strengths 1 to 5 in turn")


def _title(row: CorruptionRow) -> str:
    return row.kind.removeprefix(f"{row.camera}_").replace("_", " ")
