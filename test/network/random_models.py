"""Small detectors with random weights that answer with spread-out scores; no shipped weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from mdacl_ros.network.config import SIZES, DetectorConfig
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.weights import save_detector

SIZE = (160, 128)
"""Width and height of the network input in these tests."""

NANO = replace(SIZES["nano"], top_k=40)

MICRO = replace(
    NANO, blocks=(0, 1, 3, 5, 6, 11), neck_channels=32, gate_channels=8, guidance_channels=8
)
"""Every kind of layer once or twice, for what takes long to build."""

ONE_TRUNK = replace(
    MICRO, architecture="one_trunk", blocks=(5, 6, 11), stem_channels=(8, 16, 16), neck_channels=16
)
"""The same for light stems and one trunk behind the fusion at stride 8."""

torch.set_num_threads(1)


def random_inputs(
    batch: int = 1, size: tuple[int, int] = SIZE, seed: int = 1
) -> tuple[Tensor, Tensor, Tensor]:
    """Blocky random pictures (rgb, thermal) with both cameras present, ``(B, 2)``."""
    generator = torch.Generator().manual_seed(seed)
    width, height = size

    def picture(channels: int) -> Tensor:
        coarse = torch.rand(batch, channels, height // 8, width // 8, generator=generator)
        return nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")

    return picture(3), picture(1), torch.ones(batch, 2)


def random_detector(config: DetectorConfig = NANO, seed: int = 0) -> Detector:
    """A detector in eval mode, every branch of which matters: nothing is left at its identity."""
    torch.manual_seed(seed)
    detector = Detector(config)
    with torch.no_grad():
        for parameter in detector.parameters():
            if not parameter.any():
                parameter.normal_(0.0, 0.15)
    _settle_norms(detector)
    with torch.no_grad():
        for branch in (*detector.head.classify, *detector.head.regress):
            branch[-1].weight.mul_(4.0)
    return detector.eval()


def save_random_model(folder: Path, config: DetectorConfig = NANO, **extra: object) -> Path:
    """Write a model folder of random weights."""
    save_detector(random_detector(config), folder, dict(extra))
    return folder


def _settle_norms(detector: Detector) -> None:
    """Take the running statistics from one batch, so that signals keep their size in eval mode."""
    norms = [m for m in detector.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        detector.train()(*random_inputs(4, seed=2))
    for norm in norms:
        norm.momentum = 0.03
