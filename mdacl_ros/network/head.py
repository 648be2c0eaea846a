"""Decoupled anchor-free head without non-maximum suppression."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from mdacl_ros.network.layers import separable

STRIDES = (8, 16, 32)


class DensePredictions(NamedTuple):
    """One prediction per grid cell of every level, A cells in all.

    Attributes:
        logits: ``(B, A, K)`` class logits.
        boxes: ``(B, A, 4)`` xyxy in pixels of the network input.
    """

    logits: Tensor
    boxes: Tensor


class Head(nn.Module):
    """Class and box branches per level: every cell predicts one box from its centre.

    Args:
        width: Channels of the neck.
        classes: Number of classes K.
        depth: Depthwise-separable layers per branch.
        act: Activation behind each.
    """

    def __init__(
        self, width: int, classes: int, depth: int, act: type[nn.Module] = nn.SiLU
    ) -> None:
        super().__init__()

        def branch(out: int, bias: float) -> nn.Sequential:
            layers = [separable(width, width, act=act) for _ in range(depth)]
            last = nn.Conv2d(width, out, 1)
            assert last.bias is not None
            nn.init.constant_(last.bias, bias)
            return nn.Sequential(*layers, last)

        # prior probability 0.01; boxes start about four strides wide
        self.classify = nn.ModuleList(branch(classes, -4.6) for _ in STRIDES)
        self.regress = nn.ModuleList(branch(4, 2.0) for _ in STRIDES)

    def forward(self, levels: list[Tensor]) -> DensePredictions:
        """Predict from levels of stride 8, 16, 32, each ``(B, width, H, W)``."""
        logits, boxes = [], []
        for x, stride, classify, regress in zip(
            levels, STRIDES, self.classify, self.regress, strict=True
        ):
            logits.append(classify(x).flatten(2).transpose(1, 2))  # (B, HW, K)
            distances = F.softplus(regress(x)).flatten(2).transpose(1, 2) * float(stride)
            centres = cell_centres(x.shape[2], x.shape[3], stride).to(x)  # (HW, 2)
            boxes.append(
                torch.cat([centres - distances[..., :2], centres + distances[..., 2:]], -1)
            )
        return DensePredictions(torch.cat(logits, 1), torch.cat(boxes, 1))


def cell_centres(height: int, width: int, stride: int) -> Tensor:
    """Centres of a grid's cells in pixels, row by row, ``(height * width, 2)`` as x, y."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float32),
        torch.arange(width, dtype=torch.float32),
        indexing="ij",
    )
    return (torch.stack([x, y], -1).reshape(-1, 2) + 0.5) * float(stride)


def select_top(dense: DensePredictions, top_k: int) -> tuple[Tensor, Tensor, Tensor]:
    """The ``top_k`` most certain cells; a fixed number, so shapes stay static.

    Returns:
        boxes ``(B, top_k, 4)``, scores ``(B, top_k)`` descending, labels ``(B, top_k)``.
    """
    classes = dense.logits.sigmoid()
    # not max(-1): torch-tensorrt converts it only where one of its two outputs is used
    scores, labels = classes.amax(-1), classes.argmax(-1)  # (B, A)
    scores, cells = scores.topk(min(top_k, scores.shape[1]), dim=1)
    boxes = dense.boxes.gather(1, cells.unsqueeze(-1).expand(-1, -1, 4))
    return boxes, scores, labels.gather(1, cells)
