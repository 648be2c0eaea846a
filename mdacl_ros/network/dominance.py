"""Modality Dominance Index: which camera an answer rests on.

After arXiv 2601.00598 (feature entropy and gradient contribution, modelled jointly); own
formulation. Pure arithmetic on arrays of any library, so that the robot computes it without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

ArrayLike = TypeVar("ArrayLike", "np.ndarray", "Tensor")

DELTA = 0.5
"""Weight of the gradient contribution against the feature entropy."""


def dominance_shares(entropy: ArrayLike, sensitivity: ArrayLike, delta: float = DELTA) -> ArrayLike:
    """Share of each modality in the answer, ``D_m / sum D``.

    ``D_m = Hn_m^(1 - delta) * Gn_m^delta`` with Hn, Gn normalised over the modalities.

    Args:
        entropy: ``(B, M)`` representational diversity H >= 0; 0 for an absent modality.
        sensitivity: ``(B, M)`` task-response sensitivity G >= 0; 0 for an absent modality.
        delta: Weight of G against H in [0, 1].

    Returns:
        ``(B, M)`` shares that sum to 1 (equal shares where nothing responds at all).
    """
    h = entropy / (entropy.sum(-1)[..., None] + 1e-12)
    g = sensitivity / (sensitivity.sum(-1)[..., None] + 1e-12)
    d = (h + 1e-12) ** (1.0 - delta) * (g + 1e-12) ** delta
    return d / d.sum(-1)[..., None]


def mdi(shares: ArrayLike) -> ArrayLike:
    """Modality Dominance Index from dominance shares, ``D_rgb - D_thermal``.

    Args:
        shares: ``(B, 2)`` from :func:`dominance_shares`, in the order (rgb, thermal).

    Returns:
        ``(B,)`` in [-1, 1]: +1 RGB decides alone, -1 thermal alone.
    """
    return shares[..., 0] - shares[..., 1]
