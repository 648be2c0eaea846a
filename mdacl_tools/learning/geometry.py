"""Overlap of axis-aligned boxes, as tensors."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def iou(a: Tensor, b: Tensor, *, complete: bool = False) -> Tensor:
    """Intersection over union of boxes that broadcast against each other.

    Args:
        a: ``(..., 4)`` xyxy.
        b: ``(..., 4)`` xyxy.
        complete: Return CIoU (arXiv 1911.08287): IoU minus centre distance and aspect terms.

    Returns:
        ``(...)`` in [0, 1], CIoU in [-1.5, 1].
    """
    overlap = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(
        min=0
    )
    inter = overlap[..., 0] * overlap[..., 1]
    size_a, size_b = (
        (a[..., 2:] - a[..., :2]).clamp(min=1e-3),
        (b[..., 2:] - b[..., :2]).clamp(min=1e-3),
    )
    union = size_a[..., 0] * size_a[..., 1] + size_b[..., 0] * size_b[..., 1] - inter
    value = inter / union
    if not complete:
        return value
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    centre = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    distance = centre.pow(2).sum(-1) / hull.pow(2).sum(-1).clamp(min=1e-6)
    aspect = (
        torch.atan(size_a[..., 0] / size_a[..., 1]) - torch.atan(size_b[..., 0] / size_b[..., 1])
    ).pow(2) * (4 / math.pi**2)
    with torch.no_grad():
        weight = aspect / (1 - value + aspect + 1e-6)
    return value - distance - weight * aspect
