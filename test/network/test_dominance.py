from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.network.diversity import channel_entropy
from mdacl_ros.network.dominance import dominance_shares, mdi

positive = st.floats(1e-3, 1e3)
pairs = st.tuples(positive, positive)
FEW = settings(max_examples=60, deadline=None)


def shares(h: tuple[float, float], g: tuple[float, float], delta: float = 0.5) -> np.ndarray:
    return dominance_shares(np.array([h]), np.array([g]), delta)


@given(pairs, pairs, st.floats(0, 1))
@FEW
def test_shares_and_index_stay_in_range(
    h: tuple[float, float], g: tuple[float, float], delta: float
) -> None:
    d = shares(h, g, delta)
    assert d.sum() == pytest.approx(1)
    assert (d >= 0).all()
    assert -1 <= mdi(d)[0] <= 1


@given(pairs, pairs)
@FEW
def test_swapping_the_cameras_turns_the_sign(
    h: tuple[float, float], g: tuple[float, float]
) -> None:
    assert mdi(shares(h, g))[0] == pytest.approx(-mdi(shares(h[::-1], g[::-1]))[0], abs=1e-9)


@given(pairs, pairs, positive, positive)
@FEW
def test_common_scale_does_not_matter(
    h: tuple[float, float], g: tuple[float, float], a: float, b: float
) -> None:
    scaled = shares((a * h[0], a * h[1]), (b * g[0], b * g[1]))
    assert mdi(scaled)[0] == pytest.approx(mdi(shares(h, g))[0], abs=1e-6)


@given(pairs, pairs)
@FEW
def test_numpy_and_torch_agree(h: tuple[float, float], g: tuple[float, float]) -> None:
    double = torch.float64
    ours = dominance_shares(torch.tensor([h], dtype=double), torch.tensor([g], dtype=double))
    assert np.allclose(ours.numpy(), shares(h, g))
    assert mdi(ours).item() == pytest.approx(mdi(shares(h, g))[0])


def test_known_values() -> None:
    assert mdi(shares((1, 1), (1, 1)))[0] == pytest.approx(0)
    assert mdi(shares((1, 1), (4, 1)))[0] == pytest.approx(1 / 3)  # D = 2 : 1
    assert mdi(shares((1, 1), (4, 1), delta=0.0))[0] == pytest.approx(0)
    assert mdi(shares((1, 1), (4, 1), delta=1.0))[0] == pytest.approx(0.6)


def test_absent_modality_has_no_share() -> None:
    d = shares((0.8, 0.0), (3.0, 0.0))
    assert d[0] == pytest.approx([1, 0], abs=1e-9)
    assert np.allclose(shares((0, 0), (0, 0)), 0.5)


@given(st.integers(2, 12), st.integers(0, 1000))
@FEW
def test_entropy_range_and_invariance(channels: int, seed: int) -> None:
    x = torch.randn(3, channels, 4, 5, generator=torch.Generator().manual_seed(seed))
    h = channel_entropy(x)
    assert ((h >= 0) & (h <= 1)).all()
    assert torch.allclose(channel_entropy(7 * x), h, atol=1e-5)
    assert torch.allclose(channel_entropy(x.flip(1)), h, atol=1e-5)


def test_entropy_of_known_distributions() -> None:
    equal = torch.ones(1, 8, 2, 2)
    one = torch.zeros(1, 8, 2, 2)
    one[0, 3] = 2.0
    half = torch.zeros(1, 8, 2, 2)
    half[0, :4] = 1.0
    got = torch.cat([channel_entropy(x) for x in (equal, one, half, torch.zeros(1, 8, 2, 2))])
    wanted = torch.tensor([1.0, 0.0, math.log(4) / math.log(8), 0.0])
    assert torch.allclose(got, wanted, atol=1e-5)
