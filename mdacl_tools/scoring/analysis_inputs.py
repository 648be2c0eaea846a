"""What all analyses ask for on the command line, and how it is opened."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from mdacl_ros.errors import ParameterError, RecordingError
from mdacl_ros.pipeline import Perception, build_pipeline
from mdacl_ros.whole_file import write_whole
from mdacl_tools.recordings.datasets.data_folder import data_folder
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.scoring.in_memory import MemoryRecording
from mdacl_tools.scoring.pair_scoring import SCORE_FLOOR
from mdacl_tools.util.pipeline_options import (
    ENGINE_OPTIONS,
    add_pipeline_options,
    pipeline_config,
    progress_printer,
)
from mdacl_tools.util.provenance import provenance

DEFAULT_DATA = "msrs"
MOST_IMAGES = 200


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which detector runs, and how."""
    add_pipeline_options(parser, *ENGINE_OPTIONS, "--calibration")


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the labelled images and the seed."""
    parser.add_argument(
        "--data",
        type=Path,
        default=None,
        help=f"data-set folder or COCO json (default: {DEFAULT_DATA} of ../shared/data)",
    )
    parser.add_argument(
        "--images",
        type=int,
        default=MOST_IMAGES,
        help="most pairs to use, spread evenly over the data set",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of every draw")


def add_out_argument(parser: argparse.ArgumentParser) -> None:
    """Declare where the table and the picture go."""
    parser.add_argument("--out", type=Path, default=Path("analysis_out"), help="folder to write")


def open_perception(args: argparse.Namespace, model: Path | None = None) -> Perception:
    """Load a detector for scoring.

    Args:
        args: Of :func:`add_model_arguments`.
        model: Another model folder than the one named there.

    Raises:
        MdaclError: The model or its engine cannot be loaded.
    """
    config = replace(pipeline_config(args), score_threshold=SCORE_FLOOR)
    if model is not None:
        config = replace(config, model=str(model))
    return build_pipeline(config, progress_printer())


def open_pairs(args: argparse.Namespace) -> MemoryRecording:
    """Decode the labelled pairs into memory.

    Args:
        args: Of :func:`add_data_arguments`.

    Raises:
        RecordingError: There are none, or they cannot be read.
    """
    path = args.data if args.data is not None else data_folder() / DEFAULT_DATA
    recording = open_recording(path)
    if not recording.has_truth:
        raise RecordingError(f"{path}: has no ground truth to score against; give a labelled set")
    return MemoryRecording(recording, args.images)


def made_from(args: argparse.Namespace, perception: Perception, images: int) -> dict[str, Any]:
    """What a written table was made from."""
    made = provenance(pipeline_config(args).model_folder(), perception.engine)
    return {**made, "images": images, "seed": args.seed}


def out_folder(args: argparse.Namespace) -> Path:
    """Create the folder results go to.

    Raises:
        ParameterError: It cannot be created.
    """
    folder = Path(args.out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(
            f"--out {folder}: cannot be created ({error.strerror}); name a folder that can"
        ) from error
    return folder


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a table for other programs."""
    write_whole(path, json.dumps(values, indent=2, allow_nan=False) + "\n")
