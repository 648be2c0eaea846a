from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from network.random_models import MICRO, ONE_TRUNK, save_random_model

from mdacl_ros.errors import ModelError
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.weights import load_detector
from mdacl_tools.learning.distillation import Distillation, DistillationConfig
from mdacl_tools.learning.equilibrium import EquilibriumConfig
from mdacl_tools.learning.guidance_loss import GuidanceConfig
from mdacl_tools.learning.step import TrainingStep
from mdacl_tools.learning.train_config import train_config_from

from .test_step import batch


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of another architecture, and wider than the student."""
    return save_random_model(tmp_path_factory.mktemp("teacher") / "model", MICRO)


def test_a_student_of_another_architecture_learns_the_pyramid(teacher: Path) -> None:
    torch.manual_seed(0)
    config = DistillationConfig(str(teacher), 0.5)
    step = TrainingStep(Detector(ONE_TRUNK), GuidanceConfig(), EquilibriumConfig(), config).train()
    losses = step(batch(), 0.0)
    losses["distillation"].backward()
    assert not any("_teacher" in name for name, _ in step.named_parameters())
    moved = {n.split(".")[1] for n, p in step.named_parameters() if p.grad is not None}
    assert {"streams", "trunk", "neck", "adapters"} <= moved
    assert "head" not in moved


def test_the_same_pyramid_has_no_loss_and_another_one_has(teacher: Path) -> None:
    loss = Distillation(MICRO.neck_channels, DistillationConfig(str(teacher), 2.0))
    for adapter in loss.adapters:
        torch.nn.init.dirac_(adapter.weight)  # type: ignore[arg-type]
        torch.nn.init.zeros_(adapter.bias)  # type: ignore[arg-type]
    images = batch()
    twin = load_detector(teacher)
    with torch.no_grad():
        inputs = twin.encode(images.rgb, images.thermal, images.covered)
        levels = twin.fuse(inputs.features, inputs.masks).levels
        assert float(loss(levels, images)) == pytest.approx(0.0, abs=1e-5)
        assert float(loss([x + x.std() for x in levels], images)) > 0.1


def test_the_teacher_sees_what_was_dropped(teacher: Path) -> None:
    images = batch(drop=1.0)
    assert not images.present.flatten(2).any(2).all()
    assert images.covered.flatten(2).any(2).all()
    loss = Distillation(MICRO.neck_channels, DistillationConfig(str(teacher), 1.0))
    loss.requires_grad_(False)
    levels = [torch.zeros(3, MICRO.neck_channels, 64 >> k, 96 >> k) for k in (3, 4, 5)]
    blind = images._replace(covered=images.present)
    assert float(loss(levels, images)) != pytest.approx(float(loss(levels, blind)), rel=1e-3)


def test_a_missing_teacher_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        Distillation(8, DistillationConfig(str(tmp_path / "nowhere"), 1.0))


def test_the_section_is_read() -> None:
    values = {"distillation": {"teacher": "models/small", "features": 0.5}}
    config = train_config_from(values, "train.yaml")
    assert config.distillation.active
    assert not replace(config.distillation, features=0.0).active
