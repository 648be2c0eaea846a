"""Fusion of the modalities at one pyramid level; the calibration gate plugs in before each kind."""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor, nn

from mdacl_ros.errors import ModelError


class ConcatFusion(nn.Module):
    """Concatenation followed by a 1x1 convolution, BatchNorm and an activation.

    Written as one projection per modality whose results are added: the same arithmetic as
    concat + 1x1, and what each modality contributes is there to be measured.

    Args:
        channels: Channels of each modality.
        out: Channels of the fused level.
        act: Its activation.
    """

    def __init__(self, channels: tuple[int, ...], out: int, act: type[nn.Module] = nn.SiLU) -> None:
        super().__init__()
        self.project = nn.ModuleList(nn.Conv2d(c, out, 1, bias=False) for c in channels)
        self.norm: nn.Module = nn.BatchNorm2d(out, eps=1e-3, momentum=0.03)
        self.act = act()

    def contributions(self, features: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
        """What each modality adds to the fused level, per modality ``(B, out, H, W)``.

        Args:
            features: Per modality ``(B, C, H, W)``, zero where it is not available.
            masks: Their availability, ``(B, 1, H, W)`` 0/1.
        """
        return [p(x) for p, x in zip(self.project, features, strict=True)]

    def forward(self, features: list[Tensor], masks: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Return the fused level ``(B, out, H, W)`` and the contributions."""
        parts = self.contributions(features, masks)
        return self.act(self.norm(reduce(torch.add, parts))), parts


class SumFusion(ConcatFusion):
    """Plain addition of the modalities, then one shared 1x1 convolution."""

    def __init__(self, channels: tuple[int, ...], out: int, act: type[nn.Module] = nn.SiLU) -> None:
        if len(set(channels)) != 1:
            raise ModelError(f"fusion: sum wants equal widths, got {channels}; use concat")
        super().__init__(channels, out, act)
        self.project = nn.ModuleList([self.project[0]])

    def contributions(self, features: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
        """What each modality adds; the projection is linear and shared."""
        return [self.project[0](x) for x in features]


class CrossAttentionFusion(ConcatFusion):
    """Each modality queries a pooled summary of the other, then concat + 1x1.

    Keys and values are averaged onto a fixed grid, so cost is linear in the image size and shapes
    stay static. The values start at zero, so that it starts as a plain concatenation.
    """

    GRID = (6, 8)
    WIDTH = 32

    def __init__(self, channels: tuple[int, ...], out: int, act: type[nn.Module] = nn.SiLU) -> None:
        super().__init__(channels, out, act)
        self.query = nn.ModuleList(nn.Conv2d(c, self.WIDTH, 1) for c in channels)
        self.key = nn.ModuleList(nn.Linear(c, self.WIDTH) for c in channels)
        self.value = nn.ModuleList(nn.Linear(c, c) for c in reversed(channels))
        for parameter in self.value.parameters():
            nn.init.zeros_(parameter)

    def contributions(self, features: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
        """What each modality adds after attending to the other; nothing where it is absent."""
        attended = [self._attend(m, features[m], features[1 - m]) * masks[m] for m in range(2)]
        return super().contributions(attended, masks)

    def _attend(self, m: int, x: Tensor, other: Tensor) -> Tensor:
        b, _, h, w = x.shape
        tokens = pool_to_grid(other, self.GRID).flatten(2).transpose(1, 2)  # (B, T, C)
        q = self.query[m](x).flatten(2).transpose(1, 2)  # (B, HW, width)
        k, v = self.key[1 - m](tokens), self.value[1 - m](tokens)  # (B, T, width), (B, T, C)
        weights = torch.softmax(q @ k.transpose(1, 2) / self.WIDTH**0.5, -1)  # (B, HW, T)
        return x + (weights @ v).transpose(1, 2).reshape(b, -1, h, w)


def pool_to_grid(x: Tensor, grid: tuple[int, int]) -> Tensor:
    """Average onto a grid, as ``adaptive_avg_pool2d`` does, in two matrix products.

    Pooling is separable, and unlike the operator a product has a gradient that every engine knows:
    the exact probe (:mod:`mdacl_ros.network.probe`) needs it.

    Args:
        x: ``(B, C, H, W)``.
        grid: Rows and columns of the grid.

    Returns:
        ``(B, C, *grid)``.
    """
    rows = x.new_tensor(_averages(x.shape[2], grid[0]))  # (rows, H)
    columns = x.new_tensor(_averages(x.shape[3], grid[1]))  # (columns, W)
    return rows @ x @ columns.transpose(0, 1)


def _averages(length: int, cells: int) -> list[list[float]]:
    """One row per cell: 1 / n over the n positions that the cell covers, 0 elsewhere."""
    windows = [(i * length // cells, -(-(i + 1) * length // cells)) for i in range(cells)]
    return [[(start <= p < end) / (end - start) for p in range(length)] for start, end in windows]


FUSIONS: dict[str, type[ConcatFusion]] = {
    "concat": ConcatFusion,
    "sum": SumFusion,
    "cross_attention": CrossAttentionFusion,
}
