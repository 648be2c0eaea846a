"""Which cell of the grid answers for which object.

Task-aligned assignment (TOOD, arXiv 2108.07755), used twice: one-to-many for the auxiliary head,
one-to-one for the head that needs no non-maximum suppression (after YOLOv10, arXiv 2405.14458).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mdacl_ros.network.head import DensePredictions
from mdacl_tools.learning.geometry import iou

ALPHA, BETA = 0.5, 6.0


class Truth(NamedTuple):
    """Padded ground truth of a batch.

    Attributes:
        boxes: ``(B, G, 4)`` xyxy.
        labels: ``(B, G)`` int64.
        real: ``(B, G)`` bool; objects to be found (neither padding nor ignore).
        ignore: ``(B, G)`` bool; regions not to be punished.
        exhaustive: ``(B, K)`` bool; classes that are completely labelled.
    """

    boxes: Tensor
    labels: Tensor
    real: Tensor
    ignore: Tensor
    exhaustive: Tensor


class Assignment(NamedTuple):
    """Targets per cell.

    Attributes:
        positive: ``(B, A)`` bool.
        boxes: ``(B, A, 4)`` target boxes (arbitrary where not positive).
        scores: ``(B, A, K)`` soft class targets in [0, 1].
        counted: ``(B, A, K)`` bool; cells and classes whose classification is scored.
    """

    positive: Tensor
    boxes: Tensor
    scores: Tensor
    counted: Tensor


@torch.no_grad()
def assign(
    dense: DensePredictions, centres: Tensor, strides: Tensor, truth: Truth, candidates: int
) -> Assignment:
    """Give every object its ``candidates`` best aligned cells.

    Args:
        dense: Predictions of A cells.
        centres: ``(A, 2)`` cell centres in pixels.
        strides: ``(A,)`` stride of each cell.
        truth: Padded ground truth.
        candidates: Cells per object; 1 for one-to-one.
    """
    b, a, k = dense.logits.shape
    overlap = iou(truth.boxes[:, :, None], dense.boxes[:, None]).clamp(min=0)  # (B, G, A)
    scores = dense.logits.sigmoid().transpose(1, 2)  # (B, K, A)
    score = scores.gather(1, truth.labels[..., None].expand(-1, -1, a))  # (B, G, A)
    inside = _near(truth.boxes, centres, strides) & truth.real[..., None]
    metric = (score**ALPHA * overlap**BETA + 1e-9) * inside  # (B, G, A)
    best, cells = metric.topk(min(candidates, a), dim=-1)
    chosen = torch.zeros_like(metric).scatter_(-1, cells, (best > 0).to(metric.dtype))
    contested = torch.where(chosen > 0, metric, -torch.ones_like(metric))
    owner = contested.argmax(1)  # (B, A), the better aligned object wins a contested cell
    positive = contested.amax(1) > 0
    won = torch.zeros_like(chosen).scatter_(1, owner[:, None], 1.0) * chosen
    metric, overlap = metric * won, overlap * won
    strength = (
        metric / metric.amax(-1, keepdim=True).clamp(min=1e-12) * overlap.amax(-1, keepdim=True)
    )
    label = truth.labels.gather(1, owner)  # (B, A)
    soft = strength.amax(1) * positive  # (B, A)
    target = dense.logits.new_zeros(b, a, k)
    target.scatter_(-1, label[..., None], soft[..., None])
    boxes = truth.boxes.gather(1, owner[..., None].expand(-1, -1, 4))
    return Assignment(positive, boxes, target, _counted(centres, truth, positive, target))


def _near(boxes: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Cells inside each box; small boxes are widened to one stride so that none is left out."""
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2  # (B, G, 2)
    half = (boxes[..., 2:] - boxes[..., :2]) / 2
    reach = torch.maximum(half[:, :, None], strides[None, None, :, None] * 0.75)  # (B, G, A, 2)
    return ((centres[None, None] - middle[:, :, None]).abs() < reach).all(-1)


def _counted(centres: Tensor, truth: Truth, positive: Tensor, target: Tensor) -> Tensor:
    """Leave out cells in ignore regions and classes not exhaustively labelled."""
    low, high = truth.boxes[:, :, None, :2], truth.boxes[:, :, None, 2:]
    within = ((centres > low) & (centres < high)).all(-1) & truth.ignore[..., None]  # (B, G, A)
    free = positive | ~within.any(1)  # (B, A)
    return free[..., None] & (truth.exhaustive[:, None] | (target > 0))
