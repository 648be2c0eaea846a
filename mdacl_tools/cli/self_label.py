"""``mdacl self-label RECORDING OUT``: label an unlabelled recording for self-training."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdacl_ros.errors import ParameterError, RecordingError
from mdacl_ros.pipeline import PipelineConfig, build_pipeline
from mdacl_ros.small_file import user_path
from mdacl_ros.types import LABELS, FramePair, GroundTruth
from mdacl_tools.learning.self_labels import LabelThresholds, label_pair
from mdacl_tools.recordings.datasets.open_dataset import dataset_splits, is_dataset, training_split
from mdacl_tools.recordings.input_options import (
    add_input_options,
    exit_code,
    input_options,
    opened,
)
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.recordings.storage.bag_path import is_bag
from mdacl_tools.scoring.pair_scoring import equal_stamps
from mdacl_tools.util.pipeline_options import (
    ENGINE_OPTIONS,
    add_pipeline_options,
    pipeline_config,
    progress_printer,
)
from mdacl_tools.util.progress import progress_bar

TRUTH = "train.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("recording", type=Path, help="bag, folder of clips or data set")
    parser.add_argument("out", type=Path, help=f"new folder: rgb/, thermal/, {TRUTH}")
    add_input_options(parser)
    parser.add_argument("--every", type=int, default=10, help="label every n-th pair (default 10)")
    default = LabelThresholds()
    parser.add_argument("--sure", type=float, default=default.sure, help="score of an object")
    parser.add_argument(
        "--doubtful", type=float, default=default.doubtful, help="score of an ignore region"
    )
    add_pipeline_options(parser, *ENGINE_OPTIONS, "--calibration")


def run(args: argparse.Namespace) -> int:
    """Label and write a data set that ``annotations`` of a training config can name."""
    if args.every < 1 or not 0 < args.doubtful <= args.sure <= 1:
        raise ParameterError(
            f"self-label: got --every {args.every} --doubtful {args.doubtful} --sure {args.sure}, "
            "wanted every >= 1 and 0 < doubtful <= sure <= 1"
        )
    config = replace(pipeline_config(args), score_threshold=args.doubtful)
    if args.out.exists():
        raise ParameterError(f"self-label: {args.out} exists; give a new folder")
    _check_folder(args.out)  # before anything long begins
    with opened(args.recording, input_options(args, split=_part(args))) as recording:
        _label(recording, args, config)
        return exit_code(recording)


def _label(recording: Recording, args: argparse.Namespace, config: PipelineConfig) -> None:
    """Label the pairs and write them."""
    perception = build_pipeline(config, progress_printer())
    thresholds = LabelThresholds(args.sure, args.doubtful)
    found = []
    with progress_bar("label", recording.frames.get("rgb", 0) // args.every) as advance:
        for pair in _some(recording, args.every):
            found.append((pair, label_pair(perception, pair, thresholds)))
            advance(1)
    if not found:
        raise RecordingError(
            f"recording {args.recording}: holds no RGB and thermal image of one stamp"
        )
    counts = write_labelled(args.out, recording.name, found)
    told = ", ".join(f"{n} x {name}" for name, n in sorted(counts.items())) or "no object"
    print(f"wrote {args.out / TRUTH}: {len(found)} pairs, {told}")


def _check_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True)
        path.rmdir()  # it appears with the labels
    except OSError as error:
        raise ParameterError(
            f"self-label: cannot make folder {path} ({error.strerror}); give another one"
        ) from error


def _part(args: argparse.Namespace) -> str | None:
    """The part of a data set that is for training: what is labelled is learnt from."""
    path = user_path(args.recording)
    if args.split is not None or is_bag(path) or not path.is_dir() or not is_dataset(path):
        return args.split
    return training_split(dataset_splits(path), path)


def _some(recording: Recording, every: int) -> Iterator[FramePair]:
    return (pair for i, pair in enumerate(equal_stamps(recording)) if i % every == 0)


def write_labelled(
    out: Path, name: str, pairs: list[tuple[FramePair, GroundTruth]]
) -> Counter[str]:
    """Write images and COCO json; the json last, so that a folder with one is complete.

    Args:
        out: Folder to make.
        name: Of the recording; begins the file names.
        pairs: Both frames present, boxes in RGB pixels.

    Returns:
        Number of objects by class, ignore regions not counted.
    """
    coco: dict[str, Any] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": i + 1, "name": label} for i, label in enumerate(LABELS)],
    }
    for camera in ("rgb", "thermal"):
        (out / camera).mkdir(parents=True)
    counts = Counter[str]()
    for number, (pair, truth) in enumerate(pairs, start=1):
        assert pair.rgb is not None
        assert pair.thermal is not None
        files = {
            "rgb": f"rgb/{name}_{number:05d}.jpg",
            "thermal": f"thermal/{name}_{number:05d}.png",
        }
        _write(out / files["rgb"], np.ascontiguousarray(pair.rgb.image[..., ::-1]))
        _write(out / files["thermal"], pair.thermal.image)
        height, width = pair.rgb.image.shape[:2]
        coco["images"].append(
            {"id": number, "width": width, "height": height, "sequence": name, **files}
        )
        for (x0, y0, x1, y1), label, ignore in zip(
            truth.boxes.tolist(), truth.labels.tolist(), truth.ignore.tolist(), strict=True
        ):
            counts[LABELS[label]] += not ignore
            coco["annotations"].append(
                {
                    "id": len(coco["annotations"]) + 1,
                    "image_id": number,
                    "category_id": label + 1,
                    "bbox": [round(v, 2) for v in (x0, y0, x1 - x0, y1 - y0)],
                    "iscrowd": int(ignore),
                }
            )
    (out / TRUTH).write_text(json.dumps(coco))
    return +counts


def _write(path: Path, image: np.ndarray) -> None:
    if not cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 95]):
        raise RecordingError(f"{path}: cannot write the image; is the disk full?")
