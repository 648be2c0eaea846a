"""One training step's forward pass: detector, losses, and the dominance that the losses reveal."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mdacl_ros.errors import ModelError
from mdacl_ros.network.box_dominance import contribution_maps, response_maps
from mdacl_ros.network.detector import Detector, Fused, FusionInputs, evidence_energy
from mdacl_ros.network.dominance import dominance_shares, mdi
from mdacl_tools.learning.batches import Batch
from mdacl_tools.learning.distillation import Distillation, DistillationConfig
from mdacl_tools.learning.equilibrium import (
    EquilibriumConfig,
    ModalityDiscriminator,
    RunningDominance,
    reversal_strength,
)
from mdacl_tools.learning.guidance_loss import GuidanceConfig, GuidanceLoss
from mdacl_tools.learning.imitation import Imitation
from mdacl_tools.learning.losses import detection_loss

ONE_TO_MANY = 10
FLOOR_EVERY = 50
"""Measurements of dominance between two of the entropy of an empty image."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is needed after the backward pass to measure dominance.

    Attributes:
        features: Calibrated features, level-major, with ``.grad`` after the backward pass.
        both: ``(B,)`` bool; images with both cameras.
        energies: ``(B, M)`` forward-only stand-in for the gradient, detached.
    """

    features: list[Tensor]
    both: Tensor
    energies: Tensor


class TrainingStep(nn.Module):
    """Everything with weights that trains: the detector and, where on, the parts of HCG and AER.

    One module, so that a data-parallel wrapper sees every parameter.

    Args:
        detector: With its auxiliary head.
        guidance: HCG losses.
        equilibrium: AER.
        distillation: A teacher; ``None``: none.

    Attributes:
        running: Running dominance.
        watched: Of the last forward pass.
    """

    def __init__(
        self,
        detector: Detector,
        guidance: GuidanceConfig,
        equilibrium: EquilibriumConfig,
        distillation: DistillationConfig | None = None,
    ) -> None:
        super().__init__()
        config = detector.config
        fused = len(config.modalities) == 2
        if not fused and (guidance.active or equilibrium != EquilibriumConfig()):
            raise ModelError(
                f"training config: guidance and equilibrium need both cameras, detector.modalities "
                f"is {list(config.modalities)}; set their weights to 0"
            )
        if guidance.alpha > 0 and not config.use_guidance:
            raise ModelError(
                "training config: guidance.alpha needs the guidance's shared space, "
                "detector.use_guidance is false; set one of the two otherwise"
            )
        self.detector = detector
        self.equilibrium = equilibrium
        self.guidance = (
            GuidanceLoss(
                detector.fused_channels, len(config.labels), guidance, coarse_levels(detector)
            )
            if guidance.active
            else None
        )
        self.discriminators = nn.ModuleList(
            ModalityDiscriminator(detector.fused_channels)
            for _ in (coarse_levels(detector) if equilibrium.adversarial > 0 else ())
        )
        self.distillation = (
            Distillation(config.neck_channels, distillation)
            if distillation is not None and distillation.active
            else None
        )
        self.running = RunningDominance()
        self._dominance_calls = 0
        self.watched: Watched | None = None

    def forward(
        self, batch: Batch, progress: float, imitation: Imitation | None = None
    ) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            batch: Augmented pairs.
            progress: Share of the training done, in [0, 1].
            imitation: In the first steps of a detector with light stems, its only loss.

        Returns:
            Scalars by name; ``loss`` is what is minimised, the others are for the log.
        """
        if imitation is not None:
            self.watched = None
            inputs = self.detector.encode(batch.rgb, batch.thermal, batch.present)
            return {"loss": imitation.loss(self.detector, inputs, batch)}
        pyramids = self.detector.extract(batch.rgb, batch.thermal, batch.present)
        inputs = self.detector.calibrate(pyramids, batch.present)
        for x in inputs.features:
            x.retain_grad()
        fused = self.detector.fuse(inputs.features, inputs.masks)
        losses = self._detection(fused, batch)
        if self.distillation is not None:
            losses["distillation"] = self.distillation(fused.levels, batch)
        self.watched = Watched(
            inputs.features,
            batch.present.flatten(2).amax(2).amin(1) > 0,
            self._energies(fused).detach(),
        )
        if len(self.detector.cameras) == 2 and self.watched.both.any():
            losses |= self._regularisers(fused, inputs, batch, progress)
        return losses | {"loss": torch.stack([x for x in losses.values() if x.requires_grad]).sum()}

    def _detection(self, fused: Fused, batch: Batch) -> dict[str, Tensor]:
        size = (batch.rgb.shape[3], batch.rgb.shape[2])
        assert self.detector.auxiliary_head is not None
        dense = self.detector.auxiliary_head(fused.levels)
        many = detection_loss(dense, batch.truth, size, ONE_TO_MANY)
        # the one-to-one head learns on features that the denser head shapes (arXiv 2405.14458)
        dense = self.detector.head([x.detach() for x in fused.levels])
        self._logits = dense.logits.detach()
        one = detection_loss(dense, batch.truth, size, 1)
        return {"many": many.total, "one": one.total}

    def _energies(self, fused: Fused) -> Tensor:
        """What each modality adds where objects are seen, ``(B, M)``, differentiable."""
        return evidence_energy(self._logits.float(), contribution_maps(fused.contributions)).sum(-1)

    def _regularisers(
        self, fused: Fused, inputs: FusionInputs, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """HCG and AER, weighted."""
        assert self.watched is not None
        both = self.watched.both
        losses: dict[str, Tensor] = {}
        balancing = self.equilibrium.balance > 0
        if self.guidance is not None or balancing:
            entropies = self.detector.entropies([x.float() for x in inputs.features]).mean(-1)
            with torch.set_grad_enabled(balancing):
                shares = self.running.estimate(entropies, self._energies(fused))
            if self.guidance is not None:
                losses["guidance"] = self.guidance(
                    fused, inputs.masks, batch.truth, shares.detach()
                )
            if balancing:
                loss = self.running.balance_loss(shares[both])
                losses["balance"] = self.equilibrium.balance * loss
        if len(self.discriminators):
            losses |= self._discriminate(fused, inputs, reversal_strength(progress))
        return losses

    def _discriminate(self, fused: Fused, inputs: FusionInputs, ramp: float) -> dict[str, Tensor]:
        found = [
            discriminator(
                fused.contributions[level],
                inputs.masks[2 * level : 2 * level + 2],
                self.equilibrium.adversarial * ramp,
            )
            for discriminator, level in zip(
                self.discriminators, coarse_levels(self.detector), strict=True
            )
        ]
        return {
            "discriminator": torch.stack([loss for loss, _ in found]).sum(),
            "discriminator_right": torch.stack([right for _, right in found]).mean(),
        }

    @torch.no_grad()
    def dominance(self) -> dict[str, float]:
        """Training-time dominance of the last batch; call after the backward pass.

        As live, see :mod:`mdacl_ros.network.probe`, with S the training loss, which has to fall;
        entropy H and gradient G are given apart, MDI over all levels and per level. Updates
        :attr:`running`. Empty for a detector of one camera; only images with both cameras count.
        """
        watched = self.watched
        if watched is None or len(self.detector.cameras) < 2 or not watched.both.any():
            return {}
        self._follow_floor()
        gradients = [-x.grad.float() for x in watched.features if x.grad is not None]
        features = [x.detach().float() for x in watched.features]
        maps = response_maps(features, gradients, 2)
        g = torch.stack([level.sum((2, 3)) for level in maps], 1)[watched.both]  # (b, L, M)
        h = self.detector.entropies([x.float() for x in watched.features])
        h = h.transpose(1, 2)[watched.both]  # (b, L, M)
        shares = dominance_shares(h.mean(1), g.sum(1))  # (b, M)
        self._remember(shares, g.sum(1), watched.energies[watched.both])
        levels = mdi(dominance_shares(h, g)).mean(0)  # (L,)
        values = {"mdi": mdi(shares).mean(), "share_rgb": (g.sum(1)[:, 0] / g.sum((1, 2))).mean()}
        values |= {f"mdi_p{level + 3}": levels[level] for level in range(self.detector.levels)}
        for camera, name in enumerate(self.detector.config.modalities):
            values[f"entropy_{name}"] = h[..., camera].mean()
            values[f"gradient_{name}"] = g[..., camera].sum(1).mean()
        return {name: float(value) for name, value in values.items()}

    def _follow_floor(self) -> None:
        """Measure the entropy of an empty image again now and then: weights change slowly."""
        if self._dominance_calls % FLOOR_EVERY == 0:
            self.detector.measure_floor()
        self._dominance_calls += 1

    def _remember(self, shares: Tensor, g: Tensor, energies: Tensor) -> None:
        g, e = g + 1e-9, energies.float() + 1e-9
        offset = (g[:, 0] / g[:, 1]).log() - (e[:, 0] / e[:, 1]).log()
        self.running.update(shares.mean(0), offset.mean())


def coarse_levels(detector: Detector) -> tuple[int, ...]:
    """Fused levels on which the cameras' semantics are compared: P4 and P5, else the only one."""
    return (1, 2) if detector.levels > 1 else (0,)
