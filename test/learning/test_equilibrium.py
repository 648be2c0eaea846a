from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mdacl_tools.learning.equilibrium import (
    RATE_WEIGHTS,
    ModalityDiscriminator,
    RunningDominance,
    rate_weights,
    reversal_strength,
    reverse_gradient,
)


def test_reversal_is_the_identity_forward_and_negates_the_gradient() -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    y = reverse_gradient(x, 0.5)
    assert torch.equal(y, x)
    (y * torch.tensor([3.0, 4.0])).sum().backward()
    assert x.grad is not None
    assert torch.allclose(x.grad, torch.tensor([-1.5, -2.0]))


def test_reversal_ramps_from_nothing_to_one() -> None:
    assert reversal_strength(0.0) == 0.0
    assert 0.9 < reversal_strength(0.5) < reversal_strength(1.0) < 1.0


@given(st.floats(0.01, 0.99), st.floats(0.0, 2.0))
def test_the_dominant_modality_is_damped(rgb: float, damping: float) -> None:
    weights = rate_weights(torch.tensor([rgb, 1 - rgb]), damping)
    low, high = RATE_WEIGHTS
    assert ((weights >= low) & (weights <= high)).all()
    if damping > 0.01 and abs(rgb - 0.5) > 0.01:
        assert (weights[0] < weights[1]) == (rgb > 0.5)


def test_equal_shares_leave_rates_as_they_are() -> None:
    assert torch.allclose(rate_weights(torch.tensor([0.5, 0.5]), 1.0), torch.ones(2))


def contributions(apart: float) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(4, 8, 5, 5) + apart, torch.randn(4, 8, 5, 5) - apart]


def test_discriminator_learns_and_features_learn_to_fool_it() -> None:
    torch.manual_seed(0)
    discriminator = ModalityDiscriminator(8)
    masks = [torch.ones(4, 1, 5, 5)] * 2
    optimizer = torch.optim.Adam(discriminator.parameters(), 0.01)
    for _ in range(60):
        loss, right = discriminator(contributions(0.7), masks, 0.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert right > 0.9
    shift = torch.zeros(1, 8, 1, 1, requires_grad=True)
    rgb, thermal = contributions(0.7)
    before, _ = discriminator([rgb + shift, thermal], masks, 1.0)
    before.backward()
    assert shift.grad is not None
    with torch.no_grad():
        after, _ = discriminator([rgb - 2 * shift.grad / shift.grad.norm(), thermal], masks, 1.0)
    assert after > before  # descending the reversed gradient makes the cameras harder to tell apart


def test_absent_cells_do_not_count() -> None:
    discriminator = ModalityDiscriminator(8)
    rgb, thermal = contributions(0.3)
    masks = [torch.ones(4, 1, 5, 5), torch.zeros(4, 1, 5, 5)]
    loss, _ = discriminator([rgb, thermal], masks, 1.0)
    other, _ = discriminator([rgb, thermal * 100], masks, 1.0)
    assert torch.equal(loss, other)


def test_running_dominance_follows_batches() -> None:
    running = RunningDominance(momentum=0.5)
    for _ in range(20):
        running.update(torch.tensor([0.8, 0.2]), torch.tensor(1.0))
    assert running.shares.tolist() == pytest.approx([0.8, 0.2], abs=1e-4)
    assert running.mdi.item() == pytest.approx(0.6, abs=1e-4)
    assert running.offset.item() == pytest.approx(1.0, abs=1e-4)


def test_estimate_takes_the_running_offset_into_account() -> None:
    running = RunningDominance()
    running.offset.fill_(2.0)
    shares = running.estimate(torch.ones(1, 2), torch.ones(1, 2))
    ratio = (shares[0, 0] / shares[0, 1]).item()
    assert ratio == pytest.approx(torch.tensor(1.0).exp().item(), rel=1e-4)  # G enters as its root


@given(st.floats(-0.8, 0.8))
def test_balance_loss_pulls_the_running_mdi_to_zero(level: float) -> None:
    running = RunningDominance(momentum=0.0)
    rgb = torch.tensor([(1 + level) / 2], requires_grad=True)
    loss = running.balance_loss(torch.stack([rgb, 1 - rgb], 1))
    loss.backward()
    assert rgb.grad is not None
    assert loss.item() == pytest.approx(level**2, abs=1e-5)
    assert rgb.grad.item() == pytest.approx(4 * level, abs=1e-4)
