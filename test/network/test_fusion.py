from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from mdacl_ros.network.fusion import pool_to_grid


@pytest.mark.parametrize("size", [(10, 13), (40, 52), (3, 4), (60, 80)])
def test_pooling_to_a_grid_is_adaptive_average_pooling(size: tuple[int, int]) -> None:
    x = torch.rand(2, 5, *size, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(pool_to_grid(x, (6, 8)), F.adaptive_avg_pool2d(x, (6, 8)), atol=1e-6)
