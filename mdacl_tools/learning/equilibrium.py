"""Adversarial equilibrium regularisation (AER): no modality runs away with the training.

After arXiv 2601.00598; own formulation (its equations were not at hand). Three parts: a modality
discriminator behind a gradient reversal, inverse-dominance weights on the learning rate of each
stream, and a penalty on the running MDI.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from mdacl_ros.network.dominance import dominance_shares, mdi

RATE_WEIGHTS = (0.5, 2.0)
"""Bounds of the inverse-dominance weights."""


@dataclass(frozen=True, slots=True)
class EquilibriumConfig:
    """Strength of the three parts; all 0 leaves them out.

    Attributes:
        adversarial: Weight of the reversed gradient of the modality discriminator.
        damping: Exponent p of the weights ``(1 / (M D_m))^p`` on the learning rate of each stream:
            1 is the plain inverse.
        balance: Weight of the squared running MDI.
    """

    adversarial: float = 0.0
    damping: float = 0.0
    balance: float = 0.0


class _Reverse(torch.autograd.Function):
    """Identity forward, gradient times ``-strength`` backward (arXiv 1409.7495)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reverse_gradient(x: Tensor, strength: float) -> Tensor:
    """Identity whose gradient is reversed and scaled."""
    return _Reverse.apply(x, strength)


def reversal_strength(progress: float) -> float:
    """Ramp from 0 to 1 over the training (arXiv 1409.7495), so that features come first.

    Args:
        progress: Share of the training done, in [0, 1].
    """
    return 2 / (1 + math.exp(-10 * progress)) - 1


class ModalityDiscriminator(nn.Module):
    """Tells from the direction of a feature vector in the fused space which camera it came from.

    Args:
        width: Channels of the contributions.
        hidden: Width of its one hidden layer.
    """

    def __init__(self, width: int, hidden: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, hidden, 1), nn.LeakyReLU(0.1), nn.Conv2d(hidden, 1, 1)
        )

    def forward(
        self, contributions: list[Tensor], masks: list[Tensor], strength: float
    ) -> tuple[Tensor, Tensor]:
        """Discriminate, sending the reversed gradient back.

        Args:
            contributions: Per modality ``(B, C, h, w)``.
            masks: Per modality ``(B, 1, h, w)`` availability.
            strength: Of the reversed gradient.

        Returns:
            Mean cross-entropy over available cells, and the share of cells told right.
        """
        losses, right, cells = [], [], []
        for camera, (x, mask) in enumerate(zip(contributions, masks, strict=True)):
            direction = F.normalize(x.float(), dim=1) * math.sqrt(x.shape[1])
            logit = self.layers(reverse_gradient(direction, strength))  # (B, 1, h, w)
            target = torch.full_like(logit, float(camera))
            raw = F.binary_cross_entropy_with_logits(logit, target, reduction="none")
            losses.append((raw * mask).sum())
            right.append((((logit > 0) == (target > 0)) * mask).sum())
            cells.append(mask.sum())
        total = torch.stack(cells).sum().clamp(min=1.0)
        return torch.stack(losses).sum() / total, (torch.stack(right).sum() / total).detach()


def rate_weights(shares: Tensor, damping: float) -> Tensor:
    """Inverse-dominance weights ``clip((1 / (M D_m))^damping)``: below 1 for the dominant modality.

    Args:
        shares: ``(M,)`` running dominance shares D_m, summing to 1.
        damping: Exponent; 0 gives ones.
    """
    weights = (1 / (len(shares) * shares.clamp(min=1e-3))) ** damping
    return weights.clamp(*RATE_WEIGHTS)


class RunningDominance(nn.Module):
    """Running dominance of a training, kept in its checkpoints.

    Attributes:
        shares: ``(2,)`` running mean of the dominance shares.
        mdi: Running mean of the MDI, scalar.
        offset: Running ``log(G_rgb / G_thermal) - log(E_rgb / E_thermal)``, scalar: what the
            energies that enter the fusion lack to agree with the gradients.
    """

    shares: Tensor
    mdi: Tensor
    offset: Tensor

    def __init__(self, momentum: float = 0.95) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("shares", torch.full((2,), 0.5))
        self.register_buffer("mdi", torch.zeros(()))
        self.register_buffer("offset", torch.zeros(()))

    @torch.no_grad()
    def update(self, shares: Tensor, offset: Tensor) -> None:
        """Take over the means of a batch: ``(2,)`` shares and the scalar offset."""
        self.shares.lerp_(shares, 1 - self.momentum)
        self.mdi.lerp_(shares[0] - shares[1], 1 - self.momentum)
        self.offset.lerp_(offset, 1 - self.momentum)

    def estimate(self, entropies: Tensor, energies: Tensor) -> Tensor:
        """Differentiable dominance shares from what the forward pass knows.

        The gradient itself would need a second backward pass; the energies, set right by the
        running offset, stand in for it.

        Args:
            entropies: ``(B, 2)`` H.
            energies: ``(B, 2)`` E.

        Returns:
            ``(B, 2)`` shares.
        """
        half = (self.offset / 2).exp()
        return dominance_shares(entropies, energies * torch.stack([half, 1 / half]))

    def balance_loss(self, shares: Tensor) -> Tensor:
        """Squared running mean of MDI, this batch included.

        Args:
            shares: ``(b, 2)`` differentiable shares of the images that have both cameras.
        """
        running = self.mdi * self.momentum + mdi(shares).mean() * (1 - self.momentum)
        # divided so that the gradient does not shrink with the batch's part in the running mean
        return running**2 / (1 - self.momentum)
