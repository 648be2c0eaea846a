"""What an engine runs: a detector or probe that takes the colour image as cameras deliver it.

Every engine is built from this wrapper, so the conversion to float planes is part of its graph and
no engine has a normalisation of its own. The detector itself keeps its float inputs for training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FULL_SCALE = 255.0
"""Value of a uint8 image that becomes 1.0."""


class ImageInput(nn.Module):
    """Feeds a detector, a probe or a traced probe from a uint8 colour image.

    Args:
        network: Takes float planes, see :meth:`mdacl_ros.network.detector.Detector.forward`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, rgb: Tensor, thermal: Tensor, present: Tensor) -> tuple[Tensor, ...]:
        """Detect.

        Args:
            rgb: ``(B, H, W, 3)`` uint8, R, G, B; H and W multiples of 32.
            thermal: ``(B, 1, H, W)`` float in [0, 1], registered to rgb.
            present: ``(B, 2)`` or ``(B, 2, H/32, W/32)``, 1 where the modality is available.

        Returns:
            What the network returns.
        """
        return self.network(float_planes(rgb), thermal, present)


def float_planes(images: Tensor) -> Tensor:
    """``(B, H, W, 3)`` uint8 -> contiguous ``(B, 3, H, W)`` float32 in [0, 1]."""
    # the cast comes first: TensorRT takes uint8 as an input only if it is cast at once
    planes = images.to(torch.float32).permute(0, 3, 1, 2).contiguous()
    return planes * (1.0 / FULL_SCALE)


def example_images(size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs of the right shapes and types for exporting an engine: rgb, thermal, present.

    Args:
        size: Width and height of the network input in pixels.
    """
    width, height = size
    generator = torch.Generator().manual_seed(0)
    return (
        torch.randint(0, 256, (1, height, width, 3), dtype=torch.uint8, generator=generator),
        torch.rand(1, 1, height, width, generator=generator),
        torch.ones(1, 2, height // 32, width // 32),
    )
