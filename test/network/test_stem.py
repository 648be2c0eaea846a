from __future__ import annotations

import pytest
import torch

from mdacl_ros.network.stem import Stem


@pytest.mark.parametrize("channels", [3, 1])
def test_one_level_of_stride_8(channels: int) -> None:
    stem = Stem(channels, (4, 8, 12)).eval()
    (level,) = stem(torch.rand(2, channels, 64, 96))
    assert level.shape == (2, 12, 8, 12)
    assert stem.channels == (12,)


@pytest.mark.parametrize("channels", [3, 1])
def test_every_pixel_is_seen_and_cells_stay_where_they_are(channels: int) -> None:
    torch.manual_seed(0)
    stem = Stem(channels, (4, 8, 12)).eval()
    image = torch.rand(1, channels, 128, 128, requires_grad=True)
    (level,) = stem(image)
    level.sum().backward()
    assert image.grad is not None
    assert (image.grad.abs().sum(1) > 0).float().mean() > 0.9  # some units are cut off by ReLU6
    image.grad = None
    (level,) = stem(image)
    level[0, :, 8, 8].sum().backward()
    rows = torch.arange(128.0) + 0.5
    weight = image.grad.abs().sum((0, 1, 3))
    centre = (weight * rows).sum() / weight.sum()
    assert abs(centre - 8.5 * 8) < 4  # the middle of the cell, within half of it
