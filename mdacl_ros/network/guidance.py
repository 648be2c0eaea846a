"""Low-level cross-modal guidance: each modality is re-projected into the other.

After arXiv 2601.00598 (hierarchical cross-modal guidance, low-level stage); own formulation. The
high-level stage (semantic distillation) is a training loss and lives in ``learning``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mdacl_ros.network.layers import ConvNormAct


class LowLevelGuidance(nn.Module):
    """Residual exchange between two modalities at one (fine) pyramid level.

    Each modality is mapped into a shared space; a spatial mask, computed from both, decides where
    its re-projection is added to the other one. Starts as the identity; adds nothing from or to a
    modality where it is not available.

    Args:
        channels: Channels of the level (both modalities).
        shared: Width of the shared space.
    """

    def __init__(self, channels: int, shared: int) -> None:
        super().__init__()
        self.to_shared = nn.ModuleList(
            nn.Sequential(
                ConvNormAct(channels, shared),
                ConvNormAct(shared, shared, 3, groups=shared, act=nn.SiLU()),
            )
            for _ in range(2)
        )
        self.mask = nn.Conv2d(2 * shared, 2, 1)
        self.reproject = nn.ModuleList(nn.Conv2d(shared, channels, 1) for _ in range(2))
        for last in self.reproject.parameters():
            nn.init.zeros_(last)

    def forward(
        self, features: list[Tensor], masks: list[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Guide ``[rgb, thermal]``, each ``(B, C, H, W)`` with availability ``(B, 1, H, W)``.

        Returns:
            The guided features, and both modalities in the shared space ``(B, shared, H, W)``.
        """
        shared = [to(x) for to, x in zip(self.to_shared, features, strict=True)]
        where = torch.sigmoid(self.mask(torch.cat(shared, 1))) * (
            masks[0] * masks[1]
        )  # (B, 2, H, W)
        guided = [
            features[0] + where[:, 0:1] * self.reproject[0](shared[1]),
            features[1] + where[:, 1:2] * self.reproject[1](shared[0]),
        ]
        return guided, shared
