"""How much each modality adds: maps over the image, and their means around each box.

Own formulation. Scores hang on features near their box: the maps, averaged over a region twice as
wide and high as the box (its context counts), say roughly which camera a box rests on in frames
where nobody asked the detector without one of them (:mod:`mdacl_ros.network.reliance`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from mdacl_ros.network.head import STRIDES

NEIGHBOURHOOD = 7
"""Cells, each way, within which what speaks for and against an object cancels."""

CONTEXT = 2.0
"""Width and height of the pooled region against those of the box."""

LEAST_SIDE = 0.25
"""Cells of width or height below which a region no longer counts in full: what barely touches the
image says little, and a mean over a sliver would be rounding errors."""


def contribution_maps(contributions: list[list[Tensor]]) -> list[Tensor]:
    """Mean magnitude of what each modality adds to the fusion, per level ``(B, M, h, w)``.

    Args:
        contributions: Per level, per modality ``(B, C, h, w)``.
    """
    return [torch.stack([part.abs().mean(1) for part in parts], 1) for parts in contributions]


def response_maps(features: list[Tensor], gradients: Sequence[Tensor], count: int) -> list[Tensor]:
    """What each modality adds to the evidence around each cell, per level ``(B, M, h, w)`` >= 0.

    The contribution is signed: ``dS/dx * (x - mean(x))`` summed over channels and averaged over
    :data:`NEIGHBOURHOOD`, so that what pulls both ways cancels, and against the spatial mean, so
    that a uniform image adds nothing. What speaks against an object counts 0.

    Args:
        features: Level-major list of M modalities, ``(B, C, h, w)``.
        gradients: ``dS/dx`` of each.
        count: M.
    """
    maps = [
        _around(((x - x.mean((2, 3), keepdim=True)) * g).sum(1, keepdim=True)).clamp(min=0.0)
        for x, g in zip(features, gradients, strict=True)
    ]
    return [torch.cat(maps[i : i + count], 1) for i in range(0, len(maps), count)]


def _around(x: Tensor) -> Tensor:
    """Mean over the neighbourhood of each cell of ``(B, 1, h, w)``; nothing lies outside."""
    return F.avg_pool2d(x, NEIGHBOURHOOD, 1, NEIGHBOURHOOD // 2)


def box_energies(maps: list[Tensor], boxes: Tensor) -> Tensor:
    """The forward-only estimate: the mean of each map around each box, summed over levels.

    Args:
        maps: Of :func:`contribution_maps`.
        boxes: ``(B, N, 4)`` xyxy in pixels of the network input.

    Returns:
        ``(B, M, N)`` >= 0; 0 for a region outside the image.
    """
    means = []
    for level, stride in zip(maps, STRIDES, strict=False):
        rows, columns = _coverage(boxes, level, stride)
        height, width = (side.sum(-1).clamp(min=LEAST_SIDE) for side in (rows, columns))
        area = height * width  # (B, N)
        means.append(_sum_inside(level, rows, columns) / area[:, None])
    return torch.stack(means).sum(0)


def _coverage(boxes: Tensor, level: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Share of each row ``(B, N, h)`` and column ``(B, N, w)`` of cells that a region covers."""
    centre, half = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]) / 2
    low, high = (centre - CONTEXT * half) / stride, (centre + CONTEXT * half) / stride
    height, width = level.shape[2:]
    x = torch.arange(width, dtype=boxes.dtype, device=boxes.device)
    y = torch.arange(height, dtype=boxes.dtype, device=boxes.device)
    return _overlap(low[..., 1:], high[..., 1:], y), _overlap(low[..., :1], high[..., :1], x)


def _overlap(low: Tensor, high: Tensor, cells: Tensor) -> Tensor:
    """Length of ``[low, high]`` inside each unit cell ``[c, c + 1]``, in [0, 1]."""
    return (torch.minimum(high, cells + 1) - torch.maximum(low, cells)).clamp(0.0, 1.0)


def _sum_inside(level: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Sum of ``level`` ``(B, M, h, w)`` under each region, ``(B, M, N)``, by one product."""
    return ((rows[:, None] @ level) * columns[:, None]).sum(-1)
