"""Boxes that repeat a better one of their class."""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.types import BoolArray, FloatArray, IntArray


def without_duplicates(
    boxes: FloatArray, scores: FloatArray, labels: IntArray, candidates: BoolArray, iou: float
) -> BoolArray:
    """Leave out boxes that repeat a better one of the same class.

    The one-to-one head makes few of them, and fewer the longer it was trained.

    Args:
        boxes: ``(N, 4)`` xyxy pixels.
        scores: ``(N,)`` descending.
        labels: ``(N,)``.
        candidates: ``(N,)`` bool; only these are looked at.
        iou: Overlap above which a box is a duplicate.

    Returns:
        ``(N,)`` bool, a part of ``candidates``.
    """
    kept = np.zeros(len(scores), bool)
    index = np.flatnonzero(candidates)
    if iou >= 1.0 or len(index) == 0:
        return candidates
    # classes are moved apart, so that one call suppresses within each of them
    shift = labels[index, None] * (boxes[index].max() + 1.0)
    corners, sizes = boxes[index, :2] + shift, boxes[index, 2:] - boxes[index, :2]
    xywh = np.concatenate([corners, sizes], 1).astype(np.float64)
    chosen = cv2.dnn.NMSBoxes(xywh.tolist(), scores[index].tolist(), 0.0, iou)
    kept[index[np.asarray(chosen, np.int64).reshape(-1)]] = True
    return kept
