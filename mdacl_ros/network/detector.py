"""The fused two-stream detector."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from mdacl_ros.network.backbone import Backbone, Trunk
from mdacl_ros.network.box_dominance import box_energies, contribution_maps
from mdacl_ros.network.calibration_gate import CalibrationGate
from mdacl_ros.network.config import MODALITIES, DetectorConfig
from mdacl_ros.network.diversity import above_floor, channel_entropy
from mdacl_ros.network.fusion import FUSIONS
from mdacl_ros.network.guidance import LowLevelGuidance
from mdacl_ros.network.head import STRIDES, DensePredictions, Head, select_top
from mdacl_ros.network.neck import Neck, SumNeck
from mdacl_ros.network.stem import Stem

EMPTY_SIDE = 320
"""Side in pixels of the empty image whose entropy is the floor."""


class DetectorOutput(NamedTuple):
    """Tensors behind :class:`mdacl_ros.types.Predictions`, in its order and shapes."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    gates: Tensor
    entropies: Tensor
    energies: Tensor
    box_energies: Tensor


class FusionInputs(NamedTuple):
    """The calibrated features x~, where the question «which camera?» is asked.

    M is 2, or 1 for a detector of one camera.

    Attributes:
        features: Flat list, level-major: ``[rgb P3, thermal P3, rgb P4, ...]``, ``(B, C, H, W)``.
        masks: Availability of each, ``(B, 1, H, W)`` 0/1.
        gates: ``(B, M, L)`` mean modulation.
    """

    features: list[Tensor]
    masks: list[Tensor]
    gates: Tensor


class Fused(NamedTuple):
    """The fused pyramid and what went into it.

    Attributes:
        levels: Neck outputs of stride 8, 16, 32, ``(B, width, H, W)``.
        contributions: Per level, per modality, what it adds to the fusion, ``(B, width, H, W)``.
        shared: Per modality its P3 features in the shared space of the guidance; empty without.
    """

    levels: list[Tensor]
    contributions: list[list[Tensor]]
    shared: list[Tensor]


