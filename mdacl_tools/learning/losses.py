"""The detection loss of one head."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from mdacl_ros.network.head import STRIDES, DensePredictions, cell_centres
from mdacl_tools.learning.assignment import Assignment, Truth, assign
from mdacl_tools.learning.geometry import iou

BOX_WEIGHT = 2.5


class DetectionLoss(NamedTuple):
    """Scalar losses of one head.

    Attributes:
        classify: Cross-entropy against task-aligned soft targets.
        regress: Mean CIoU loss over the assigned cells.
    """

    classify: Tensor
    regress: Tensor

    @property
    def total(self) -> Tensor:
        """The weighted sum that is minimised."""
        return self.classify + BOX_WEIGHT * self.regress


def grid(width: int, height: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Centres ``(A, 2)`` and strides ``(A,)`` of all cells for an input size in pixels.

    Args:
        width: Of the network input.
        height: Of the network input.
        like: Says on which device.
    """
    centres = [cell_centres(height // s, width // s, s) for s in STRIDES]
    strides = [torch.full((len(c),), float(s)) for c, s in zip(centres, STRIDES, strict=True)]
    return torch.cat(centres).to(like.device), torch.cat(strides).to(like.device)


def detection_loss(
    dense: DensePredictions, truth: Truth, size: tuple[int, int], candidates: int
) -> DetectionLoss:
    """Assign and score one head.

    Args:
        dense: The head's predictions.
        truth: Padded ground truth.
        size: Width and height of the network input.
        candidates: Cells per object: 1 for the one-to-one head, 10 for the auxiliary head.
    """
    dense = DensePredictions(dense.logits.float(), dense.boxes.float())  # bf16 cells are 2 px off
    centres, strides = grid(*size, dense.boxes)
    targets = assign(dense, centres, strides, truth, candidates)
    return score(dense, targets)


def score(dense: DensePredictions, targets: Assignment) -> DetectionLoss:
    """Loss of predictions against given targets."""
    norm = targets.scores.sum().clamp(min=1.0)
    raw = F.binary_cross_entropy_with_logits(dense.logits, targets.scores, reduction="none")
    classify = (raw * targets.counted).sum() / norm
    weight = targets.scores.sum(-1)[targets.positive]
    overlap = iou(dense.boxes[targets.positive], targets.boxes[targets.positive], complete=True)
    regress = ((1 - overlap) * weight).sum() / norm
    return DetectionLoss(classify, regress)
