from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mdacl_ros.errors import ModelError
from mdacl_ros.network.config import SIZES, DetectorConfig
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.dominance import dominance_shares, mdi
from mdacl_tools.learning.augmentation import AugmentationConfig, augment
from mdacl_tools.learning.batches import Batch, collate
from mdacl_tools.learning.equilibrium import EquilibriumConfig
from mdacl_tools.learning.guidance_loss import GuidanceConfig
from mdacl_tools.learning.step import TrainingStep

from .synthetic import rectangle_sample

SMALLEST = replace(
    SIZES["nano"], neck_channels=16, gate_channels=8, guidance_channels=4, use_guidance=True
)
ALL_ON = (GuidanceConfig(0.2, 0.5, 0.5), EquilibriumConfig(0.1, 1.0, 2.0))
OFF = (GuidanceConfig(), EquilibriumConfig())


def batch(drop: float = 0.0, images: int = 3) -> Batch:
    sample = rectangle_sample([(60, 40, 140, 160), (200, 90, 230, 150)], [0, 1], (320, 256))
    quiet = AugmentationConfig(
        size=(96, 64), drop_modality=drop, partial_coverage=0.0, corrupt=0.0, scale=(0.3, 0.4)
    )
    rng = np.random.default_rng(3)
    return collate([augment(sample, quiet, rng) for _ in range(images)])


def step(
    config: DetectorConfig = SMALLEST,
    parts: tuple[GuidanceConfig, EquilibriumConfig] = OFF,
) -> TrainingStep:
    torch.manual_seed(0)
    return TrainingStep(Detector(config), *parts).train()


@pytest.mark.parametrize("fusion", ["concat", "sum", "cross_attention"])
def test_every_weight_learns_with_everything_on(fusion: str) -> None:
    module = step(replace(SMALLEST, fusion=fusion), ALL_ON)  # type: ignore[arg-type]
    losses = module(batch(), 0.5)
    assert {"many", "one", "guidance", "balance", "discriminator"} < set(losses)
    losses["loss"].backward()
    still = [n for n, p in module.named_parameters() if p.grad is None]
    assert still == []


def test_dominance_is_that_of_the_gradients_the_loss_left() -> None:
    module = step()
    module(batch(), 0.0)["loss"].backward()
    values = module.dominance()
    assert module.watched is not None
    features = module.watched.features
    assert (module.detector.entropy_floor > 0).all()
    supports = [
        -((x - x.mean((2, 3), keepdim=True)) * x.grad).sum(1)
        for x in features
        if x.grad is not None
    ]
    around = [torch.nn.functional.pad(x, [3] * 4).unfold(1, 7, 1).unfold(2, 7, 1) for x in supports]
    sums = [cells.mean((3, 4)).clamp(min=0).sum((1, 2)) for cells in around]
    g = torch.stack(sums, 1).unflatten(1, (3, 2))
    h = module.detector.entropies(features).mean(-1)
    expected = mdi(dominance_shares(h, g.sum(1))).mean().item()
    assert values["mdi"] == pytest.approx(expected, abs=1e-5)
    assert values["share_rgb"] == pytest.approx(
        (g.sum(1)[:, 0] / g.sum((1, 2))).mean().item(), abs=1e-5
    )
    assert {"mdi_p3", "mdi_p4", "mdi_p5", "entropy_rgb", "gradient_thermal"} <= set(values)
    assert module.running.mdi.item() == pytest.approx(0.05 * expected, abs=1e-4)


def test_a_stream_sees_only_images_it_has() -> None:
    """Black images would spoil the norm statistics; features are as if they had not been there."""
    module = step()
    mixed = batch(images=4)
    mixed.present[2:, 0] = 0
    detector = module.detector
    pyramids = detector.extract(mixed.rgb, mixed.thermal, mixed.present)
    alone = step().detector.extract(mixed.rgb[:2], mixed.thermal[:2], mixed.present[:2])
    assert torch.allclose(pyramids[0][1][:2], alone[0][1], atol=1e-5)
    assert pyramids[0][1][2:].abs().sum() == 0


def test_batches_without_a_pair_train_without_regularisers() -> None:
    module = step(parts=ALL_ON)
    losses = module(batch(drop=1.0), 0.5)
    losses["loss"].backward()
    assert set(losses) == {"many", "one", "loss"}
    assert module.dominance() == {}


@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_a_detector_of_one_camera_trains(camera: str) -> None:
    module = step(replace(SMALLEST, modalities=(camera,)))
    module(batch(), 0.0)["loss"].backward()
    assert all(p.grad is not None for p in module.parameters())
    assert module.dominance() == {}


def test_regularisers_of_one_camera_are_refused() -> None:
    with pytest.raises(ModelError, match="both cameras"):
        step(replace(SMALLEST, modalities=("rgb",)), ALL_ON)


def test_bf16_autocast_gives_about_the_same_loss() -> None:
    module = step(parts=ALL_ON)
    plain = module(batch(), 0.5)["loss"].item()
    with torch.autocast("cpu", torch.bfloat16):
        lower = step(parts=ALL_ON)(batch(), 0.5)["loss"].item()
    assert lower == pytest.approx(plain, rel=0.05)


def test_guidance_without_its_shared_space_is_refused() -> None:
    without = replace(SMALLEST, use_guidance=False)
    with pytest.raises(ModelError, match="use_guidance is false"):
        step(without, (GuidanceConfig(alpha=0.1), EquilibriumConfig()))
    step(without, (GuidanceConfig(beta=0.1, gamma=0.1), EquilibriumConfig()))
