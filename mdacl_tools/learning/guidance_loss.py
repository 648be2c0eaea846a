"""Losses of the hierarchical cross-modal guidance (HCG): training only.

After arXiv 2601.00598; own formulation (its equations were not at hand).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from mdacl_ros.network.detector import Fused
from mdacl_ros.network.head import STRIDES
from mdacl_tools.learning.assignment import Truth
from mdacl_tools.learning.foreground import class_cells


@dataclass(frozen=True, slots=True)
class GuidanceConfig:
    """Weights of the guidance losses; all 0 leaves them out.

    Attributes:
        alpha: Low level: both modalities agree in the guidance's shared space on objects.
        beta: High level: the weaker modality's object features turn to the stronger one's.
        gamma: High level: so does its class evidence; also the weight at which each modality alone
            learns to name the objects, without which there is nothing to distil.
    """

    alpha: float = 0.0
    beta: float = 0.0
    gamma: float = 0.0

    @property
    def active(self) -> bool:
        """Whether any loss is on."""
        return max(self.alpha, self.beta, self.gamma) > 0


class GuidanceTerms(NamedTuple):
    """Unweighted losses, scalars."""

    low_level: Tensor
    features: Tensor
    evidence: Tensor


class GuidanceLoss(nn.Module):
    """Align low-level features, distil high-level semantics from the dominant modality.

    Per image with both cameras, the modality of the larger dominance share is the teacher; its
    features are detached. Only cells on objects count.

    Args:
        width: Channels of the contributions, the detector's ``fused_channels``.
        classes: Number of classes K.
        config: Weights.
        levels: Fused levels at which the high level is distilled. P4 and P5: objects of a few
            pixels do not reach P5 alone.
    """

    def __init__(
        self, width: int, classes: int, config: GuidanceConfig, levels: tuple[int, ...] = (1, 2)
    ) -> None:
        super().__init__()
        self.config, self.levels = config, levels
        self.evidence = nn.ModuleList(nn.Conv2d(width, classes, 1) for _ in levels)
        for layer in self.evidence:
            assert isinstance(layer.bias, Tensor)
            nn.init.constant_(layer.bias, -4.6)  # prior probability 0.01

    def forward(self, fused: Fused, masks: list[Tensor], truth: Truth, shares: Tensor) -> Tensor:
        """Weighted sum of :meth:`terms`."""
        terms = self.terms(fused, masks, truth, shares)
        c = self.config
        return c.alpha * terms.low_level + c.beta * terms.features + c.gamma * terms.evidence

    def terms(
        self, fused: Fused, masks: list[Tensor], truth: Truth, shares: Tensor
    ) -> GuidanceTerms:
        """Compute the losses.

        Args:
            fused: Of a two-modality detector.
            masks: Level-major availability, as in ``FusionInputs``.
            truth: Padded ground truth.
            shares: ``(B, 2)`` dominance shares, detached.
        """
        teacher = shares.argmax(1)  # (B,)
        features, evidence = [], []
        for layer, level in zip(self.evidence, self.levels, strict=True):
            pair = torch.stack(fused.contributions[level], 1).float()  # (B, 2, C, h, w)
            mask = torch.stack(masks[2 * level : 2 * level + 2], 1)[:, :, 0]  # (B, 2, h, w)
            target = class_cells(
                truth, pair.shape[3], pair.shape[4], STRIDES[level]
            )  # (B, K, h, w)
            logits = torch.stack([layer(x) for x in pair.unbind(1)], 1)  # (B, 2, K, h, w)
            named = _named(logits, target, mask, truth.exhaustive)
            at = target.amax(1) * mask.prod(1)  # (B, h, w), objects that both cameras cover
            away = 1 - F.cosine_similarity(_of(pair, 1 - teacher), _of(pair, teacher).detach(), 1)
            pull = F.binary_cross_entropy_with_logits(
                _of(logits, 1 - teacher), _of(logits, teacher).detach().sigmoid(), reduction="none"
            ).sum(1)
            features.append(_mean(away, at))
            evidence.append(named + _mean(pull, at))
        return GuidanceTerms(
            self._low_level(fused, masks, truth), sum_of(features), sum_of(evidence)
        )

    def _low_level(self, fused: Fused, masks: list[Tensor], truth: Truth) -> Tensor:
        if not fused.shared:
            return fused.levels[0].new_zeros(())
        rgb, thermal = (x.float() for x in fused.shared)
        at = class_cells(truth, rgb.shape[2], rgb.shape[3], STRIDES[0]).amax(1)
        at = at * masks[0][:, 0] * masks[1][:, 0]
        return _mean(1 - F.cosine_similarity(rgb, thermal, 1), at)


def sum_of(terms: list[Tensor]) -> Tensor:
    """Sum of scalars as a tensor."""
    return torch.stack(terms).sum()


def _of(pair: Tensor, which: Tensor) -> Tensor:
    """Pick one modality per image: ``(B, 2, ...)`` and ``(B,)`` to ``(B, ...)``."""
    return pair[torch.arange(len(which), device=which.device), which]


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1.0)


def _named(logits: Tensor, target: Tensor, mask: Tensor, exhaustive: Tensor) -> Tensor:
    """Each modality alone names the objects; per object cell, cells it does not cover left out."""
    raw = F.binary_cross_entropy_with_logits(
        logits, target[:, None].expand_as(logits), reduction="none"
    )
    known = torch.maximum(target, exhaustive[:, :, None, None].to(target))  # (B, K, h, w)
    counted = raw * mask[:, :, None] * known[:, None]
    return counted.sum() / (target.amax(1)[:, None] * mask).sum().clamp(min=1.0)
