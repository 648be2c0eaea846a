"""COCO detection metrics over a run, through pycocotools.

metrics = CocoMetrics(("person", "car"))
metrics.add(1, detections, GroundTruth(boxes, labels, ignore))
scores = metrics.summarize()      # scores.map50, scores.ap50_by_class["person"]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mdacl_ros.types import Detections, GroundTruth
from mdacl_tools.scoring.coco_matching import CocoMatches


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
    """Scores detections against ground truth, image by image, with nearly flat memory.

    Args:
        labels: Class names; label ``i`` of detections and truth is ``labels[i]``.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._images: set[int] = set()
        self._matches = CocoMatches(len(self._labels))

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
        self._images.add(image_id)
        self._matches.add(detections, truth)

    def summarize(self) -> DetectionScores:
        """Score everything added so far."""
        return average(self._matches, self._labels, self.images)


def average(
    matches: CocoMatches, labels: Sequence[str], images: int, part: str | None = None
) -> DetectionScores:
    """COCO averages over the first range of what was matched.

    Args:
        matches: Detections and truth.
        labels: Class names.
        images: Number of images, for the record.
        part: Only images of this part; ``None``: all.
    """
    objects = {name: matches.matched(k, 0, part).objects for k, name in enumerate(labels)}
    if not any(objects.values()):
        return DetectionScores(math.nan, math.nan, images=images)
    precision = matches.precision(part)[..., 0]  # (T, R, K)
    names = [(k, name) for k, name in enumerate(labels) if objects[name]]
    ap50 = {name: float(precision[0, :, k].mean()) for k, name in names}
    ap = {name: float(precision[:, :, k].mean()) for k, name in names}
    return DetectionScores(
        map=float(np.mean(list(ap.values()))),
        map50=float(np.mean(list(ap50.values()))),
        ap50_by_class=ap50,
        map_by_class=ap,
        images=images,
        objects={name: count for name, count in objects.items() if count},
    )


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
