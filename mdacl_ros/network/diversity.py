"""Representational diversity: how many channels a modality really uses.

After arXiv 2601.00598 (feature entropy); own formulation. An image that shows nothing leaves the
entropy of the biases, 0.68 to 0.86 where a scene has 0.86 to 0.95: what counts is what is above it.
"""

from __future__ import annotations

import math

from torch import Tensor


def above_floor(entropy: Tensor, floor: Tensor) -> Tensor:
    """Share of the entropy that an empty image leaves open, in [0, 1].

    Args:
        entropy: ``(B, M, L)`` of :func:`channel_entropy`.
        floor: ``(M, L)`` the same of an empty image, in [0, 1).
    """
    return ((entropy - floor) / (1.0 - floor)).clamp(0.0, 1.0)


def channel_entropy(x: Tensor) -> Tensor:
    """Normalised Shannon entropy of the channel-energy distribution.

    Feature-entropy term of MDI, after arXiv 2601.00598; own formulation.

    Args:
        x: Calibrated features ``(B, C, H, W)``.

    Returns:
        ``(B,)`` in [0, 1]; 0 for features that are zero everywhere (an absent modality).
    """
    energy = x.pow(2).mean((2, 3))  # (B, C)
    total = energy.sum(1, keepdim=True)
    share = energy / total.clamp(min=1e-12)
    entropy = -(share * (share + 1e-12).log()).sum(1)
    present = (total[:, 0] > 1e-12).to(x.dtype)
    return (entropy / math.log(x.shape[1])).clamp(0.0, 1.0) * present