class Detector(nn.Module):
    """RGB-thermal detector: two streams, calibration gate, guidance, fusion, neck, NMS-free head.

    Args:
        config: Architecture, see :data:`mdacl_ros.network.config.SIZES`.

    Attributes:
        entropy_floor: ``(M, L)`` entropies of an empty image, see :meth:`measure_floor`.
    """

    entropy_floor: Tensor

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        self.cameras = [MODALITIES.index(name) for name in config.modalities]
        count, width = len(self.cameras), config.neck_channels
        streams = [_stream(config, (3, 1)[camera]) for camera in self.cameras]
        self.streams = nn.ModuleList(streams)
        channels = streams[0].channels
        self.levels = len(channels)
        self.gates = nn.ModuleList(
            CalibrationGate((c, c), "conv", config.gate_channels)
            for c in (channels if config.use_gate and count > 1 else ())
        )
        self.guidance = (
            LowLevelGuidance(channels[0], config.guidance_channels)
            if config.use_guidance and count > 1
            else None
        )
        light = config.architecture == "one_trunk"
        act: type[nn.Module] = nn.ReLU6 if light else nn.SiLU
        self.fused_channels = channels[0] if light else width
        fusion = FUSIONS[config.fusion if count > 1 else "concat"]
        self.fusions = nn.ModuleList(
            fusion((c,) * count, self.fused_channels, act) for c in channels
        )
        self.trunk = Trunk(self.fused_channels, config.blocks) if light else None
        self.neck = Neck(width) if self.trunk is None else SumNeck(self.trunk.channels, width)
        classes = len(config.labels)
        self.head = Head(width, classes, config.head_depth, act)
        self.auxiliary_head: Head | None = Head(width, classes, config.head_depth, act)
        self.register_buffer("entropy_floor", torch.zeros(count, self.levels), persistent=False)

    def forward(self, rgb: Tensor, thermal: Tensor, present: Tensor) -> DetectorOutput:
        """Detect.

        Args:
            rgb: ``(B, 3, H, W)`` float in [0, 1], H and W multiples of 32.
            thermal: ``(B, 1, H, W)`` float in [0, 1], registered to rgb.
            present: ``(B, 2)`` or ``(B, 2, H/32, W/32)``, 1 where the modality is available.
        """
        inputs = self.encode(rgb, thermal, present)
        return self.answer(inputs, *self.respond(inputs.features, inputs.masks))

    def answer(
        self, inputs: FusionInputs, dense: DensePredictions, maps: list[Tensor]
    ) -> DetectorOutput:
        """Put together what is answered from what :meth:`respond` measured."""
        boxes, scores, labels = select_top(dense, self.config.top_k)
        return DetectorOutput(
            boxes,
            scores,
            labels,
            self.for_both(inputs.gates),
            self.for_both(self.entropies(inputs.features)),
            self.for_both(evidence_energy(dense.logits, maps)),
            self.for_both(box_energies(maps, boxes)),
        )

    def encode(self, rgb: Tensor, thermal: Tensor, present: Tensor) -> FusionInputs:
        """Run the streams and the gate, up to the inputs of the fusion."""
        return self.calibrate(self.extract(rgb, thermal, present), present)

    def extract(self, rgb: Tensor, thermal: Tensor, present: Tensor) -> list[list[Tensor]]:
        """Run the streams: per modality its levels, of stride 8, 16, 32 or of stride 8 alone.

        In training a stream sees only the images it has: black ones would spoil its norm statistics
        and cost time.
        """
        images = (rgb, thermal)
        if not self.training:
            return [s(images[c]) for s, c in zip(self.streams, self.cameras, strict=True)]
        return [
            _where_present(s, images[c], present[:, c].reshape(len(present), -1).amax(1) > 0)
            for s, c in zip(self.streams, self.cameras, strict=True)
        ]

    def calibrate(self, pyramids: list[list[Tensor]], present: Tensor) -> FusionInputs:
        """Let the gate of each level compare and modulate the modalities' features."""
        features: list[Tensor] = []
        masks: list[Tensor] = []
        gates: list[Tensor] = []
        for level in range(self.levels):
            pair = [pyramid[level] for pyramid in pyramids]
            spread = availability(present, pair[0])
            mask = [spread[camera] for camera in self.cameras]
            if len(self.gates):
                out = self.gates[level](pair, mask)
                pair = out.features
                gates.append(out.modulation)
            else:
                pair = [x * m for x, m in zip(pair, mask, strict=True)]
                gates.append(torch.stack([m.flatten(1).amax(1) for m in mask], 1))
            features += pair
            masks += mask
        return FusionInputs(features, masks, torch.stack(gates, -1))

    def fuse(self, features: list[Tensor], masks: list[Tensor]) -> Fused:
        """Guide, fuse and refine."""
        fused, contributions, shared = self.combine(features, masks)
        levels = fused if self.trunk is None else self.trunk(fused[0])
        return Fused(self.neck(levels), contributions, shared)

    def combine(
        self, features: list[Tensor], masks: list[Tensor]
    ) -> tuple[list[Tensor], list[list[Tensor]], list[Tensor]]:
        """Guide and fuse: the fused levels, and ``contributions`` and ``shared`` of Fused."""
        count = len(self.cameras)
        fused, contributions, shared = [], [], []
        for level, fusion in enumerate(self.fusions):
            at = slice(count * level, count * (level + 1))
            pair, mask = list(features[at]), list(masks[at])
            if self.guidance is not None and level == 0:
                pair, shared = self.guidance(pair, mask)
            y, parts = fusion(pair, mask)
            fused.append(y)
            contributions.append(parts)
        return fused, contributions, shared

    def decide(
        self, features: list[Tensor], masks: list[Tensor]
    ) -> tuple[DensePredictions, Tensor]:
        """From fusion inputs to dense predictions and the energy of each modality ``(B, M, L)``."""
        dense, maps = self.respond(features, masks)
        return dense, evidence_energy(dense.logits, maps)

    def respond(
        self, features: list[Tensor], masks: list[Tensor]
    ) -> tuple[DensePredictions, list[Tensor]]:
        """From fusion inputs to dense predictions and, per level, the contribution maps."""
        fused = self.fuse(features, masks)
        return self.head(fused.levels), contribution_maps(fused.contributions)

    def entropies(self, features: list[Tensor]) -> Tensor:
        """Representational diversity H above that of an empty image, ``(B, M, L)`` in [0, 1]."""
        return above_floor(self._entropies(features), self.entropy_floor)

    def _entropies(self, features: list[Tensor]) -> Tensor:
        entropies = torch.stack([channel_entropy(x) for x in features], 1)  # (B, L * M)
        return entropies.unflatten(1, (self.levels, len(self.cameras))).transpose(1, 2)

    @torch.no_grad()
    def measure_floor(self) -> None:
        """Measure the entropies that an empty image leaves; whenever the weights have changed."""
        training = self.training
        grey = self.entropy_floor.new_full((1, 3, EMPTY_SIDE, EMPTY_SIDE), 0.5)
        features = self.eval().encode(grey, grey[:, :1], grey.new_ones(1, 2)).features
        self.entropy_floor.copy_(self._entropies(features)[0].clamp(max=0.99))
        self.train(training)

    def for_both(self, values: Tensor) -> Tensor:
        """Widen ``(B, M, ...)`` to both cameras; zero for one this detector has no stream for."""
        if len(self.cameras) == len(MODALITIES):
            return values
        nothing = torch.zeros_like(values)
        return torch.cat([values, nothing] if self.cameras == [0] else [nothing, values], 1)


