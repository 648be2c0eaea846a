"""The pictures of the feature analysis: a grid of maps, and the gates' values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mdacl_ros.drawing.overlay import draw_detections
from mdacl_ros.types import MODALITIES, FloatArray
from mdacl_tools.util.plots import CAMERA_COLOURS, INK, bare
from research.analysis.features import FeatureView, GateTrace

THUMBNAIL = 300  # pixels wide: boxes and their text are drawn for this size
BINS = np.linspace(0, 2, 41).tolist()


def draw_features(
    rows: Sequence[tuple[str, FeatureView]], labels: Sequence[str], level: int, path: Path
) -> None:
    """Draw images with detections, and feature energy before and after the gate.

    The maps show the root of the mean channel energy. A camera's maps before and after share one
    scale, so that what the gate damps is darker after it.

    Args:
        rows: Title and view of each pair.
        labels: Class names.
        level: 0, 1 or 2 for P3, P4 or P5.
        path: PNG to write.
    """
    name = f"P{level + 3}"
    titles = ["RGB", "thermal"]
    titles += [f"{c}, {when} gate" for c in MODALITIES for when in ("before", "after")]
    titles.append("fused")
    figure = Figure(figsize=(2.55 * len(titles), 2.1 * len(rows) + 0.5), layout="constrained")
    grid = figure.subplots(len(rows), len(titles), squeeze=False)
    for axes, (title, view) in zip(grid, rows, strict=True):
        _show_images(axes[:2], view, labels)
        for camera in range(len(MODALITIES)):
            _show_gated(axes[2 + 2 * camera :], view, level, camera)
        fused = _covered(view, np.sqrt(view.trace.fused[level]))
        axes[-1].imshow(fused, cmap="magma", vmin=0, vmax=_top(fused))
        mdi = view.result.dominance.mdi
        axes[0].set_ylabel(f"{title}\nMDI {mdi:+.2f}", fontsize=10)
    for axis, column in zip(grid[0], titles, strict=True):
        axis.set_title(column if "gate" not in column else f"{column}, {name}", fontsize=10)
    for axis in grid.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.savefig(path, dpi=80)


def _show_images(axes: Sequence[Axes], view: FeatureView, labels: Sequence[str]) -> None:
    rgb = np.asarray(view.pair.rgb.image, np.uint8) if view.pair.rgb is not None else None
    images = (rgb, view.result.thermal_registered)
    for axis, image in zip(axes, images, strict=True):
        if image is not None:
            height = round(THUMBNAIL * image.shape[0] / image.shape[1])
            small = np.asarray(cv2.resize(image, (THUMBNAIL, height)), np.uint8)
            axis.imshow(draw_detections(small, view.result.detections, labels))


def _show_gated(axes: Sequence[Axes], view: FeatureView, level: int, camera: int) -> None:
    """Maps before and after the gate, on one scale."""
    maps = [view.trace.before[level][camera], view.trace.after[level][camera]]
    roots = [_covered(view, np.sqrt(energy)) for energy in maps]
    gate = float(view.trace.instance[level][camera])
    for axis, root in zip(axes, roots, strict=False):
        axis.imshow(root, cmap="magma", vmin=0, vmax=_top(roots[0]))
    axes[1].set_xlabel(f"instance gate {gate:.2f}", fontsize=9)


def _covered(view: FeatureView, energy: FloatArray) -> FloatArray:
    """The part of a map that the image covers, without the padding of the network input."""
    width, height = view.result.detections.image_size
    rows, columns = energy.shape
    scale = min(columns / width, rows / height)
    return energy[: max(1, round(height * scale)), : max(1, round(width * scale))]


def _top(energy: FloatArray) -> float:
    """White end of the scale: the brightest cells may be cut off."""
    return max(float(np.percentile(energy, 99.5)), 1e-6)


def draw_gates(traces: Mapping[str, list[GateTrace]], path: Path) -> None:
    """Draw instance gates by condition, and how the dimension gates are spread.

    Args:
        traces: By condition.
        path: PNG to write.
    """
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    levels = len(next(iter(traces.values()))[0].instance)
    grid = figure.subplots(2, levels, sharey="row", squeeze=False)
    for level in range(levels):
        _draw_instances(grid[0, level], traces, level)
        _draw_dimensions(grid[1, level], traces, level)
        grid[0, level].set_title(f"P{level + 3}", loc="left", weight="bold")
    grid[0, 0].set_ylabel("instance gate, all pairs")
    grid[0, 0].legend(frameon=False, fontsize=9)
    grid[1, 0].set_ylabel("share of channels in %")
    figure.savefig(path, dpi=110)


def _draw_instances(axis: Axes, traces: Mapping[str, list[GateTrace]], level: int) -> None:
    """A dot a pair, cameras beside each other, and their mean as a line."""
    rng = np.random.default_rng(0)
    for column, group in enumerate(traces.values()):
        for m, camera in enumerate(MODALITIES):
            gates = np.array([trace.instance[level][m] for trace in group])
            x = column + 0.36 * (m - 0.5)
            places = x + rng.uniform(-0.1, 0.1, len(gates))
            label = camera if column == 0 else None
            axis.plot(
                places, gates, ".", ms=4, alpha=0.5, color=CAMERA_COLOURS[camera], label=label
            )
            axis.plot([x - 0.14, x + 0.14], [gates.mean()] * 2, color=INK, lw=2)
    axis.axhline(1, color=INK, lw=0.8)
    names = [condition.replace(" (", "\n(") for condition in traces]
    axis.set_xticks(range(len(traces)), names, fontsize=8)
    axis.set_ylim(0, 2)
    bare(axis)


def _draw_dimensions(axis: Axes, traces: Mapping[str, list[GateTrace]], level: int) -> None:
    for m, camera in enumerate(MODALITIES):
        gates = np.concatenate([t.dimension[level][m] for group in traces.values() for t in group])
        weights = np.full(len(gates), 100 / len(gates))
        axis.hist(gates, BINS, weights=weights, alpha=0.6, color=CAMERA_COLOURS[camera])
    axis.axvline(1, color=INK, lw=0.8)
    axis.set_xlabel("dimension gate")
    bare(axis)
