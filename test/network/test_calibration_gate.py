from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mdacl_ros.network.calibration_gate import CalibrationGate

FEW = settings(max_examples=25, deadline=None)
widths = st.lists(st.integers(1, 9), min_size=1, max_size=4)
seeds = st.integers(0, 10_000)


def random_gate(dims: list[int], layout: str = "conv") -> CalibrationGate:
    gate = CalibrationGate(dims, layout, hidden=8)
    for parameter in gate.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return gate.eval()


def maps(dims: list[int], batch: int = 2) -> list[Tensor]:
    return [torch.randn(batch, c, 3, 4) for c in dims]


@given(widths, seeds)
@FEW
def test_starts_as_the_identity(dims: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    features = maps(dims)
    out = CalibrationGate(dims)(features)
    assert all(torch.equal(x, y) for x, y in zip(features, out.features, strict=True))
    assert torch.equal(out.instance, torch.ones(2, len(dims)))


@given(widths, seeds)
@FEW
def test_gates_lie_between_0_and_2(dims: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    features = maps(dims)
    out = random_gate(dims)(features)
    assert out.instance.shape == (2, len(dims))
    assert ((out.instance > 0) & (out.instance < 2)).all()
    for m, (x, y, b) in enumerate(zip(features, out.features, out.dimension, strict=True)):
        assert ((b > 0) & (b < 2)).all()
        expected = x * (out.instance[:, m : m + 1] * b)[:, :, None, None]
        assert torch.allclose(y, expected)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), seeds)
@FEW
def test_absent_modality_is_zero_and_without_influence(dims: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    absent = seed % len(dims)
    gate, features = random_gate(dims), maps(dims)
    masks = [torch.full((2, 1, 3, 4), float(m != absent)) for m in range(len(dims))]
    first = gate(features, masks)
    features[absent] = 1e3 * torch.randn_like(features[absent])
    second = gate(features, masks)
    assert not first.features[absent].any()
    assert not first.instance[:, absent].any()
    assert not first.dimension[absent].any()
    assert all(torch.equal(x, y) for x, y in zip(first.features, second.features, strict=True))
    assert torch.equal(first.instance, second.instance)


@given(st.lists(st.integers(1, 9), min_size=3, max_size=4), seeds)
@FEW
def test_absent_modality_leaves_the_context(dims: list[int], seed: int) -> None:
    """The others answer as in a gate that never had the absent modality."""
    torch.manual_seed(seed)
    gate, features = random_gate(dims), maps(dims)
    masks = [torch.ones(2, 1, 1, 1) for _ in dims]
    masks[-1] = torch.zeros(2, 1, 1, 1)
    masks = [m.expand(-1, -1, 3, 4) for m in masks]
    smaller = CalibrationGate(dims[:-1], hidden=8)
    state = gate.state_dict()
    smaller.load_state_dict({k: state[k] for k in smaller.state_dict()})
    out, expected = gate(features, masks), smaller(features[:-1])
    assert torch.allclose(out.instance[:, :-1], expected.instance, atol=1e-6)


@given(widths, seeds)
@FEW
def test_layouts_agree(dims: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    conv, features = random_gate(dims), maps(dims)
    sequence = random_gate(dims, "sequence")
    sequence.load_state_dict(conv.state_dict())
    tokens = [x.flatten(2).transpose(1, 2) for x in features]
    masks = [(torch.rand(2, 1, 3, 4) > 0.4).float() for _ in dims]
    a = conv(features, masks)
    b = sequence(tokens, [m.flatten(2).transpose(1, 2) for m in masks])
    assert torch.allclose(a.instance, b.instance, atol=1e-5)
    for x, y in zip(a.features, b.features, strict=True):
        assert torch.allclose(x.flatten(2).transpose(1, 2), y, atol=1e-5)


@given(widths, seeds)
@FEW
def test_uncovered_pixels_change_nothing(dims: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    gate, features = random_gate(dims), maps(dims)
    masks = [(torch.rand(2, 1, 3, 4) > 0.5).float() for _ in dims]
    changed = [
        x + 100 * torch.randn_like(x) * (1 - m) for x, m in zip(features, masks, strict=True)
    ]
    first, second = gate(features, masks), gate(changed, masks)
    assert torch.equal(first.instance, second.instance)
    for x, y, m in zip(first.features, second.features, masks, strict=True):
        assert torch.equal(x, y)
        assert not (x * (1 - m)).any()


def test_agreement_and_conflict_are_told_apart() -> None:
    """The cues see whether the modalities agree: with weights that reward it, the gate opens."""
    torch.manual_seed(0)
    gate = CalibrationGate([4, 4], hidden=8)
    gate.summarise[1].load_state_dict(gate.summarise[0].state_dict())
    for instance in gate.instance:
        torch.nn.init.zeros_(instance.weight)
        instance.weight.data[0, -1] = 3.0  # the cosine cue
    x = torch.randn(1, 4, 3, 4)
    agreeing = gate([x, x]).instance
    conflicting = gate([x, 5 * torch.randn(1, 4, 3, 4)]).instance
    assert (agreeing > 1.8).all()
    assert (conflicting < agreeing).all()


@pytest.mark.parametrize(("dims", "layout"), [([], "conv"), ([3], "image")])
def test_refuses_nonsense(dims: list[int], layout: str) -> None:
    with pytest.raises(ValueError, match="CalibrationGate: got"):
        CalibrationGate(dims, layout)
