"""Pre-fusion contextual calibration: ask each modality what the others make of it.

After arXiv 2606.02679 ("Before Fusion, Ask What to Keep"); own formulation (its equations were not
at hand). A plug-in: any number of modalities, convolutional or sequence features, any fusion behind
it; nothing else of the network has to know. How to use it alone: docs/calibration_gate.md.
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
        features: Per modality, the shape and type of its input.
        instance: ``(B, M)`` instance gates in (0, 2); 0 where absent.
        dimension: Per modality ``(B, C_m)`` dimension gates in (0, 2); 0 where absent.
    """

    features: list[Tensor]
    instance: Tensor
    dimension: list[Tensor]

    @property
    def modulation(self) -> Tensor:
        """Mean factor over a modality's channels, ``(B, M)`` in (0, 4): 1 leaves it as it is."""
        return self.instance * torch.stack([b.mean(1) for b in self.dimension], 1)


class CalibrationGate(nn.Module):
    """Instance-wise and dimension-wise modulation from cross-modal support and conflict.

    Per modality m: summary ``s = [mean(x); std(x)]``, ``z = LayerNorm(W s)``; context ``c`` = mean
    of the other present modalities' z; support ``u = z * c``; conflict ``v = |z - c|``;
    ``a = 2 sigmoid(w . [u, v, cos(z, c)])``, ``b = 2 sigmoid(W' [u, v])``, ``x~ = a * b * x``.
    The last layers start at zero, so the gate starts as the identity. With nobody else present c is
    zero, and the gate answers from the modality alone.

    Statistics, cues and gates are float32 also where features or weights are 16-bit: sums over a
    map overflow float16.

    Args:
        dims: Channels C_m of each modality; they may differ, as may heights, widths and lengths.
        layout: ``conv`` for ``(B, C, H, W)`` features, ``sequence`` for ``(B, T, C)``.
        hidden: Width of the space in which modalities are compared, at least 2.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(self, dims: Sequence[int], layout: Layout = "conv", hidden: int = 64) -> None:
        super().__init__()
        if len(dims) < 1 or min(dims) < 1 or layout not in ("conv", "sequence") or hidden < 2:
            raise ValueError(
                f"CalibrationGate: got dims={list(dims)}, layout={layout!r}, hidden={hidden}; "
                "wanted one positive width per modality, layout 'conv' or 'sequence', hidden >= 2"
            )
        self.dims = tuple(dims)
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
        self, features: Sequence[Tensor], masks: Tensor | Sequence[Tensor] | None = None
    ) -> GateOutput:
        """Calibrate the features of all modalities.

        Args:
            features: Per modality ``(B, C_m, H_m, W_m)`` or ``(B, T_m, C_m)``; finite everywhere,
                also where masked out.
            masks: 0/1 availability, as ``(B, M)`` for whole modalities or per modality as
                ``(B, 1, H, W)``, ``(B, H, W)``, ``(B, T, 1)``, ``(B, T)`` (or sizes of 1 instead);
                all zero for an absent modality. ``None``: everything is present.

        Returns:
            Calibrated features, zero where unavailable, and the gates.

        Raises:
            ValueError: Features or masks do not have the shapes above.
        """
        self._check(features)
        masks = self._spread_masks(features, masks)
        present = torch.stack([m.flatten(1).amax(1) for m in masks], 1)  # (B, M)
        z = torch.stack([self._embed(m, x, masks[m]) for m, x in enumerate(features)], 1)
        cues, cosine = compare(z * present.unsqueeze(-1), present)
        calibrated, instance, dimension = [], [], []
        for m, x in enumerate(features):
            here = present[:, m : m + 1]
            both = torch.cat([cues[:, m], cosine[:, m]], -1)  # (B, 2 hidden + 1)
            a = 2 * torch.sigmoid(at_least_float32(self.instance[m](both.to(self._dtype)))) * here
            b = self.dimension[m](cues[:, m].to(self._dtype))  # (B, C_m)
            b = 2 * torch.sigmoid(at_least_float32(b)) * here
            factor = self._broadcast(a * b).to(x.dtype)
            calibrated.append(x * masks[m].to(x.dtype) * factor)
            instance.append(a)
            dimension.append(b)
        return GateOutput(calibrated, torch.cat(instance, 1), dimension)

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.summarise.parameters()).dtype

    def _check(self, features: Sequence[Tensor]) -> None:
        """Refuse features that are not one tensor per modality in the declared layout."""
        axis, rank, order = (1, 4, "B, C, H, W") if self.layout == "conv" else (2, 3, "B, T, C")
        got = [tuple(x.shape) for x in features]
        widths = [shape[axis] if len(shape) == rank else None for shape in got]
        if widths != list(self.dims):
            raise ValueError(
                f"CalibrationGate: got features of shapes {got}; wanted {len(self.dims)} of "
                f"({order}) with C = {list(self.dims)}; give them in the order of dims"
            )

    def _spread_masks(
        self, features: Sequence[Tensor], masks: Tensor | Sequence[Tensor] | None
    ) -> list[Tensor]:
        """One mask per modality over its positions, ``(B, 1, H, W)`` or ``(B, T, 1)``."""
        if masks is None:
            masks = features[0].new_ones(features[0].shape[0], len(features))
        if isinstance(masks, Tensor):
            masks = masks.unbind(1) if masks.dim() == 2 else [masks]
        if len(masks) != len(features):
            raise ValueError(
                f"CalibrationGate: got {len(masks)} masks for {len(features)} modalities; wanted "
                "one tensor (B, M), or a list with a mask per modality"
            )
        return [self._spread(mask, x) for mask, x in zip(masks, features, strict=True)]

    def _spread(self, mask: Tensor, x: Tensor) -> Tensor:
        """Give a mask one value per position: the statistics count positions by it."""
        channel = 1 if self.layout == "conv" else 2
        wanted = [1 if axis == channel else n for axis, n in enumerate(x.shape)]
        if mask.dim() == 1:
            mask = mask.view(-1, *[1] * (x.dim() - 1))
        elif mask.dim() == x.dim() - 1:
            mask = mask.unsqueeze(channel)
        if len(mask.shape) != len(wanted) or any(
            m not in (1, n) for m, n in zip(mask.shape, wanted, strict=True)
        ):
            raise ValueError(
                f"CalibrationGate: got a mask {tuple(mask.shape)} for features {tuple(x.shape)}; "
                f"wanted {tuple(wanted)}, the same without the axis of channels, or (B, M) for all"
            )
        mask = at_least_float32(mask.to(x.dtype))
        return mask if list(mask.shape) == wanted else mask.expand(wanted)

    def _embed(self, m: int, x: Tensor, mask: Tensor) -> Tensor:
        """Summary of one modality in the space of comparison, ``(B, hidden)``."""
        summary = self._summary(at_least_float32(x), mask).to(self._dtype)
        return at_least_float32(self.summarise[m](summary))

    def _broadcast(self, gate: Tensor) -> Tensor:
        return gate[:, :, None, None] if self.layout == "conv" else gate[:, None, :]

    def _summary(self, x: Tensor, mask: Tensor) -> Tensor:
        """Mean and standard deviation over the available positions, ``(B, 2 C)``."""
        axes = (2, 3) if self.layout == "conv" else (1,)
        count = mask.sum(axes).clamp(min=1.0)  # (B, 1)
        mean = (x * mask).sum(axes) / count  # (B, C)
        centred = (x - self._broadcast(mean)) * mask
        std = (centred.pow(2).sum(axes) / count + 1e-6).sqrt()  # + 1e-6: finite slope at constants
        return torch.cat([mean, std], -1)


def compare(z: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    """Cues of each modality against the mean of the other present ones.

    Args:
        z: ``(B, M, hidden)``, zero where absent.
        present: ``(B, M)`` 0/1.

    Returns:
        ``[support; conflict]`` ``(B, M, 2 hidden)`` and the cosine ``(B, M, 1)``.
    """
    others = (present.sum(1, keepdim=True) - present).clamp(min=1.0)  # (B, M)
    context = (z.sum(1, keepdim=True) - z) / others.unsqueeze(-1)  # (B, M, hidden)
    support, conflict = z * context, (z - context).abs()
    cosine = support.sum(-1, keepdim=True) / (
        (z.pow(2).sum(-1, keepdim=True) * context.pow(2).sum(-1, keepdim=True) + 1e-6).sqrt()
    )  # (B, M, 1)
    return torch.cat([support, conflict], -1), cosine


def at_least_float32(x: Tensor) -> Tensor:
    """Widen 16-bit floats; float32 and float64 pass unchanged."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
