"""A trained detector teaches another one its pyramid: features behind the neck.

After FitNets (arXiv 1412.6550). The teacher sees every camera there is, also one that modality
dropout takes from the student, so that the student learns to see with one what the teacher sees
with both (a consistency; cf. arXiv 2505.22154). Labels are not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from mdacl_ros.network.detector import Detector
from mdacl_ros.network.head import STRIDES
from mdacl_ros.network.weights import load_detector
from mdacl_tools.learning.batches import Batch


@dataclass(frozen=True, slots=True)
class DistillationConfig:
    """What a run learns from another model.

    Attributes:
        teacher: Model folder; empty: none.
        features: Weight of the pyramid's features.
    """

    teacher: str = ""
    features: float = 0.0

    @property
    def active(self) -> bool:
        """Whether there is a teacher."""
        return bool(self.teacher) and self.features > 0


class Distillation(nn.Module):
    """The loss; for each level a 1x1 convolution maps the student's width to the teacher's.

    Args:
        width: Channels of the student's neck.
        config: With a teacher.

    Raises:
        ModelError: The teacher cannot be read.
    """

    def __init__(self, width: int, config: DistillationConfig) -> None:
        super().__init__()
        teacher = load_detector(Path(config.teacher)).requires_grad_(False)
        self._teacher = (teacher,)  # a tuple: no part of the checkpoint, and never in training mode
        self.weight = config.features
        wanted = teacher.config.neck_channels
        self.adapters = nn.ModuleList(nn.Conv2d(width, wanted, 1) for _ in STRIDES)

    def forward(self, levels: list[Tensor], batch: Batch) -> Tensor:
        """Weighted mean squared error, each channel in units of its own variance.

        Cells count by the evidence that the teacher sees in them, and a little everywhere.

        Args:
            levels: The student's neck outputs of stride 8, 16, 32.
            batch: The images.
        """
        with torch.no_grad():
            targets, evidence = self._taught(batch)
        losses = []
        for adapter, level, target, seen in zip(
            self.adapters, levels, targets, evidence, strict=True
        ):
            spread = target.var((0, 2, 3), keepdim=True).clamp(min=1e-6)
            error = ((adapter(level).float() - target).pow(2) / spread).mean(1)  # (B, h, w)
            weight = seen / seen.sum().clamp(min=1.0) + 1.0 / seen.numel()
            losses.append((error * weight).sum() / 2)
        return self.weight * torch.stack(losses).mean()

    def _taught(self, batch: Batch) -> tuple[list[Tensor], list[Tensor]]:
        """The teacher's neck outputs and its highest class probability in each cell."""
        teacher: Detector = self._teacher[0].to(batch.rgb.device)
        inputs = teacher.encode(batch.rgb, batch.thermal, batch.covered)
        levels = teacher.fuse(inputs.features, inputs.masks).levels
        evidence, start = teacher.head(levels).logits.float().sigmoid().amax(-1), 0
        by_level = []
        for level in levels:
            cells = level.shape[2] * level.shape[3]
            part = evidence[:, start : start + cells].unflatten(1, level.shape[2:])
            # the one-to-one head marks a single cell of an object: its surroundings count as well
            by_level.append(F.max_pool2d(part[:, None], 3, 1, 1)[:, 0])
            start += cells
        return [level.float() for level in levels], by_level
