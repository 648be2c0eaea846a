"""Ground truth of data sets, and that kept as COCO json beside bags of earlier versions."""

from __future__ import annotations

from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import GroundTruth
from mdacl_tools.recordings.datasets.coco import boxes_by_image, load_coco
from mdacl_tools.recordings.datasets.record import Pair, PairRecord, make_record

TRUTH_FILE = "truth.json"
"""Name of the ground truth beside a bag: COCO json whose images also carry ``stamp_ns``."""


def ground_truth(record: PairRecord) -> GroundTruth:
    """What a labelled pair of a data set holds."""
    return GroundTruth(record.boxes, record.labels, record.ignore)


def load_truth_by_stamp(path: Path) -> dict[int, GroundTruth]:
    """Read ground truth by RGB stamp.

    Raises:
        RecordingError: If the file is unreadable or its images carry no ``stamp_ns``.
    """
    coco = load_coco(path)
    objects = boxes_by_image(coco, path)
    if any("stamp_ns" not in image for image in coco["images"]):
        raise RecordingError(f"recording {path}: images lack stamp_ns; remove it or convert again")
    return {
        int(image["stamp_ns"]): ground_truth(
            make_record(Pair(int(image["id"]), path, path, ""), objects[image["id"]])
        )
        for image in coco["images"]
    }
