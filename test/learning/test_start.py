from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mdacl_ros.errors import ModelError
from mdacl_ros.network.config import SIZES
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.weights import save_detector
from mdacl_tools.learning.start import load_start, origin

FUSED = replace(SIZES["nano"], use_gate=False, use_guidance=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("start")
    save_detector(Detector(FUSED), path, {})
    return path


@pytest.mark.parametrize(("camera", "index"), [("rgb", 0), ("thermal", 1)])
def test_a_single_camera_takes_its_own_part(folder: Path, camera: str, index: int) -> None:
    torch.manual_seed(1)
    source = Detector(FUSED)
    single = Detector(replace(FUSED, modalities=(camera,)))
    assert load_start(single, folder) == []
    ours = single.streams[0].stem.conv.weight
    assert torch.allclose(ours, source.streams[index].stem.conv.weight, atol=1e-3)
    ours = single.fusions[1].project[0].weight
    assert torch.allclose(ours, source.fusions[1].project[index].weight, atol=1e-3)


def test_new_layers_are_named_and_the_auxiliary_head_is_the_heads_twin(folder: Path) -> None:
    detector = Detector(replace(FUSED, use_gate=True))
    new = load_start(detector, folder)
    assert new
    assert all(name.startswith("gates.") for name in new)
    assert detector.auxiliary_head is not None
    for ours, theirs in zip(
        detector.auxiliary_head.parameters(), detector.head.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_another_size_is_refused(folder: Path, tmp_path: Path) -> None:
    other = replace(FUSED, modalities=("rgb",))
    save_detector(Detector(other), tmp_path, {})
    with pytest.raises(ModelError, match="fit none"):
        load_start(Detector(replace(FUSED, modalities=("thermal",))), tmp_path)


def test_a_shared_projection_starts_with_the_mean(folder: Path) -> None:
    torch.manual_seed(1)
    source = Detector(FUSED)
    detector = Detector(replace(FUSED, fusion="sum"))
    assert load_start(detector, folder) == []
    both = [p.weight for p in source.fusions[0].project]
    ours = detector.fusions[0].project[0].weight
    assert torch.allclose(ours, (both[0] + both[1]) / 2, atol=1e-3)


def test_cross_attention_starts_as_a_plain_concatenation(folder: Path) -> None:
    plain, attending = Detector(FUSED).eval(), Detector(replace(FUSED, fusion="cross_attention"))
    load_start(plain, folder)
    load_start(attending.eval(), folder)
    inputs = torch.rand(1, 3, 64, 96), torch.rand(1, 1, 64, 96), torch.ones(1, 2)
    with torch.no_grad():
        assert torch.allclose(plain(*inputs).scores, attending(*inputs).scores, atol=1e-5)


def test_what_a_training_began_with_is_recorded(folder: Path) -> None:
    made = origin(folder)
    assert made["training"] == {}
    assert len(made["weights_sha256"]) == 64
