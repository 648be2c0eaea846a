"""Is one detector better than another on the same frames, or is it chance? Paired bootstrap.

Blocks of frames are drawn with replacement, the same for both detectors (Efron & Tibshirani, 1993;
blocks because neighbouring frames of a video show the same thing), and the difference of their
average precisions is looked at over many draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mdacl_ros.types import Detections, GroundTruth
from mdacl_tools.scoring.coco_matching import CocoMatches
from mdacl_tools.scoring.matched_detections import Matched

Floats = npt.NDArray[np.float64]

RECALLS = np.linspace(0.0, 1.0, 101)
"""Recall points at which COCO reads the precision."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One frame of both detectors: what each found and what is there."""

    one: Detections
    other: Detections
    truth: GroundTruth


class WeightedScores:
    """Average precision of one detector with a weight for every frame.

    Args:
        classes: Number of classes.
        frames: What was found in each frame and what is there, in order.
    """

    def __init__(self, classes: int, frames: Sequence[tuple[Detections, GroundTruth]]) -> None:
        matches = CocoMatches(classes)
        for number, (detections, truth) in enumerate(frames):
            matches.add(detections, truth, str(number))
        self._matched = [_sorted(matches.matched(k)) for k in range(classes)]
        self._objects = [matches.objects_by_part(k) for k in range(classes)]
        self.classes = [k for k in range(classes) if self._objects[k].sum()]

    def precision(self, label: int, weights: Floats, ious: slice) -> float:
        """AP of one class averaged over some of the IoU thresholds 0.50, 0.55, ... 0.95.

        Args:
            label: A class that has objects.
            weights: ``(frames,)`` how often each frame counts.
            ious: Which of the ten thresholds.

        Returns:
            AP in [0, 1]; NaN if no frame with an object of the class counts.
        """
        matched, objects = self._matched[label], float(self._objects[label] @ weights)
        if objects == 0:
            return float("nan")
        counted = np.where(matched.ignored[ious], 0.0, weights[matched.parts])  # (T, N)
        true = np.cumsum(counted * matched.hits[ious], axis=1)
        precision = true / np.maximum(np.cumsum(counted, axis=1), np.spacing(1))
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        best = np.pad(best, ((0, 0), (0, 1)))  # recall never reached: precision 0
        found = [np.searchsorted(row, RECALLS, side="left") for row in true / objects]
        return float(np.mean([row[i].mean() for row, i in zip(best, found, strict=True)]))

    def scores(self, weights: Floats) -> dict[str, float]:
        """``map50``, ``map`` and ``ap50 LABEL`` with these weights of the frames."""
        ap50 = {k: self.precision(k, weights, slice(0, 1)) for k in self.classes}
        ap = [self.precision(k, weights, slice(0, 10)) for k in self.classes]
        by_class = {f"ap50 {k}": value for k, value in ap50.items()}
        return {"map50": _mean(list(ap50.values())), "map": _mean(ap)} | by_class


def differences(
    classes: int, frames: Sequence[Judged], blocks: Sequence[int], resamples: int, seed: int
) -> dict[str, Floats]:
    """Scores of the other detector minus those of the one, over many draws of the same frames.

    Args:
        classes: Number of classes.
        frames: Frames with ground truth, in order.
        blocks: Which block each frame belongs to.
        resamples: Number of draws.
        seed: Of the draws; equal seeds give equal results.

    Returns:
        ``(resamples,)`` by name of the score, see :meth:`WeightedScores.scores`.
    """
    one = WeightedScores(classes, [(frame.one, frame.truth) for frame in frames])
    other = WeightedScores(classes, [(frame.other, frame.truth) for frame in frames])
    numbers = np.unique(np.asarray(blocks), return_inverse=True)[1].reshape(-1)
    count, rng = int(numbers.max()) + 1, np.random.default_rng(seed)
    found: dict[str, list[float]] = {}
    for _ in range(resamples):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count)
        weights = drawn[numbers].astype(np.float64)
        before, after = one.scores(weights), other.scores(weights)
        for name, value in after.items():
            found.setdefault(name, []).append(value - before[name])
    return {name: np.array(values) for name, values in found.items()}


def interval(values: Floats, confidence: float) -> tuple[float, float]:
    """Percentile interval; draws without an object of the class (NaN) are left out."""
    tail = 50 * (1 - confidence)
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, (tail, 100 - tail)).tolist()
    return float(low), float(high)


def _sorted(matched: Matched) -> Matched:
    """Best score first, ties in the order of the frames, as pycocotools sorts."""
    order = np.argsort(-matched.scores, kind="mergesort")
    return Matched(
        matched.scores[order],
        matched.hits[:, order],
        matched.ignored[:, order],
        matched.objects,
        matched.parts[order],
    )


def _mean(values: Sequence[float]) -> float:
    """Mean of the classes that are there."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
