from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mdacl_ros.network.calibration_gate import CalibrationGate, Layout
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.fusion import FUSIONS

from .random_models import MICRO, random_inputs

FEW = settings(max_examples=25, deadline=None)
widths = st.lists(st.integers(1, 9), min_size=1, max_size=5)
seeds = st.integers(0, 10_000)
layouts: st.SearchStrategy[Layout] = st.sampled_from(["conv", "sequence"])


def random_gate(dims: list[int], layout: Layout = "conv", std: float = 0.7) -> CalibrationGate:
    gate = CalibrationGate(dims, layout, hidden=8)
    for parameter in gate.parameters():
        torch.nn.init.normal_(parameter, std=std)
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
    # Beyond 16.6 a float32 sigmoid is 1: the open bounds hold for weights that stay below.
    out = random_gate(dims, std=0.5)(features)
    assert out.instance.shape == (2, len(dims))
    assert ((out.instance > 0) & (out.instance < 2)).all()
    for m, (x, y, b) in enumerate(zip(features, out.features, out.dimension, strict=True)):
        assert ((b > 0) & (b < 2)).all()
        expected = x * (out.instance[:, m : m + 1] * b)[:, :, None, None]
        assert torch.allclose(y, expected)


def test_gates_of_extreme_weights_reach_the_bounds_and_no_further() -> None:
    torch.manual_seed(0)
    out = random_gate([6, 8], std=100.0)(maps([6, 8]))
    gates = torch.cat([out.instance, *out.dimension], 1)
    assert ((gates >= 0) & (gates <= 2)).all()
    assert (gates == 2).any()


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), seeds)
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


@given(st.lists(st.integers(1, 9), min_size=3, max_size=5), seeds)
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


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), seeds)
@FEW
def test_order_of_tied_modalities_does_not_matter(dims: list[int], seed: int) -> None:
    """With one set of weights for all, permuted inputs give permuted outputs."""
    torch.manual_seed(seed)
    count = len(dims)
    gate, features = random_gate([3] * count), maps([3] * count)
    for parts in (gate.summarise, gate.instance, gate.dimension):
        for part in parts:
            part.load_state_dict(parts[0].state_dict())
    present = (torch.rand(2, count) > 0.3).float()
    order = torch.randperm(count)
    first = gate(features, present)
    second = gate([features[i] for i in order], present[:, order])
    assert torch.allclose(first.instance[:, order], second.instance, atol=1e-5)
    for i, y in zip(order, second.features, strict=True):
        assert torch.allclose(first.features[i], y, atol=1e-5)


@given(layouts, seeds)
@FEW
def test_sizes_may_differ_between_modalities(layout: Layout, seed: int) -> None:
    """The summaries are means: a map repeated to another size is gated alike."""
    torch.manual_seed(seed)
    gate = random_gate([3, 5], layout)
    a, b = maps([3, 5]) if layout == "conv" else (torch.randn(2, 6, 3), torch.randn(2, 6, 5))
    repeats = (1, 1, 2, 3) if layout == "conv" else (1, 4, 1)
    out, larger = gate([a, b]), gate([a, b.repeat(repeats)])
    assert torch.allclose(out.instance, larger.instance, atol=1e-5)
    assert larger.features[0].shape == a.shape
    assert torch.allclose(out.features[1].repeat(repeats), larger.features[1], atol=1e-4)


@given(layouts, seeds)
@FEW
def test_all_ways_to_write_a_mask_agree(layout: Layout, seed: int) -> None:
    torch.manual_seed(seed)
    gate = random_gate([3, 5, 2], layout)
    features = maps([3, 5, 2])
    if layout == "sequence":
        features = [x.flatten(2).transpose(1, 2) for x in features]
    channel = 1 if layout == "conv" else 2
    present = (torch.rand(2, 3) > 0.4).float()
    full = [
        present[:, m].view(2, *[1] * (x.dim() - 1)) * torch.ones_like(x).narrow(channel, 0, 1)
        for m, x in enumerate(features)
    ]
    wanted = gate(features, full)
    for masks in (
        present,
        present.bool(),
        [present[:, m] for m in range(3)],
        [mask.squeeze(channel) for mask in full],
        [mask.bool() for mask in full],
        [present[:, m].view(2, *[1] * (x.dim() - 1)) for m, x in enumerate(features)],
    ):
        out = gate(features, masks)
        assert torch.equal(out.instance, wanted.instance)
        assert all(torch.equal(x, y) for x, y in zip(out.features, wanted.features, strict=True))


