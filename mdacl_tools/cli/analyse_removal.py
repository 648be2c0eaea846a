"""``mdacl analyse removal``: the missing ladder as a table and a picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from mdacl_ros.errors import ParameterError
from mdacl_ros.network.model_yaml import read_model_yaml
from mdacl_ros.types import MODALITIES, Modality, other_camera
from mdacl_tools.report.removal_plot import draw_removal
from mdacl_tools.scoring.analysis_inputs import (
    add_data_arguments,
    add_model_arguments,
    add_out_argument,
    made_from,
    open_pairs,
    open_perception,
    out_folder,
    write_json,
)
from mdacl_tools.scoring.camera_removal import (
    RUNGS,
    RemovalRow,
    RemovalTable,
    removal_ladder,
    row_of,
)
from mdacl_tools.scoring.in_memory import MemoryRecording
from mdacl_tools.scoring.pair_scoring import evaluate
from mdacl_tools.util.numbers import percent, signed, text_table
from mdacl_tools.util.progress import progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the analysis' arguments."""
    add_model_arguments(parser)
    add_data_arguments(parser)
    parser.add_argument(
        "--baselines",
        type=Path,
        nargs=2,
        metavar=("RGB_MODEL", "THERMAL_MODEL"),
        default=None,
        help="model folders of dedicated single-camera detectors, for reference lines",
    )
    add_out_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Score all rungs, print the table, write JSON and picture."""
    folder = out_folder(args)
    for camera, model in zip(MODALITIES, args.baselines or (), strict=False):
        _check_baseline(camera, model)
    recording = open_pairs(args)
    perception = open_perception(args)
    images = recording.frames["rgb"]
    with progress_bar("removal", images * (2 * len(RUNGS) - 1)) as advance:
        rows = removal_ladder(perception, recording, args.seed, advance)
    table = RemovalTable(rows, _score_baselines(args, recording))
    print(_text(table))
    source = made_from(args, perception, images) | {"data": recording.name}
    write_json(folder / "removal.json", source | table.to_json())
    draw_removal(table, folder / "removal.png")
    print(f"wrote {folder / 'removal.json'} and {folder / 'removal.png'}")
    return 0


def _check_baseline(camera: Modality, model: Path) -> None:
    """Refuse a detector that is not of that camera alone.

    Raises:
        ParameterError: It has another stream, or both.
    """
    streams = list(read_model_yaml(model)["detector"].get("modalities", MODALITIES))
    if streams != [camera]:
        raise ParameterError(
            f"argument --baselines: {model} is a detector of {' and '.join(streams)}, wanted one "
            f"of {camera} alone (detector: {{modalities: [{camera}]}} in its training)"
        )


def _score_baselines(
    args: argparse.Namespace, recording: MemoryRecording
) -> dict[Modality, RemovalRow]:
    """Score each dedicated detector with its own camera alone."""
    baselines: dict[Modality, RemovalRow] = {}
    for camera, model in zip(MODALITIES, args.baselines or (), strict=False):
        other = other_camera(camera)
        perception = open_perception(args, model)
        with progress_bar(f"{camera} only", recording.frames[camera]) as advance:
            baselines[camera] = row_of(other, 1.0, evaluate(perception, recording, other, advance))
    return baselines


def _text(table: RemovalTable) -> str:
    parts = list(table.rows[0].map50_by_part)
    cells = [["missing", "mAP50", "mAP", *(f"mAP50 {part}" for part in parts), "mean MDI"]]
    lines = [(f"{row.missing:.0%} of {row.camera}", row) for row in table.rows]
    lines += [(f"{camera} only, its own net", row) for camera, row in table.baselines.items()]
    for name, row in lines:
        by_part = [percent(row.map50_by_part.get(part)) for part in parts]
        cells.append([name, percent(row.map50), percent(row.map), *by_part, signed(row.mdi)])
    text = text_table(cells)
    for camera in MODALITIES:
        if (kept := table.retention(camera)) is not None:
            text += f"\nwithout {camera}: {percent(kept)} % of the dedicated "
            text += f"{other_camera(camera)} detector"
    return text
