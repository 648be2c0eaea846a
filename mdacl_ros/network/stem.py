"""The light stream of one camera up to the fusion at stride 8: few, wide convolutions.

Own design. Lite0's first blocks write 28 million values for a 640x480 image, mostly in depthwise
layers that wait for memory; these five convolutions write 3 million (thermal: 1.5) at about the
same number of multiply-adds, in the form that INT8 and 16-bit matrix units are made for.
"""

from __future__ import annotations

from torch import Tensor, nn

from mdacl_ros.network.backbone import normalised
from mdacl_ros.network.layers import ConvNormAct


class Stem(nn.Module):
    """Image to features at stride 8.

    RGB halves its size twice before the body. Thermal has one channel and less detail: a single
    7x7 convolution of stride 4 sees the whole image at its own resolution, and costs little.

    Args:
        in_channels: 3 for RGB, 1 for thermal.
        widths: Channels at strides 2 (RGB only), 4 and 8.

    Attributes:
        channels: Channels of the one level it returns.
    """

    def __init__(self, in_channels: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        half, quarter, eighth = widths
        first = (
            [_conv(in_channels, quarter, 7, 4)]
            if in_channels == 1
            else [_conv(in_channels, half, 3, 2), _conv(half, quarter, 3, 2)]
        )
        self.layers = nn.Sequential(
            *first,
            _conv(quarter, quarter, 3),
            _conv(quarter, eighth, 3, 2),
            _conv(eighth, eighth, 3),
        )
        self.channels = (eighth,)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map an image in [0, 1], ``(B, C, H, W)``, to its one level ``(B, eighth, H/8, W/8)``."""
        return [self.layers(normalised(x))]


def _conv(c_in: int, c_out: int, kernel: int, stride: int = 1) -> ConvNormAct:
    return ConvNormAct(c_in, c_out, kernel, stride, act=nn.ReLU6())
