"""The fused two-stream detector."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from mdacl_ros.network.backbone import Backbone
from mdacl_ros.network.calibration_gate import CalibrationGate
from mdacl_ros.network.config import DetectorConfig
from mdacl_ros.network.diversity import channel_entropy
from mdacl_ros.network.fusion import FUSIONS
from mdacl_ros.network.guidance import LowLevelGuidance
from mdacl_ros.network.head import DensePredictions, Head, select_top
from mdacl_ros.network.neck import Neck

LEVELS = 3


class DetectorOutput(NamedTuple):
    """Tensors behind :class:`mdacl_ros.types.Predictions`, in its order and shapes."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    gates: Tensor
    entropies: Tensor
    energies: Tensor


class FusionInputs(NamedTuple):
    """The calibrated features x~, where the question «which camera?» is asked.

    Attributes:
        features: Flat list, level-major: ``[rgb P3, thermal P3, rgb P4, ...]``, ``(B, C, H, W)``.
        masks: Availability of each, ``(B, 1, H, W)`` 0/1.
        gates: ``(B, M, L)`` mean modulation.
    """

    features: list[Tensor]
    masks: list[Tensor]
    gates: Tensor


class Detector(nn.Module):
    """RGB-thermal detector: two streams, calibration gate, guidance, fusion, neck, NMS-free head.

    Args:
        config: Architecture, see :data:`mdacl_ros.network.config.SIZES`.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        streams = [Backbone(c, config.blocks) for c in (3, 1)]
        self.streams = nn.ModuleList(streams)
        channels = streams[0].channels
        self.gates = nn.ModuleList(
            CalibrationGate((c, c), "conv", config.gate_channels)
            for c in (channels if config.use_gate else ())
        )
        self.guidance = (
            LowLevelGuidance(channels[0], config.guidance_channels) if config.use_guidance else None
        )
        fusion = FUSIONS[config.fusion]
        self.fusions = nn.ModuleList(fusion((c, c), config.neck_channels) for c in channels)
        self.neck = Neck(config.neck_channels)
        classes = len(config.labels)
        self.head = Head(config.neck_channels, classes, config.head_depth)
        self.auxiliary_head: Head | None = Head(config.neck_channels, classes, config.head_depth)

    def forward(self, rgb: Tensor, thermal: Tensor, present: Tensor) -> DetectorOutput:
        """Detect.

        Args:
            rgb: ``(B, 3, H, W)`` float in [0, 1], H and W multiples of 32.
            thermal: ``(B, 1, H, W)`` float in [0, 1], registered to rgb.
            present: ``(B, 2)`` or ``(B, 2, H/32, W/32)``, 1 where the modality is available.
        """
        inputs = self.encode(rgb, thermal, present)
        dense, energies = self.decide(inputs.features, inputs.masks)
        entropies = torch.stack([channel_entropy(x) for x in inputs.features], 1)  # (B, L * M)
        return DetectorOutput(
            *select_top(dense, self.config.top_k),
            inputs.gates,
            entropies.unflatten(1, (LEVELS, 2)).transpose(1, 2),
            energies,
        )

    def encode(self, rgb: Tensor, thermal: Tensor, present: Tensor) -> FusionInputs:
        """Run both streams and the gate, up to the inputs of the fusion."""
        pyramids = [s(x) for s, x in zip(self.streams, (rgb, thermal), strict=True)]
        features: list[Tensor] = []
        masks: list[Tensor] = []
        gates: list[Tensor] = []
        for level in range(LEVELS):
            pair = [pyramid[level] for pyramid in pyramids]
            mask = availability(present, pair[0])
            if self.config.use_gate:
                out = self.gates[level](pair, mask)
                pair = out.features
                mean = torch.stack([b.mean(1) for b in out.dimension], 1)  # (B, M)
                gates.append(out.instance * mean)
            else:
                pair = [x * m for x, m in zip(pair, mask, strict=True)]
                gates.append(torch.stack([m.flatten(1).amax(1) for m in mask], 1))
            features += pair
            masks += mask
        return FusionInputs(features, masks, torch.stack(gates, -1))

    def fuse(
        self, features: list[Tensor], masks: list[Tensor]
    ) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Guide, fuse and refine; returns neck levels and each modality's contributions."""
        fused, contributions = [], []
        for level, fusion in enumerate(self.fusions):
            pair = list(features[2 * level : 2 * level + 2])
            if self.guidance is not None and level == 0:
                pair = self.guidance(pair, masks[:2])
            y, parts = fusion(pair)
            fused.append(y)
            contributions.append(parts)
        return self.neck(fused), contributions

    def decide(
        self, features: list[Tensor], masks: list[Tensor]
    ) -> tuple[DensePredictions, Tensor]:
        """From fusion inputs to dense predictions and the energy of each modality ``(B, M, L)``."""
        levels, contributions = self.fuse(features, masks)
        dense = self.head(levels)
        return dense, evidence_energy(dense.logits, contributions)


def availability(present: Tensor, like: Tensor) -> list[Tensor]:
    """Spread ``present`` over a level: per modality ``(B, 1, h, w)``.

    Args:
        present: ``(B, 2)`` or ``(B, 2, H/32, W/32)``.
        like: A feature map ``(B, C, h, w)`` of the level.
    """
    h, w = like.shape[2:]
    cells = present[:, :, None, None] if present.dim() == 2 else present
    if cells.shape[2] == 1 and cells.shape[3] == 1:
        cells = cells.expand(-1, -1, h, w)
    elif cells.shape[2] != h:
        cells = F.interpolate(cells, scale_factor=float(h // cells.shape[2]))
    return [cells[:, 0:1], cells[:, 1:2]]


def evidence_energy(logits: Tensor, contributions: list[list[Tensor]]) -> Tensor:
    """Mean magnitude each modality adds to the fusion, weighted by where objects are seen.

    The forward-only stand-in for the gradient contribution; ours.

    Args:
        logits: ``(B, A, K)`` class logits of all levels.
        contributions: Per level, per modality ``(B, C, h, w)``.

    Returns:
        ``(B, M, L)``, summed over a level's cells in units of the total evidence.
    """
    evidence = logits.sigmoid().amax(-1)  # (B, A)
    evidence = evidence / evidence.sum(1, keepdim=True)
    energies, start = [], 0
    for parts in contributions:
        cells = parts[0].shape[2] * parts[0].shape[3]
        weight = evidence[:, None, start : start + cells]  # (B, 1, cells)
        magnitude = torch.stack([p.abs().mean(1).flatten(1) for p in parts], 1)  # (B, M, cells)
        energies.append((magnitude * weight).sum(-1))
        start += cells
    return torch.stack(energies, -1)
