from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from mdacl_ros.errors import ModelError
from mdacl_ros.network.config import SIZES, DetectorConfig
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.weights import count_parameters, load_detector

from .random_models import NANO, random_detector, random_inputs, save_random_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_random_model(tmp_path / "model")


def edit_yaml(model: Path, **detector: object) -> None:
    values = yaml.safe_load((model / "model.yaml").read_text())
    values["detector"] |= detector
    (model / "model.yaml").write_text(yaml.safe_dump(values))


def test_round_trip(tmp_path: Path) -> None:
    detector = random_detector()
    loaded = load_detector(save_random_model(tmp_path, note="kept"))
    assert loaded.config == detector.config
    assert not loaded.training
    assert yaml.safe_load((tmp_path / "model.yaml").read_text())["note"] == "kept"
    theirs = loaded.state_dict()
    for name, value in detector.state_dict().items():
        if name.startswith("auxiliary_head."):
            assert name not in theirs
        else:
            assert theirs[name].dtype == value.dtype
            assert torch.allclose(theirs[name], value, rtol=1e-3, atol=1e-4)
    with torch.inference_mode():
        gap = loaded(*random_inputs()).scores - detector(*random_inputs()).scores
    assert gap.abs().max() < 0.05  # half-precision weights


@pytest.mark.parametrize("size", SIZES)
def test_config_round_trip(size: str) -> None:
    assert DetectorConfig.from_dict(SIZES[size].to_dict()) == SIZES[size]


def test_missing_weights(model: Path) -> None:
    (model / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match=r"weights\.safetensors does not exist"):
        load_detector(model)


def test_truncated_weights(model: Path) -> None:
    path = model / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=r"weights\.safetensors: not a readable") as caught:
        load_detector(model)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network(model: Path) -> None:
    state = load_file(model / "weights.safetensors")
    del state["head.classify.0.1.bias"]
    save_file(state, model / "weights.safetensors")
    with pytest.raises(ModelError, match="do not fit") as caught:
        load_detector(model)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 3}, "unknown keys"),
        ({"blocks": 5}, "detector.blocks is 5"),
        ({"blocks": [0, 99]}, "detector.blocks"),
        ({"blocks": ["a"]}, "list of int"),
        ({"fusion": "magic"}, "detector.fusion is 'magic', wanted one of"),
        ({"top_k": "many"}, "detector.top_k is 'many', wanted int"),
        ({"top_k": 0}, "detector.top_k is 0, wanted 1 or more"),
        ({"use_gate": 1}, "detector.use_gate is 1, wanted bool"),
        ({"labels": "person"}, "detector.labels is 'person'"),
        ({"neck_channels": 32}, "do not fit"),
    ],
)
def test_foreign_yaml(model: Path, change: dict[str, object], message: str) -> None:
    edit_yaml(model, **change)
    with pytest.raises(ModelError, match=message.replace("[", r"\[")) as caught:
        load_detector(model)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "detector: 3", "\x00"])
def test_no_model_yaml(model: Path, text: str) -> None:
    (model / "model.yaml").write_text(text)
    with pytest.raises(ModelError, match=r"model\.yaml: ") as caught:
        load_detector(model)
    assert "\n" not in str(caught.value)


def test_name_is_needed() -> None:
    with pytest.raises(ModelError, match="name is missing"):
        DetectorConfig.from_dict({})


def test_sizes_are_what_they_are_called() -> None:
    """Small enough for a robot, and nano smaller than small."""
    counts = {}
    for name, config in SIZES.items():
        detector = Detector(config)
        detector.auxiliary_head = None
        counts[name] = count_parameters(detector)
    assert counts["nano"] < counts["small"] < 10e6  # 20 MB in half precision
    assert NANO.name == "nano"