def _stream(config: DetectorConfig, in_channels: int) -> Backbone | Stem:
    if config.architecture == "one_trunk":
        half, quarter, eighth = config.stem_channels
        return Stem(in_channels, (half, quarter, eighth))
    return Backbone(in_channels, config.blocks)


def _where_present(stream: nn.Module, image: Tensor, rows: Tensor) -> list[Tensor]:
    """Run a stream on the images of ``rows``, ``(B,)`` bool; zero features for the others."""
    if rows.all():
        return stream(image)
    if not rows.any():
        rows = rows.clone()
        rows[0] = True  # its features are masked out; every parameter still takes part
    some = stream(image[rows].contiguous(memory_format=torch.channels_last))
    return [x.new_zeros(len(rows), *x.shape[1:]).index_put((rows,), x) for x in some]


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


def evidence_energy(logits: Tensor, maps: list[Tensor]) -> Tensor:
    """Mean magnitude each modality adds to the fusion, weighted by where objects are seen.

    The forward-only stand-in for the gradient contribution; ours.

    Args:
        logits: ``(B, A, K)`` class logits of all levels.
        maps: Per fused level ``(B, M, h, w)``, of
            :func:`mdacl_ros.network.box_dominance.contribution_maps`, the finest first.

    Returns:
        ``(B, M, L)``, summed over a level's cells in units of the total evidence. The evidence of
        levels that are not fused counts on the coarsest one that is.
    """
    evidence = logits.sigmoid().amax(-1)  # (B, A)
    evidence = evidence / evidence.sum(1, keepdim=True)
    height, width = maps[0].shape[2:]
    sizes = [(height >> k, width >> k) for k in range(len(STRIDES))]
    by_level = [
        part.unflatten(1, (1, *size))
        for part, size in zip(evidence.split([h * w for h, w in sizes], 1), sizes, strict=True)
    ]  # (B, 1, h, w) each
    last = len(maps) - 1
    for k in range(last + 1, len(STRIDES)):
        by_level[last] = by_level[last] + spread(by_level[k], 2 ** (k - last))
    energies = [(m * e).sum((2, 3)) for m, e in zip(maps, by_level, strict=False)]
    return torch.stack(energies, -1)


def spread(x: Tensor, factor: int) -> Tensor:
    """Share out each cell of ``(B, C, h, w)`` over ``factor`` x ``factor`` finer ones."""
    return F.interpolate(x, scale_factor=float(factor)) / factor**2
