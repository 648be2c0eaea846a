"""The reference engine and the device it runs on; no GPU is needed here, and none is used."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from network.random_models import MICRO, SIZE

from mdacl_ros.errors import EngineError
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.image_input import ImageInput, example_images
from mdacl_ros.network.probe import Probe, fold_norms
from mdacl_ros.runtime import load_engine
from mdacl_ros.runtime.torch_engine import device_name, exact_convolutions
from mdacl_ros.runtime.torch_kind import TorchKind, torch_cuda_version


@pytest.mark.parametrize("probe", [False, True])
def test_no_tensor_stays_behind_on_the_cpu(probe: bool) -> None:
    """On the device without numbers, as on a GPU, an operation on two devices is an error."""
    detector = fold_norms(Detector(MICRO).eval()).requires_grad_(False).to("meta")
    network = ImageInput(Probe(detector) if probe else detector)
    outputs = network(*(x.to("meta") for x in example_images(SIZE)))
    assert {x.device.type for x in outputs} == {"meta"}


def test_cuda_that_pytorch_cannot_use_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match="cannot use the GPU; update the NVIDIA driver") as caught:
        device_name("cuda")
    assert "\n" not in str(caught.value)
    assert device_name("cpu") == "CPU"


def test_a_gpu_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Orin")
    assert device_name("cuda") == "Orin"


def test_convolutions_are_not_rounded_and_the_setting_comes_back() -> None:
    before = torch.backends.cudnn.allow_tf32
    with exact_convolutions():
        assert not torch.backends.cudnn.allow_tf32
        assert torch.backends.cudnn.enabled
    assert torch.backends.cudnn.allow_tf32 == before


def test_a_closed_engine_says_so(model: Path) -> None:
    engine = load_engine(model, engine=TorchKind.name, device="cpu", input_size=SIZE)
    inputs = [x.numpy() for x in example_images(SIZE)]
    assert engine.infer(*inputs).scores.shape[0] == 1
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed; load it again"):
        engine.infer(*inputs)


def test_the_cuda_version_is_read_without_importing() -> None:
    assert torch_cuda_version() == (torch.version.cuda or "")
