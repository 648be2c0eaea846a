"""Overlap of boxes, for whoever matches them in NumPy."""

from __future__ import annotations

import numpy as np

from mdacl_ros.types import FloatArray


def iou_matrix(one: FloatArray, other: FloatArray) -> FloatArray:
    """Intersection over union of every two boxes.

    Args:
        one: ``(N, 4)`` xyxy.
        other: ``(M, 4)`` xyxy.

    Returns:
        ``(N, M)`` float32 in [0, 1]; 0 for empty boxes.
    """
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(-1)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(-1) for boxes in (one, other)]
    union = areas[0][:, None] + areas[1][None] - common
    return np.asarray(common / np.maximum(union, 1e-9), np.float32)
