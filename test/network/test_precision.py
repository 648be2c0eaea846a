from __future__ import annotations

import copy
import re

import pytest
import torch
from torch import Tensor, nn

from mdacl_ros.errors import ModelError
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.layers import SameConv2d
from mdacl_ros.network.precision import (
    TypedConv2d,
    fake_quantiser,
    half,
    measured_convolutions,
    quantisable,
    quantised,
)
from mdacl_ros.network.probe import fold_norms

from .random_models import MICRO, ONE_TRUNK, random_detector, random_inputs


@pytest.fixture(scope="module", params=[MICRO, ONE_TRUNK], ids=lambda c: c.architecture)
def folded(request: pytest.FixtureRequest) -> Detector:
    return fold_norms(random_detector(request.param)).requires_grad_(False)


@pytest.fixture(scope="module")
def ranges(folded: Detector) -> dict[str, float]:
    """Of one input, by hooks of their own."""
    found: dict[str, float] = {}
    hooks = [
        conv.register_forward_pre_hook(
            lambda _, inputs, name=name: found.__setitem__(name, float(inputs[0].abs().max()))
        )
        for name, conv in quantisable(folded).items()
    ]
    with torch.no_grad():
        folded(*random_inputs())
    for hook in hooks:
        hook.remove()
    return found


def test_all_but_the_measured_convolutions_are_quantisable(folded: Detector) -> None:
    names = set(quantisable(folded))
    convolutions = {n for n, m in folded.named_modules() if isinstance(m, nn.Conv2d)}
    auxiliary = {n for n in convolutions if n.startswith("auxiliary_head.")}
    measured = {n for n, m in folded.named_modules() if m in measured_convolutions(folded)}
    assert names == convolutions - auxiliary - measured
    assert {"guidance.mask", "guidance.reproject.0", "fusions.0.project.1"} <= measured
    assert len(measured) == 6 + 2 * folded.levels + 3  # head, fusions, guidance


@pytest.mark.parametrize("steps", [127, 63])
def test_fake_quantiser_rounds_to_the_symmetric_grid(steps: int) -> None:
    torch.manual_seed(0)
    weight = torch.randn(4, 3, 3, 3)
    largest = weight.abs().amax((1, 2, 3), keepdim=True)
    grid = fake_quantiser(steps)(weight, largest) / largest * steps
    assert torch.allclose(grid, grid.round(), atol=1e-4)
    assert torch.allclose(grid, weight / largest * steps, atol=0.5001)
    x = torch.linspace(-1, 1, 1001)
    inputs = fake_quantiser(steps)(x, torch.tensor(1.0)) * 127
    assert torch.allclose(inputs, (x * 127).round(), atol=1e-3)
    assert float(fake_quantiser(steps)(torch.zeros(1), torch.tensor(0.3))) == 0.0
    assert float(fake_quantiser(steps)(torch.tensor(9.0), torch.tensor(1.0))) == 1.0


def test_casts_and_quantises_before_the_padding() -> None:
    seen: list[tuple[int, ...]] = []

    def identity(x: Tensor, amax: Tensor) -> Tensor:
        seen.append(tuple(x.shape))
        return x

    conv = SameConv2d(2, 3, 3, 2, 1).requires_grad_(False)
    x = torch.randn(1, 2, 8, 8)
    y = TypedConv2d(conv, torch.float32, False, 1.0, identity)(x)
    assert seen == [(1, 2, 8, 8), (3, 2, 3, 3)]
    assert torch.equal(y, conv(x))


def test_a_quantiser_that_does_nothing_changes_no_bit(
    folded: Detector, ranges: dict[str, float]
) -> None:
    """Every convolution is replaced by an equal one, inputs and weights each quantised once."""
    calls = 0

    def identity(x: Tensor, amax: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return x

    inputs = random_inputs()
    with torch.no_grad():
        expected = folded(*inputs)
        got = quantised(copy.deepcopy(folded), ranges, identity)(*inputs)
    assert calls == 2 * len(ranges)
    assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))


def test_int8_in_half_precision_widens_what_is_measured(
    folded: Detector, ranges: dict[str, float]
) -> None:
    """As it is for TensorRT: the rest in half precision, all outputs float32."""
    model = quantised(copy.deepcopy(folded), ranges, dtype=torch.float16)
    types = [m.dtype for m in model.modules() if isinstance(m, TypedConv2d)]
    assert types == [torch.float16] * len(types)
    assert len(types) == len(ranges) + len(measured_convolutions(folded))
    with torch.no_grad():
        out = model(*random_inputs())
    assert all(x.dtype in (torch.float32, torch.int64) for x in out)
    assert all(torch.isfinite(x).all() for x in out)


def test_half_precision_is_near_float32(folded: Detector) -> None:
    inputs = random_inputs()
    with torch.no_grad():
        expected = folded(*inputs)
        got = half(copy.deepcopy(folded))(*inputs)
    for name, tolerance in {"scores": 0.03, "gates": 2e-3, "entropies": 1e-3}.items():
        assert torch.allclose(getattr(got, name), getattr(expected, name), atol=tolerance)
    assert torch.allclose(got.energies, expected.energies, rtol=0.02)
    assert all(x.dtype in (torch.float32, torch.int64) for x in got)


def test_streams_alone_can_be_replaced(folded: Detector, ranges: dict[str, float]) -> None:
    """For the gradient probe, whose gradients underflow in half precision."""
    model = quantised(copy.deepcopy(folded), ranges, parts=("streams",))
    assert any(isinstance(m, TypedConv2d) for m in model.streams.modules())
    rest = (model.fusions, model.neck, model.head)
    assert not any(isinstance(m, TypedConv2d) for part in rest for m in part.modules())


def test_a_convolution_without_range_is_named(folded: Detector, ranges: dict[str, float]) -> None:
    some = dict(ranges)
    first = sorted(some)[-1]
    del some[first]
    with pytest.raises(ModelError, match=f"no range for {re.escape(first)}"):
        quantised(copy.deepcopy(folded), some)
