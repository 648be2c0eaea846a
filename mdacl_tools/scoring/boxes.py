"""Boxes of two frames, or of a frame and its truth, put together by overlap."""

from __future__ import annotations

import numpy as np

from mdacl_ros.boxes import iou_matrix
from mdacl_ros.types import FloatArray, IntArray


def pair_up(
    boxes: FloatArray, labels: IntArray, others: FloatArray, other_labels: IntArray, iou: float
) -> IntArray:
    """Give each box, in order, the free box of its class that it overlaps most.

    Args:
        boxes: ``(N, 4)`` xyxy, best first.
        labels: ``(N,)``.
        others: ``(M, 4)``; each is given once.
        other_labels: ``(M,)``.
        iou: Least overlap.

    Returns:
        ``(N,)`` index into ``others``, -1 where there is none.
    """
    table = iou_matrix(boxes, others)
    table[labels[:, None] != other_labels[None]] = -1.0
    chosen = np.full(len(boxes), -1, np.int64)
    if not len(others):
        return chosen
    for i, row in enumerate(table):
        best = int(row.argmax())
        if row[best] >= iou:
            chosen[i] = best
            table[:, best] = -1.0
    return chosen
