"""The picture of a calibration: where the board has been, and how well it was explained."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from mdacl_ros.types import MODALITIES, Modality
from mdacl_tools.calibrate.board.evidence import CELLS, Size, covered
from mdacl_tools.calibrate.board.report import mean_error, view_errors
from mdacl_tools.calibrate.board.solve import Solution
from mdacl_tools.util.plots import CAMERA_COLOURS, INK, bare

_EMPTY = "#f3d9cf"
_ARROW = 0.03  # of the image's width: length of an arrow that stands for the root mean square


def draw_coverage(solution: Solution, sizes: dict[Modality, Size]) -> bytes:
    """Draw both cameras' points, their errors, the cells without any, and the views' errors.

    Args:
        solution: What was found.
        sizes: ``(width, height)`` of the cameras' images.

    Returns:
        A PNG.
    """
    figure = Figure(figsize=(12, 6.6), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(2.1, 1))
    for i, camera in enumerate(MODALITIES):
        _draw_image(figure.add_subplot(grid[0, i]), solution, camera, sizes[camera])
    _draw_views(figure.add_subplot(grid[1, :]), solution)
    encoded = io.BytesIO()
    figure.savefig(encoded, dpi=90, format="png")
    return encoded.getvalue()


def _draw_image(axis: Axes, solution: Solution, camera: Modality, size: Size) -> None:
    """Points of all views in one image; arrows show the error, drawn large."""
    cells = covered(solution, camera, size)
    axis.imshow(
        np.where(cells, np.nan, 1.0),
        extent=(-0.5, size[0] - 0.5, size[1] - 0.5, -0.5),
        cmap=ListedColormap([_EMPTY]),
        vmin=0,
        vmax=1,
        aspect="equal",
    )
    pairs = zip(solution.observations, solution.adjusted.residuals, strict=True)
    seen = [(o.pixels, r) for o, r in pairs if o.camera == camera]
    pixels, errors = (np.concatenate(part) for part in zip(*seen, strict=True))
    size_px = mean_error(solution, camera)
    factor = _ARROW * size[0] / max(size_px, 1e-9)
    axis.quiver(
        *pixels.T,
        *(factor * errors).T,
        angles="xy",
        scale_units="xy",
        scale=1,
        color=CAMERA_COLOURS[camera],
        width=0.0022,
        headwidth=4,
        alpha=0.9,
    )
    axis.plot(*pixels.T, ".", color=INK, ms=1.6)
    _draw_cells(axis, size)
    title = f"{camera}  {size[0]}x{size[1]}: {cells.mean():.0%} covered, {size_px:.3f} px"
    axis.set_title(title, loc="left", weight="bold")
    axis.set_xlabel(f"errors drawn {factor:.0f} times as long; no board yet in tinted cells")


def _draw_cells(axis: Axes, size: Size) -> None:
    """Turn the grid into the cells that coverage is counted in."""
    axis.set_xticks(np.linspace(-0.5, size[0] - 0.5, CELLS[0] + 1), labels=[])
    axis.set_yticks(np.linspace(-0.5, size[1] - 0.5, CELLS[1] + 1), labels=[])
    axis.tick_params(length=0)
    axis.grid(color="#dfe4ec", lw=0.8)
    axis.set_xlim(-0.5, size[0] - 0.5)
    axis.set_ylim(size[1] - 0.5, -0.5)


def _draw_views(axis: Axes, solution: Solution) -> None:
    """Reprojection error of every view, both cameras side by side."""
    places = {view.name: i for i, view in enumerate(solution.views)}
    for shift, camera in zip((-0.2, 0.2), MODALITIES, strict=True):
        errors = view_errors(solution, camera)
        at = [places[name] + shift for name in errors]
        axis.bar(at, list(errors.values()), 0.4, color=CAMERA_COLOURS[camera], label=camera)
    axis.set_xticks(range(len(places)), labels=list(places), rotation=90, fontsize=7)
    axis.set_xlim(-0.8, len(places) - 0.2)
    axis.set_ylabel("error in px")
    left_out = f", {len(solution.rejected)} left out" if solution.rejected else ""
    axis.set_title(f"{len(places)} views{left_out}", loc="left", weight="bold")
    axis.legend(frameon=False, ncols=2, loc="upper right")
    bare(axis)
