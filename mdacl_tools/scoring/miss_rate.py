"""Log-average miss rate of persons, as KAIST and Caltech measure it (Dollar et al., PAMI 2012).

"Reasonable": objects at least 55 pixels tall; lower ones, and those marked to be ignored, are
neither missed nor false alarms. Detections lower than 55 / 1.25 pixels are not looked at. Occlusion
is not looked at: the ground truth of this package does not carry it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mdacl_ros.types import Detections, GroundTruth
from mdacl_tools.scoring.coco_matching import CocoMatches
from mdacl_tools.scoring.matched_detections import Matched, heights

REASONABLE_HEIGHT = 55.0
EXPANSION = 1.25
"""Detections may be lower than the least object by this factor."""

REFERENCES = np.logspace(-2, 0, 9)
"""False positives per image at which the miss rate is read."""


class MissRates:
    """Collects images; one class.

    Args:
        label: The class, a person.
    """

    def __init__(self, label: int) -> None:
        self._label = label
        self._matches = CocoMatches(1)
        self._images: dict[str | None, int] = {}

    def add(self, detections: Detections, truth: GroundTruth, part: str | None = None) -> None:
        """Add an image of a part of the recording."""
        self._images[part] = self._images.get(part, 0) + 1
        keep = (detections.labels == self._label) & (
            heights(detections.boxes) >= REASONABLE_HEIGHT / EXPANSION
        )
        of_class = truth.labels == self._label
        low = heights(truth.boxes[of_class]) < REASONABLE_HEIGHT
        self._matches.add(
            replace(
                detections,
                boxes=detections.boxes[keep],
                scores=detections.scores[keep],
                labels=np.zeros(int(keep.sum()), np.int64),
            ),
            GroundTruth(
                truth.boxes[of_class],
                np.zeros(int(of_class.sum()), np.int64),
                truth.ignore[of_class] | low,
            ),
            part,
        )

    def rates(self) -> dict[str, float | None]:
        """``reasonable`` over all images, then by part; empty without any person."""
        whole = self._matches.matched(0)
        if not whole.objects:
            return {}
        found = {"reasonable": log_average(whole, sum(self._images.values()))}
        for part in ("day", "night"):
            if part in self._images:
                matched = self._matches.matched(0, 0, part)
                found[part] = log_average(matched, self._images[part])
        return found


def log_average(matched: Matched, images: int) -> float | None:
    """Geometric mean of the miss rate at nine rates of false alarms; ``None`` without objects.

    Args:
        matched: Detections of one class; IoU 0.5 is used.
        images: Number of images they are from.
    """
    if not matched.objects or not images:
        return None
    order = np.argsort(-matched.scores, kind="mergesort")
    counted = ~matched.ignored[0][order]
    hits = matched.hits[0][order][counted]
    miss = 1.0 - np.cumsum(hits) / matched.objects
    per_image = np.cumsum(~hits) / images
    last = np.searchsorted(per_image, REFERENCES, side="right") - 1
    rates = np.where(last >= 0, miss[np.maximum(last, 0)], 1.0) if len(hits) else np.ones(9)
    return float(np.exp(np.log(np.maximum(rates, 1e-10)).mean()))
