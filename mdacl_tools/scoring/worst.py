"""The frames to look at first: most missed, and falsest alarms."""

from __future__ import annotations

import heapq

import numpy as np

from mdacl_ros.types import BoolArray, FloatArray, GroundTruth
from mdacl_tools.scoring.boxes import pair_up
from mdacl_tools.scoring.frames import FrameRecord, short
from mdacl_tools.scoring.report import Box, WorstFrame

KEPT = 12
"""Frames of each kind."""

IOU = 0.5
"""Overlap from which an object counts as found."""

_Entry = tuple[float, int, WorstFrame]


class WorstFrames:
    """Keeps the worst frames; a few at a time in memory.

    Args:
        threshold: Score from which a detection is shown.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._heaps: dict[str, list[_Entry]] = {"misses": [], "false_alarms": []}

    def add(self, record: FrameRecord) -> None:
        """Take a frame; without ground truth it cannot be judged."""
        if record.truth is None:
            return
        shown = np.flatnonzero(record.scores >= self._threshold)
        boxes, labels = record.boxes[shown], record.labels[shown]
        truth, real = record.truth, ~record.truth.ignore
        found = pair_up(boxes, labels, truth.boxes[real], truth.labels[real], IOU)
        missed = np.flatnonzero(real)[np.setdiff1d(np.arange(int(real.sum())), found)]
        tall = truth.boxes[missed, 3] - truth.boxes[missed, 1]
        rows: list[Box] = [
            [*box, label]
            for box, label in zip(
                short(truth.boxes[missed]), truth.labels[missed].tolist(), strict=True
            )
        ]
        self._keep("misses", record, float(tall.sum()), rows)
        false = shown[(found < 0) & ~_excused(boxes, truth)]
        alarms: list[Box] = [
            [*box, score, label]
            for box, score, label in zip(
                short(record.boxes[false]),
                short(record.scores[false]),
                record.labels[false].tolist(),
                strict=True,
            )
        ]
        self._keep("false_alarms", record, float(record.scores[false].sum()), alarms)

    def summarize(self) -> dict[str, tuple[WorstFrame, ...]]:
        """Worst first."""
        return {
            kind: tuple(entry[2] for entry in sorted(heap, key=lambda e: e[:2], reverse=True))
            for kind, heap in self._heaps.items()
        }

    def _keep(self, kind: str, record: FrameRecord, cost: float, rows: list[Box]) -> None:
        if not rows:
            return
        entry = (cost, -record.index, WorstFrame(record.index, record.stamp_ns, cost, rows))
        heap = self._heaps[kind]
        if len(heap) < KEPT:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)


def _excused(boxes: FloatArray, truth: GroundTruth) -> BoolArray:
    """Boxes that lie by half or more in an ignored region (COCO's ``iscrowd`` rule)."""
    regions = truth.boxes[truth.ignore]
    if not len(regions) or not len(boxes):
        return np.zeros(len(boxes), bool)
    low = np.maximum(boxes[:, None, :2], regions[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], regions[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    own = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray((common / np.maximum(own, 1e-9)[:, None] >= IOU).any(axis=1), bool)
