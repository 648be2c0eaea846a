"""``mdacl analyse features``: what the gates do by day, at night and in smoke."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.errors import ParameterError
from mdacl_ros.types import MODALITIES
from mdacl_tools.recordings.datasets.data_folder import data_folder
from mdacl_tools.scoring.analysis_inputs import (
    add_out_argument,
    out_folder,
    write_json,
)
from mdacl_tools.util.numbers import rounded, text_table
from mdacl_tools.util.pipeline_options import add_pipeline_options, pipeline_config
from mdacl_tools.util.progress import progress_bar
from research.analysis.features import FeatureView, FeatureViewer, GateTrace
from research.analysis.features_plot import draw_features, draw_gates
from research.analysis.scenes import (
    ConditionedPair,
    choose_pairs,
    recorded_pairs,
    simulated_pairs,
)

DEFAULT_SETS = ("msrs", "m3svd")
SIMULATED_PLACES = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the analysis' arguments."""
    add_pipeline_options(parser, "--model", "--size")
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        default=None,
        help=f"data-set folders (default: {' and '.join(DEFAULT_SETS)} of ../shared/data)",
    )
    parser.add_argument("--split", default="test", help="split of the data sets")
    parser.add_argument("--simulated", action="store_true", help="simulated scenes instead")
    parser.add_argument("--pairs", nargs="+", default=None, help="names of the pairs to draw")
    parser.add_argument("--level", type=int, default=3, help="pyramid level of the maps, 3 to 5")
    parser.add_argument("--seed", type=int, default=0, help="first simulated place")
    add_out_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Trace all pairs, print the table, write JSON and pictures."""
    config = pipeline_config(args)
    folder = out_folder(args)
    viewer = FeatureViewer(config.model_folder(), config.input_size)
    if not 3 <= args.level <= 2 + viewer.levels:
        wanted = "3, 4 or 5 (stride 8, 16, 32)" if viewer.levels > 1 else "3: it fuses at stride 8"
        raise ParameterError(f"--level: got {args.level}, wanted {wanted}")
    pairs = _pairs(args)
    drawn = choose_pairs(pairs, args.pairs)
    traces: dict[str, list[GateTrace]] = {}
    views: dict[int, FeatureView] = {}  # by place in `drawn`
    with progress_bar("features", len(pairs)) as advance:
        for pair in pairs:
            view = viewer.view(pair.open())
            traces.setdefault(f"{pair.condition or 'all'} ({pair.source})", []).append(view.trace)
            views |= {i: view for i, chosen in enumerate(drawn) if chosen is pair}
            advance(1)
    print(_text(traces))
    write_json(folder / "features.json", _values(args, traces, drawn))
    rows = [(f"{pair.condition}\n{pair.source}", views[i]) for i, pair in enumerate(drawn)]
    draw_features(rows, viewer.labels, args.level - 3, folder / "features.png")
    draw_gates(traces, folder / "gates.png")
    print(f"wrote features.json, features.png and gates.png in {folder}")
    return 0


def _pairs(args: argparse.Namespace) -> list[ConditionedPair]:
    if args.simulated:
        return list(simulated_pairs(SIMULATED_PLACES, args.seed))
    paths = args.data or [data_folder() / name for name in DEFAULT_SETS]
    return [pair for path in paths for pair in recorded_pairs(path, args.split)]


def mean_instance(traces: list[GateTrace]) -> np.ndarray:
    """Mean instance gates over pairs, ``(L, M)``."""
    return np.mean([np.stack(trace.instance) for trace in traces], axis=0)


def mean_dimension(traces: list[GateTrace]) -> np.ndarray:
    """Mean dimension gates over pairs and channels, ``(L, M)``."""
    per_pair = [[[gate.mean() for gate in level] for level in t.dimension] for t in traces]
    return np.mean(per_pair, axis=0)


def _text(traces: Mapping[str, list[GateTrace]]) -> str:
    """Mean instance gates by condition, modality and level, then those of the dimensions."""
    levels = len(next(iter(traces.values()))[0].instance)
    columns = [f"{camera} P{level + 3}" for level in range(levels) for camera in MODALITIES]
    blocks = []
    for title, mean in (("instance gate", mean_instance), ("dimension gate", mean_dimension)):
        cells = [[f"mean {title}", "pairs", *columns]]
        for condition, group in traces.items():
            values = mean(group).reshape(-1)
            cells.append([condition, str(len(group)), *(f"{value:.2f}" for value in values)])
        blocks.append(text_table(cells))
    return "\n\n".join(blocks)


def _values(
    args: argparse.Namespace, traces: Mapping[str, list[GateTrace]], drawn: list[ConditionedPair]
) -> dict[str, Any]:
    """The table for other programs: gates as ``{condition: {camera: [P3, P4, P5]}}``."""

    def by_camera(gates: np.ndarray) -> dict[str, list[float | None]]:
        return {c: [rounded(float(v)) for v in gates[:, m]] for m, c in enumerate(MODALITIES)}

    return {
        "model": pipeline_config(args).model_folder().name,
        "input_size": list(pipeline_config(args).input_size),
        "drawn": [pair.name for pair in drawn],
        "pairs": {condition: len(group) for condition, group in traces.items()},
        "instance": {c: by_camera(mean_instance(group)) for c, group in traces.items()},
        "dimension": {c: by_camera(mean_dimension(group)) for c, group in traces.items()},
    }
