from __future__ import annotations

import torch

from mdacl_ros.network.guidance import LowLevelGuidance


def guidance(identity: bool) -> LowLevelGuidance:
    torch.manual_seed(0)
    module = LowLevelGuidance(6, 4).eval()
    if not identity:
        for parameter in module.reproject.parameters():
            torch.nn.init.normal_(parameter)
    return module


def test_starts_as_the_identity() -> None:
    x = [torch.randn(2, 6, 4, 5) for _ in range(2)]
    ones = [torch.ones(2, 1, 4, 5)] * 2
    assert all(torch.equal(a, b) for a, b in zip(x, guidance(True)(x, ones)[0], strict=True))


def test_guides_only_where_both_cameras_see() -> None:
    x = [torch.randn(2, 6, 4, 5) for _ in range(2)]
    rgb, thermal = torch.ones(2, 1, 4, 5), torch.ones(2, 1, 4, 5)
    rgb[..., 0] = 0
    thermal[..., 4] = 0
    for before, after in zip(x, guidance(False)(x, [rgb, thermal])[0], strict=True):
        changed = (before != after).any(1)
        assert changed[..., 1:4].all()
        assert not changed[..., [0, 4]].any()
