"""Light path-aggregation neck over the fused pyramid."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from mdacl_ros.network.layers import ConvNormAct, separable


class Neck(nn.Module):
    """Top-down then bottom-up pyramid (after PANet, arXiv 1803.01534), depthwise-separable.

    Args:
        width: Channels of every level.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.top_down = nn.ModuleList(separable(2 * width, width, 5) for _ in range(2))
        self.down = nn.ModuleList(separable(width, width, 3, 2) for _ in range(2))
        self.bottom_up = nn.ModuleList(separable(2 * width, width, 5) for _ in range(2))

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """Refine levels of stride 8, 16, 32, each ``(B, width, H, W)``."""
        p3, p4, p5 = levels
        p4 = self.top_down[0](torch.cat([p4, F.interpolate(p5, scale_factor=2.0)], 1))
        p3 = self.top_down[1](torch.cat([p3, F.interpolate(p4, scale_factor=2.0)], 1))
        p4 = self.bottom_up[0](torch.cat([p4, self.down[0](p3)], 1))
        p5 = self.bottom_up[1](torch.cat([p5, self.down[1](p4)], 1))
        return [p3, p4, p5]


class SumNeck(nn.Module):
    """The same pyramid, with sums in place of concatenations and ReLU6 in place of SiLU.

    Quantised convolutions lose what they gain to concatenations and to SiLU between them.

    Args:
        channels: Channels of the levels that enter.
        width: Channels of every level that leaves.
    """

    def __init__(self, channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(ConvNormAct(c, width, act=nn.ReLU6()) for c in channels)

        def layers(kernel: int, stride: int) -> nn.ModuleList:
            return nn.ModuleList(
                separable(width, width, kernel, stride, nn.ReLU6) for _ in range(2)
            )

        self.top_down, self.down, self.bottom_up = layers(5, 1), layers(3, 2), layers(5, 1)

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """Refine levels of stride 8, 16, 32 into ``(B, width, H, W)`` each."""
        p3, p4, p5 = (conv(x) for conv, x in zip(self.lateral, levels, strict=True))
        p4 = self.top_down[0](p4 + F.interpolate(p5, scale_factor=2.0))
        p3 = self.top_down[1](p3 + F.interpolate(p4, scale_factor=2.0))
        p4 = self.bottom_up[0](p4 + self.down[0](p3))
        p5 = self.bottom_up[1](p5 + self.down[1](p4))
        return [p3, p4, p5]
