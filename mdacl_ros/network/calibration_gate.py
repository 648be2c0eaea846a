"""Pre-fusion contextual calibration: ask each modality what the others make of it.

After arXiv 2606.02679 ("Before Fusion, Ask What to Keep"); own formulation (its equations were not
at hand). A plug-in: any number of modalities, convolutional or sequence features, any fusion behind
it; nothing else of the network has to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

Layout = Literal["conv", "sequence"]


class GateOutput(NamedTuple):
    """Calibrated features and what was done to them.

    Attributes:
        features: Per modality, the shape of its input.
        instance: ``(B, M)`` instance gates in (0, 2); 0 where absent.
        dimension: Per modality ``(B, C_m)`` dimension gates in (0, 2); 0 where absent.
    """

    features: list[Tensor]
    instance: Tensor
    dimension: list[Tensor]


class CalibrationGate(nn.Module):
    """Instance-wise and dimension-wise modulation from cross-modal support and conflict.

    Per modality m: summary ``s = [mean(x); std(x)]``, ``z = LayerNorm(W s)``; context ``c`` = mean
    of the other present modalities' z; support ``u = z * c``; conflict ``v = |z - c|``;
    ``a = 2 sigmoid(w . [u, v, cos(z, c)])``, ``b = 2 sigmoid(W' [u, v])``, ``x~ = a * b * x``.
    The last layers start at zero, so the gate starts as the identity.

    Args:
        dims: Channels C_m of each modality.
        layout: ``conv`` for ``(B, C, H, W)`` features, ``sequence`` for ``(B, T, C)``.
        hidden: Width of the space in which modalities are compared.
    """

    def __init__(self, dims: Sequence[int], layout: Layout = "conv", hidden: int = 64) -> None:
        super().__init__()
        if len(dims) < 1 or layout not in ("conv", "sequence"):
            raise ValueError(
                f"CalibrationGate: got dims={list(dims)}, layout={layout!r}; "
                "wanted one width per modality and layout 'conv' or 'sequence'"
            )
        self.layout = layout
        self.summarise = nn.ModuleList(
            nn.Sequential(nn.Linear(2 * c, hidden), nn.LayerNorm(hidden)) for c in dims
        )
        self.instance = nn.ModuleList(nn.Linear(2 * hidden + 1, 1) for _ in dims)
        self.dimension = nn.ModuleList(nn.Linear(2 * hidden, c) for c in dims)
        for last in (*self.instance, *self.dimension):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(
        self, features: Sequence[Tensor], masks: Sequence[Tensor] | None = None
    ) -> GateOutput:
        """Calibrate the features of all modalities.

        Args:
            features: Per modality ``(B, C_m, H, W)`` or ``(B, T, C_m)``.
            masks: Per modality 0/1 availability, broadcastable to its features: ``(B, 1, H, W)`` or
                ``(B, T, 1)``; all zero for an absent modality. ``None``: everything is present.

        Returns:
            Calibrated features, zero where unavailable, and the gates.
        """
        if masks is None:
            masks = [self._ones(x) for x in features]
        present = torch.stack([m.flatten(1).amax(1) for m in masks], 1)  # (B, M)
        z = torch.stack(
            [
                embed(self._summary(x, m))
                for embed, x, m in zip(self.summarise, features, masks, strict=True)
            ],
            1,
        )  # (B, M, hidden)
        z = z * present.unsqueeze(-1)
        others = (present.sum(1, keepdim=True) - present).clamp(min=1.0)  # (B, M)
        context = (z.sum(1, keepdim=True) - z) / others.unsqueeze(-1)  # (B, M, hidden)
        support, conflict = z * context, (z - context).abs()
        cosine = support.sum(-1, keepdim=True) / (
            (z.pow(2).sum(-1, keepdim=True) * context.pow(2).sum(-1, keepdim=True) + 1e-6).sqrt()
        )  # (B, M, 1)
        calibrated, instance, dimension = [], [], []
        for m, x in enumerate(features):
            cues = torch.cat([support[:, m], conflict[:, m]], -1)  # (B, 2 hidden)
            here = present[:, m : m + 1]
            a = 2 * torch.sigmoid(self.instance[m](torch.cat([cues, cosine[:, m]], -1))) * here
            b = 2 * torch.sigmoid(self.dimension[m](cues)) * here
            calibrated.append(x * masks[m] * self._broadcast(a * b))
            instance.append(a)
            dimension.append(b)
        return GateOutput(calibrated, torch.cat(instance, 1), dimension)

    def _ones(self, x: Tensor) -> Tensor:
        return torch.ones_like(x[:, :1] if self.layout == "conv" else x[..., :1])

    def _broadcast(self, gate: Tensor) -> Tensor:
        return gate[:, :, None, None] if self.layout == "conv" else gate[:, None, :]

    def _summary(self, x: Tensor, mask: Tensor) -> Tensor:
        """Mean and standard deviation over the available positions, ``(B, 2 C)``."""
        axes = (2, 3) if self.layout == "conv" else (1,)
        count = mask.sum(axes).clamp(min=1.0)  # (B, 1)
        mean = (x * mask).sum(axes) / count  # (B, C)
        centred = (x - self._broadcast(mean)) * mask
        std = (centred.pow(2).sum(axes) / count + 1e-6).sqrt()
        return torch.cat([mean, std], -1)
