"""First steps of a detector with light stems: be to the trunk what Lite0's own first blocks were.

Own design. The trunk begins with ImageNet's weights, the stems and the fusion in front of it begin
with none. For the first steps of a training they learn nothing but to feed the trunk the features
that Lite0's first blocks make of the same images; ImageNet's knowledge then begins at the image.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mdacl_ros.network.backbone import Backbone, normalised
from mdacl_ros.network.detector import Detector, FusionInputs, availability
from mdacl_tools.learning.batches import Batch

_FIRST_BLOCKS = 5  # Lite0's blocks up to stride 8


class EarlyLite0(nn.Module):
    """Lite0's stem and first blocks with ImageNet's weights, frozen; for RGB and for thermal."""

    def __init__(self) -> None:
        super().__init__()
        backbone = Backbone(3, tuple(range(16)))
        backbone.load_imagenet()
        self.layers = nn.Sequential(backbone.stem, *backbone.blocks[:_FIRST_BLOCKS])
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, image: Tensor) -> Tensor:
        """Map ``(B, 1 or 3, H, W)`` in [0, 1] to ``(B, 40, H/8, W/8)``; thermal as a grey image."""
        return self.layers(normalised(image.expand(-1, 3, -1, -1)))

    def train(self, mode: bool = True) -> EarlyLite0:
        """Stay in eval mode: the norm statistics are ImageNet's."""
        return super().train(False)


class Imitation:
    """Compares what the fusion feeds the trunk with what Lite0 makes of the images.

    Where both cameras are available the target is the mean of the two.
    """

    def __init__(self) -> None:
        self._teacher = EarlyLite0()

    def settle(self, detector: Detector, batch: Batch) -> None:
        """Give the trunk's entry mean and spread of its targets, channel by channel.

        Lite0's features have a standard deviation of several units; a norm that begins at 1 would
        spend the imitation on growing.

        Args:
            detector: With a trunk; changed in place.
            batch: Any images.
        """
        assert detector.trunk is not None
        target, seen = self._targets(detector, batch)
        mean, variance = _moments(target, seen)
        norm = detector.trunk.entry.norm
        assert isinstance(norm, nn.BatchNorm2d)
        with torch.no_grad():
            norm.weight.copy_(variance.sqrt())
            norm.bias.copy_(mean)

    def loss(self, detector: Detector, inputs: FusionInputs, batch: Batch) -> Tensor:
        """Mean squared error, each channel in units of its own variance.

        1 is what a constant scores, 2 what a stranger of the same spread does.

        Args:
            detector: With a trunk.
            inputs: Of its fusion.
            batch: The images they were made of.
        """
        assert detector.trunk is not None
        fused, _, _ = detector.combine(inputs.features, inputs.masks)
        own = detector.trunk.entry(fused[0]).float()  # (B, 40, h, w)
        target, seen = self._targets(detector, batch)
        error = ((own - target).pow(2) * seen).sum((0, 2, 3)) / seen.sum().clamp(min=1.0)
        return (error / _moments(target, seen)[1]).mean()

    def _targets(self, detector: Detector, batch: Batch) -> tuple[Tensor, Tensor]:
        """Features ``(B, 40, h, w)``, and 1 where there are any, ``(B, 1, h, w)``."""
        teacher = self._teacher.to(batch.rgb.device)
        features = [teacher((batch.rgb, batch.thermal)[c]) for c in detector.cameras]
        spread = availability(batch.present, features[0])
        masks = [spread[c] for c in detector.cameras]
        total = torch.stack([x * m for x, m in zip(features, masks, strict=True)]).sum(0)
        count = torch.stack(masks).sum(0)
        return total / count.clamp(min=1.0), (count > 0).to(total)


def _moments(x: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel over the cells of ``at``, ``(C,)``."""
    cells = at.sum().clamp(min=1.0)
    mean = (x * at).sum((0, 2, 3)) / cells
    centred = (x - mean[:, None, None]) * at
    return mean, (centred.pow(2).sum((0, 2, 3)) / cells).clamp(min=1e-6)
