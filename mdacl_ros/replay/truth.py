"""Ground truth of data sets, and that kept as COCO json beside bags."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mdacl_ros.datasets.coco import boxes_by_image, load_coco
from mdacl_ros.datasets.record import Pair, PairRecord, make_record
from mdacl_ros.errors import RecordingError
from mdacl_ros.types import LABELS, GroundTruth

TRUTH_FILE = "truth.json"
"""Name of the ground truth beside a bag: COCO json whose images also carry ``stamp_ns``."""


def ground_truth(record: PairRecord) -> GroundTruth:
    """What a labelled pair of a data set holds."""
    return GroundTruth(record.boxes, record.labels, record.ignore)


def write_truth(path: Path, images: Iterable[tuple[int, tuple[int, int], GroundTruth]]) -> None:
    """Write ground truth by stamp as COCO json.

    Args:
        path: File to write.
        images: ``(stamp_ns, (width, height), truth)`` of each RGB frame.
    """
    coco: dict[str, Any] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": i + 1, "name": name} for i, name in enumerate(LABELS)],
    }
    for image_id, (stamp_ns, (width, height), truth) in enumerate(images, start=1):
        coco["images"].append(
            {"id": image_id, "stamp_ns": stamp_ns, "width": width, "height": height}
        )
        rows = zip(truth.boxes.tolist(), truth.labels.tolist(), truth.ignore.tolist(), strict=True)
        for (x0, y0, x1, y1), label, ignore in rows:
            coco["annotations"].append(
                {
                    "id": len(coco["annotations"]) + 1,
                    "image_id": image_id,
                    "category_id": label + 1,
                    "bbox": [round(v, 2) for v in (x0, y0, x1 - x0, y1 - y0)],
                    "area": round((x1 - x0) * (y1 - y0), 2),
                    "iscrowd": int(ignore),
                }
            )
    path.write_text(json.dumps(coco), encoding="utf-8")


def load_truth_by_stamp(path: Path) -> dict[int, GroundTruth]:
    """Read what :func:`write_truth` wrote: ground truth by RGB stamp.

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
