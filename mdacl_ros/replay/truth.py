"""Ground truth kept as COCO json: read into arrays by class name, written beside bags."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import LABELS, GroundTruth

TRUTH_FILE = "truth.json"
"""Name of the ground truth beside a bag: COCO json whose images also carry ``stamp_ns``."""


def load_coco(path: Path) -> dict[str, Any]:
    """Read a COCO json file.

    Raises:
        RecordingError: If it is unreadable or lacks images, annotations or categories.
    """
    try:
        coco = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordingError(f"recording {path}: not readable as json: {error}") from error
    wanted = ("images", "annotations", "categories")
    if not isinstance(coco, dict) or any(not isinstance(coco.get(key), list) for key in wanted):
        raise RecordingError(f"recording {path}: not a COCO json, wanted the lists {wanted}")
    return coco


def truth_by_image(coco: dict[str, Any]) -> dict[int, GroundTruth]:
    """Ground truth by image id; categories whose name is not in ``LABELS`` are left out.

    ``iscrowd`` and ``ignore`` both mean: neither object nor background.
    """
    names = {c["id"]: str(c["name"]).lower() for c in coco["categories"]}
    label_of = {i: LABELS.index(name) for i, name in names.items() if name in LABELS}
    rows: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in coco["images"]}
    for annotation in coco["annotations"]:
        if annotation["category_id"] in label_of and annotation["image_id"] in rows:
            rows[annotation["image_id"]].append(annotation)
    return {i: _ground_truth(annotations, label_of) for i, annotations in rows.items()}


def _ground_truth(rows: list[dict[str, Any]], label_of: dict[int, int]) -> GroundTruth:
    boxes = np.array([row["bbox"] for row in rows], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return GroundTruth(
        boxes=boxes,
        labels=np.array([label_of[row["category_id"]] for row in rows], np.int64),
        ignore=np.array([bool(r.get("iscrowd") or r.get("ignore")) for r in rows], np.bool_),
    )


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
    by_image = truth_by_image(coco)
    if any("stamp_ns" not in image for image in coco["images"]):
        raise RecordingError(f"recording {path}: images lack stamp_ns; remove it or convert again")
    return {int(image["stamp_ns"]): by_image[image["id"]] for image in coco["images"]}
