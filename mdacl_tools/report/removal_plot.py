"""The picture of the missing ladder."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mdacl_ros.types import MODALITIES, other_camera
from mdacl_tools.scoring.camera_removal import RemovalTable
from mdacl_tools.util.plots import CAMERA_COLOURS, INK, bare


def draw_removal(table: RemovalTable, path: Path) -> None:
    """Draw mAP50 and MDI over the share of missing frames, a curve for each camera.

    In the colour of the camera that stays, as the line of its dedicated detector.

    Args:
        table: What was measured.
        path: PNG to write.
    """
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    scores, index = figure.subplots(1, 2)
    for camera in MODALITIES:
        rows = [row for row in table.rows if row.camera == camera]
        missing = [100 * row.missing for row in rows]
        colour = CAMERA_COLOURS[other_camera(camera)]
        look = {"color": colour, "marker": "o", "label": f"{camera} missing"}
        scores.plot(missing, [100 * row.map50 for row in rows], lw=2, **look)
        index.plot(missing, [row.mdi for row in rows], lw=2, **look)
    _draw_baselines(scores, table)
    scores.set_ylim(0, None)
    scores.set_ylabel("mAP50 in %")
    scores.set_title("What is still found", loc="left", weight="bold")
    scores.legend(frameon=False, loc="lower left", fontsize=9)
    index.axhline(0, color=INK, lw=0.8)
    index.set_ylim(-1.05, 1.05)
    index.set_ylabel("mean MDI:   thermal   ←   0   →   RGB")
    index.set_title("Which camera the detections rest on", loc="left", weight="bold")
    for axis in (scores, index):
        axis.set_xticks([0, 25, 50, 75, 100])
        axis.set_xlabel("frames without the camera in %")
        bare(axis)
    figure.savefig(path, dpi=110)


def _draw_baselines(axis: Axes, table: RemovalTable) -> None:
    """A dashed line in a camera's colour: what its dedicated detector scores."""
    for camera, row in table.baselines.items():
        axis.axhline(
            100 * row.map50,
            color=CAMERA_COLOURS[camera],
            ls="--",
            lw=1.2,
            label=f"{camera}-only net",
        )
