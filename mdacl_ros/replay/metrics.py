"""COCO detection metrics over a run, through pycocotools.

metrics = CocoMetrics(("person", "car"))
metrics.add(1, detections, GroundTruth(boxes, labels, ignore))
scores = metrics.summarize()      # scores.map50, scores.ap50_by_class["person"]
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mdacl_ros.types import Detections, FloatArray, GroundTruth

MAX_DETECTIONS = 100
"""Detections per image that count, as in COCO."""


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """COCO averages in [0, 1]; NaN where the truth holds no object at all.

    Classes without one object in the truth are left out of every mean and of the dictionaries.

    Attributes:
        map: AP averaged over IoU 0.50:0.95 and classes.
        map50: AP at IoU 0.50 averaged over classes.
        ap50_by_class: AP at IoU 0.50 by class name.
        map_by_class: AP over IoU 0.50:0.95 by class name.
        images: Number of images scored.
        objects: Number of objects in the truth by class name, ignored ones not counted.
    """

    map: float
    map50: float
    ap50_by_class: dict[str, float] = field(default_factory=dict)
    map_by_class: dict[str, float] = field(default_factory=dict)
    images: int = 0
    objects: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The scores as ``metrics.json`` holds them: rounded, ``None`` instead of NaN."""
        return {
            "map50": _rounded(self.map50),
            "map": _rounded(self.map),
            "ap50_by_class": {name: _rounded(ap) for name, ap in self.ap50_by_class.items()},
            "truth_images": self.images,
            "truth_objects": dict(self.objects),
        }


class CocoMetrics:
    """Collects detections and ground truth image by image, then scores all of them at once.

    Args:
        labels: Class names; label ``i`` of detections and truth is ``labels[i]``.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._images: dict[int, None] = {}
        self._truth: list[dict[str, Any]] = []
        self._detections: list[dict[str, Any]] = []

    @property
    def images(self) -> int:
        """Number of images added so far."""
        return len(self._images)

    def add(self, image_id: int, detections: Detections, truth: GroundTruth) -> None:
        """Add one image.

        Args:
            image_id: Any number that no other image has.
            detections: What was found; scores need no order.
            truth: What is there, in the same pixels; ignored boxes neither count as missed nor
                make a detection on them a false alarm (COCO's ``iscrowd``).

        Raises:
            ValueError: If ``image_id`` was added before or a label is out of range.
        """
        if image_id in self._images:
            raise ValueError(f"image_id {image_id} was added twice to CocoMetrics")
        for labels in (detections.labels, truth.labels):
            if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(self._labels):
                raise ValueError(
                    f"image_id {image_id}: labels {sorted(set(labels.tolist()))}, wanted indices "
                    f"into {self._labels}"
                )
        self._images[image_id] = None
        crowds = truth.ignore.tolist()
        for i, entry in enumerate(_entries(image_id, truth.boxes, truth.labels.tolist())):
            self._truth.append(entry | {"iscrowd": int(crowds[i]), "id": len(self._truth) + 1})
        scores = detections.scores.tolist()
        for i, entry in enumerate(_entries(image_id, detections.boxes, detections.labels.tolist())):
            extra = {"score": scores[i], "iscrowd": 0, "id": len(self._detections) + 1}
            self._detections.append(entry | extra)

    def summarize(self) -> DetectionScores:
        """Score everything added so far."""
        objects = {
            name: sum(a["category_id"] == k + 1 and not a["iscrowd"] for a in self._truth)
            for k, name in enumerate(self._labels)
        }
        if not any(objects.values()):
            return DetectionScores(math.nan, math.nan, images=self.images)
        precision = self._precision()  # (T, R, K)
        names = [(k, name) for k, name in enumerate(self._labels) if objects[name]]
        ap50 = {name: float(precision[0, :, k].mean()) for k, name in names}
        ap = {name: float(precision[:, :, k].mean()) for k, name in names}
        return DetectionScores(
            map=float(np.mean(list(ap.values()))),
            map50=float(np.mean(list(ap50.values()))),
            ap50_by_class=ap50,
            map_by_class=ap,
            images=self.images,
            objects={name: count for name, count in objects.items() if count},
        )

    def _precision(self) -> FloatArray:
        """Interpolated precision by IoU threshold, recall point and class, ``(10, 101, K)``."""
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools talks on stdout
            evaluation = COCOeval(
                self._coco(self._truth), self._coco(self._detections), iouType="bbox"
            )
            evaluation.params.maxDets = [MAX_DETECTIONS]
            evaluation.params.areaRng = [[0, 1e10]]
            evaluation.params.areaRngLbl = ["all"]
            evaluation.evaluate()
            evaluation.accumulate()
        return np.asarray(evaluation.eval["precision"][:, :, :, 0, 0], np.float32)

    def _coco(self, annotations: list[dict[str, Any]]) -> COCO:
        """The annotations as a pycocotools index; ``COCO.loadRes`` refuses empty results."""
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": image_id} for image_id in self._images],
            "categories": [{"id": k + 1, "name": name} for k, name in enumerate(self._labels)],
            "annotations": annotations,
        }
        coco.createIndex()
        return coco


def _entries(image_id: int, boxes: FloatArray, labels: list[int]) -> list[dict[str, Any]]:
    """COCO annotations (xywh, categories from 1) of ``(N, 4)`` xyxy boxes."""
    entries = []
    for (x0, y0, x1, y1), label in zip(boxes.tolist(), labels, strict=True):
        width, height = x1 - x0, y1 - y0
        entries.append(
            {
                "image_id": image_id,
                "category_id": label + 1,
                "bbox": [x0, y0, width, height],
                "area": width * height,
            }
        )
    return entries


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
