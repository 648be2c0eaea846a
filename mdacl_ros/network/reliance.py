"""What the detector sees with one camera alone, beside what it sees with both.

The streams have run already: only what lies behind them runs again, for both cameras in one batch
with the other one masked. Static shapes, no data-dependent control flow. What is made of it:
:mod:`mdacl_ros.pipeline.reliance`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mdacl_ros.network.detector import Detector
from mdacl_ros.network.head import select_top


class AlonePredictions(NamedTuple):
    """Predictions with rgb alone and with thermal alone, best first.

    Attributes:
        boxes: ``(B, 2, N, 4)`` xyxy in pixels of the network input.
        scores: ``(B, 2, N)``.
        labels: ``(B, 2, N)``.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor


def predict_alone(
    detector: Detector, pyramids: list[list[Tensor]], present: Tensor
) -> AlonePredictions:
    """Detect with each camera alone.

    Args:
        detector: In eval mode.
        pyramids: What :meth:`Detector.extract` made of both images.
        present: ``(B, 2)`` or ``(B, 2, H/32, W/32)`` availability.
    """
    rgb, thermal = present[:, :1], present[:, 1:]
    nothing = rgb * 0.0
    alone = torch.cat([torch.cat([rgb, nothing], 1), torch.cat([nothing, thermal], 1)])  # (2 B, 2)
    twice = [[torch.cat([x, x]) for x in levels] for levels in pyramids]
    inputs = detector.calibrate(twice, alone)
    dense, _ = detector.respond(inputs.features, inputs.masks)
    rows = select_top(dense, detector.config.top_k)
    return AlonePredictions(*(x.unflatten(0, (2, -1)).transpose(0, 1) for x in rows))
