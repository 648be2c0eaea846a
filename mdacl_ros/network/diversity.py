"""Representational diversity: how many channels a modality really uses."""

from __future__ import annotations

import math

from torch import Tensor


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