def test_padding_of_a_sequence_changes_nothing() -> None:
    torch.manual_seed(0)
    gate = random_gate([3, 5], "sequence")
    tokens = [torch.randn(2, 6, 3), torch.randn(2, 4, 5)]
    padded = torch.cat([tokens[0], 100 * torch.randn(2, 3, 3)], 1)
    valid = (torch.arange(9) < 6).expand(2, 9)
    out, expected = gate([padded, tokens[1]], [valid, torch.ones(2, 4)]), gate(tokens)
    assert torch.allclose(out.instance, expected.instance, atol=1e-6)
    assert torch.allclose(out.features[0][:, :6], expected.features[0], atol=1e-6)
    assert not out.features[0][:, 6:].any()


def test_modulation_is_the_mean_factor() -> None:
    torch.manual_seed(0)
    gate = random_gate([4, 6])
    features = [torch.ones(2, c, 3, 4) for c in (4, 6)]
    out = gate(features, torch.tensor([[1.0, 1.0], [1.0, 0.0]]))
    applied = torch.stack([y.mean((1, 2, 3)) for y in out.features], 1)
    assert torch.allclose(out.modulation, applied, atol=1e-6)
    assert out.modulation[1, 1] == 0


@pytest.mark.parametrize("scene", ["ordinary", "constant", "absent", "alone", "none", "empty mask"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_gradients_are_finite(scene: str, count: int) -> None:
    torch.manual_seed(0)
    gate = random_gate([3] * count)
    features, present = maps([3] * count), torch.ones(2, count)
    if scene == "constant":
        features[0] = torch.zeros_like(features[0])
    elif scene == "absent":
        present[0, -1] = 0
    elif scene == "alone":
        present[:, 1:] = 0
    elif scene == "none":
        present[:] = 0
    masks = [present[:, m].view(2, 1, 1, 1) for m in range(count)]
    if scene == "empty mask":
        masks[0] = masks[0].expand(-1, -1, 3, 4) * (torch.arange(4) > 4)
    for x in features:
        x.requires_grad_()
    out = gate(features, masks)
    (sum(y.sum() for y in out.features) + out.modulation.sum()).backward()
    for tensor in (*features, *gate.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()
    absent = present == 0
    for m, x in enumerate(features):
        assert x.grad is not None
        assert not x.grad[absent[:, m]].any()


def test_gradient_is_the_derivative() -> None:
    torch.manual_seed(0)
    gate = random_gate([2, 3]).double()
    features = [torch.randn(2, c, 2, 3, dtype=torch.float64, requires_grad=True) for c in (2, 3)]
    masks = [torch.ones(2, 1, 2, 3), (torch.rand(2, 1, 2, 3) > 0.5).float()]
    assert torch.autograd.gradcheck(lambda a, b: tuple(gate([a, b], masks).features), features)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("how", ["autocast", "weights"])
def test_16_bit_features_keep_their_type_and_do_not_overflow(kind: torch.dtype, how: str) -> None:
    """A sum over this map is far beyond float16's largest number, 65504."""
    torch.manual_seed(0)
    gate = random_gate([4, 6])
    features = [(60 * (torch.randn(2, c, 60, 80) + 3)).to(kind) for c in (4, 6)]
    expected = gate([x.float() for x in features])
    gate = gate.to(kind) if how == "weights" else gate
    with torch.autocast("cpu", dtype=kind, enabled=how == "autocast"):
        out = gate(features, torch.ones(2, 2))
    assert [x.dtype for x in out.features] == [kind, kind]
    assert out.instance.dtype == torch.float32
    assert torch.allclose(out.instance, expected.instance, atol=0.05)
    assert all(x.isfinite().all() for x in out.features)


@pytest.mark.parametrize("layout", ["conv", "sequence"])
def test_exports_with_any_batch(layout: Layout) -> None:
    torch.manual_seed(0)
    wrapped = _Flat(random_gate([3, 5], layout))

    def inputs(batch: int) -> tuple[Tensor, ...]:
        if layout == "conv":
            shapes = [(batch, 3, 4, 6), (batch, 5, 2, 3)]
        else:
            shapes = [(batch, 7, 3), (batch, 4, 5)]
        return *(torch.randn(shape) for shape in shapes), (torch.rand(batch, 2) > 0.3).float()

    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(wrapped, inputs(2), dynamic_shapes=({0: batch},) * 3).module()
    for size in (1, 2, 5):
        given_inputs = inputs(size)
        for x, y in zip(exported(*given_inputs), wrapped(*given_inputs), strict=True):
            assert torch.allclose(x, y, atol=1e-6)


class _Flat(torch.nn.Module):
    """The gate with tensors in and tensors out."""

    def __init__(self, gate: CalibrationGate) -> None:
        super().__init__()
        self.gate = gate

    def forward(self, a: Tensor, b: Tensor, present: Tensor) -> list[Tensor]:
        out = self.gate([a, b], present)
        return [*out.features, out.instance]


@pytest.mark.parametrize("kind", sorted(FUSIONS))
def test_goes_before_every_fusion_of_the_detector(kind: str) -> None:
    """At its start it changes no answer of a detector without it; then it learns behind each."""
    gated, plain = (
        Detector(replace(MICRO, fusion=kind, use_gate=use_gate)).eval()
        for use_gate in (True, False)
    )
    gated.load_state_dict(plain.state_dict(), strict=False)
    inputs = random_inputs()
    with torch.no_grad():
        expected = plain(*inputs)
    out = gated(*inputs)
    assert torch.allclose(out.boxes, expected.boxes)
    assert torch.allclose(out.scores, expected.scores)
    out.scores.sum().backward()
    for parameter in gated.gates[0].instance.parameters():
        assert parameter.grad is not None
        assert parameter.grad.any()


def test_names_of_the_weights_stay() -> None:
    """Stored weights load by these names."""
    parts = ("summarise.{}.0", "summarise.{}.1", "instance.{}", "dimension.{}")
    assert set(CalibrationGate([2, 3]).state_dict()) == {
        f"{part.format(m)}.{name}"
        for part in parts
        for m in range(2)
        for name in ("weight", "bias")
    }


@pytest.mark.parametrize(
    ("dims", "layout", "hidden"),
    [([], "conv", 8), ([3], "image", 8), ([3, 0], "conv", 8), ([3], "sequence", 1)],
)
def test_refuses_nonsense(dims: list[int], layout: Layout, hidden: int) -> None:
    with pytest.raises(ValueError, match="CalibrationGate: got"):
        CalibrationGate(dims, layout, hidden)


@pytest.mark.parametrize("shapes", [[(2, 3, 4, 4)], [(2, 3, 4), (2, 5, 4)], [(2, 5, 4, 4)] * 2])
def test_refuses_features_that_were_not_declared(shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match=r"wanted 2 of \(B, C, H, W\) with C = \[3, 5\]"):
        CalibrationGate([3, 5])([torch.zeros(shape) for shape in shapes])


@pytest.mark.parametrize(
    "masks",
    [
        torch.ones(2, 3),
        torch.ones(2, 1, 4, 4),
        [torch.ones(2)],
        [torch.ones(2), torch.ones(2, 1, 3, 4)],
        [torch.ones(2), torch.ones(2, 5, 4, 4)],
    ],
)
def test_refuses_masks_that_do_not_fit(masks: Tensor | list[Tensor]) -> None:
    features = [torch.zeros(2, c, 4, 4) for c in (3, 5)]
    with pytest.raises(ValueError, match=r"CalibrationGate: got .*mask.*wanted"):
        CalibrationGate([3, 5])(features, masks)
