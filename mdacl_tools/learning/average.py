"""Exponential moving average of weights: what is evaluated and shipped."""

from __future__ import annotations

import copy

import torch

from mdacl_ros.network.detector import Detector


class AveragedWeights:
    """Slowly following copy of a detector.

    Args:
        detector: The detector being trained.
        decay: Share of the old average kept per step, reached after a warm-up.

    Attributes:
        detector: The averaged copy, in eval mode.
    """

    def __init__(self, detector: Detector, decay: float) -> None:
        self.decay = decay
        self.detector = copy.deepcopy(detector).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, detector: Detector, step: int) -> None:
        """Move towards the current weights; early steps move faster."""
        keep = min(self.decay, (1 + step) / (10 + step))
        theirs = detector.state_dict()
        for name, value in self.detector.state_dict().items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - keep)
            else:
                value.copy_(theirs[name])
