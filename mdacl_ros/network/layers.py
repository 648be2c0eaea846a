"""Convolution blocks shared by the neck, the head and the backbone."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class SameConv2d(nn.Conv2d):
    """Convolution without bias and with TensorFlow's SAME padding.

    With stride 2 on an even input SAME pads the right and bottom side more than the left and top
    one: ImageNet weights ported from TensorFlow expect it, symmetric padding shifts features. The
    padding is part of this layer, so that what takes its place in another precision
    (:mod:`mdacl_ros.network.precision`) casts or quantises before it: TensorRT folds a padding into
    the convolution only if nothing stands between them.

    Args:
        c_in: Input channels.
        c_out: Output channels.
        kernel: Odd kernel size.
        stride: 1 or 2 (inputs of stride 2 must have even height and width).
        groups: Convolution groups.
    """

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int, groups: int) -> None:
        total = kernel - stride
        before = total // 2
        around = (before, total - before, before, total - before)
        symmetric = before == total - before
        super().__init__(
            c_in, c_out, kernel, stride, before if symmetric else 0, groups=groups, bias=False
        )
        self.uneven: tuple[int, int, int, int] | None = None if symmetric else around

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, c_in, H, W)`` to ``(B, c_out, H / stride, W / stride)``."""
        return super().forward(x if self.uneven is None else F.pad(x, self.uneven))


class ConvNormAct(nn.Module):
    """SAME convolution, BatchNorm, activation.

    Args:
        c_in: Input channels.
        c_out: Output channels.
        kernel: Odd kernel size.
        stride: Height and width of the input must be multiples of it.
        groups: Convolution groups; ``c_in`` for depthwise.
        act: Activation module, or ``None`` for a linear output.
        eps: BatchNorm's; the default is that of the ImageNet weights.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        act: nn.Module | None = None,
        eps: float = 1e-3,
    ) -> None:
        super().__init__()
        self.conv: nn.Conv2d = SameConv2d(c_in, c_out, kernel, stride, groups)
        self.norm: nn.Module = nn.BatchNorm2d(c_out, eps=eps, momentum=0.03)
        self.act: nn.Module = act if act is not None else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, c_in, H, W)`` to ``(B, c_out, H / stride, W / stride)``."""
        return self.act(self.norm(self.conv(x)))


def separable(
    c_in: int,
    c_out: int,
    kernel: int = 3,
    stride: int = 1,
    act: type[nn.Module] = nn.SiLU,
) -> nn.Sequential:
    """Depthwise + pointwise convolution, each with BatchNorm; ``act`` after the pointwise one."""
    return nn.Sequential(
        ConvNormAct(c_in, c_in, kernel, stride, groups=c_in),
        ConvNormAct(c_in, c_out, act=act()),
    )


class ScaleShift(nn.Module):
    """What a BatchNorm is once its statistics are fixed: ``x * scale + shift`` per channel."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        assert norm.running_var is not None
        assert norm.running_mean is not None
        scale = norm.weight.detach() * (norm.running_var + norm.eps).rsqrt()
        shift = norm.bias.detach() - norm.running_mean * scale
        self.register_buffer("scale", scale[:, None, None])
        self.register_buffer("shift", shift[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to the same shape."""
        return x * self.scale + self.shift
