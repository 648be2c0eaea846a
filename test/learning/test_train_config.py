from __future__ import annotations

from pathlib import Path

import pytest

from mdacl_ros.errors import ModelError
from mdacl_tools.learning.train_config import TrainConfig, load_train_config

ROOT = Path(__file__).parents[2]


def write(folder: Path, text: str) -> Path:
    path = folder / "train.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "path", sorted((ROOT / "config").glob("train*.yaml")), ids=lambda p: p.name
)
def test_shipped_configs_are_valid(path: Path) -> None:
    config = load_train_config(path)
    assert all(side % 32 == 0 for side in config.augmentation.size)
    assert config.detector_config().labels


def test_values_and_defaults(tmp_path: Path) -> None:
    text = """
size: nano
steps: 7
learning_rate: 1
annotations: [a.json, b.json]
detector: {fusion: sum}
augmentation: {size: [64, 96], flip: 0}
"""
    config = load_train_config(write(tmp_path, text))
    assert config.annotations == ("a.json", "b.json")
    assert config.augmentation.size == (64, 96)
    assert config.batch_size == TrainConfig().batch_size
    assert config.detector_config().fusion == "sum"
    assert load_train_config(write(tmp_path, "{}")) == TrainConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty, wanted a training config"),
        ("a: [", "not YAML"),
        ("size: tiny", r"train.yaml: size is 'tiny', wanted one of \['small', 'nano', "),
        ("detector: {fusion: magic}", "train.yaml: detector.fusion is 'magic'"),
        ("rgb_share: 1.5", "rgb_share is 1.5, wanted 0 to 1"),
        ("rgb_share: 0.5", "rgb_share is set without rgb_annotations"),
        ("learning_rate: 0", "learning_rate is 0, wanted 1e-09 to 1"),
        ("learning_rate: .nan", "learning_rate is nan"),
        ("ema_decay: 1.5", "ema_decay is 1.5"),
        ("warmup: -5", "warmup is -5, wanted 0 or more"),
        ("frozen_blocks: 99", "frozen_blocks is 99, wanted 0 to 16"),
        ("seed: -1", "seed is -1"),
        ("guidance: {alpha: -1}", "guidance.alpha is -1, wanted 0 or more"),
        ("guidance: {beta: .inf}", "guidance.beta is inf"),
        ("augmentation: {flip: 3}", "augmentation.flip is 3, wanted 0 to 1"),
        ("augmentation: {scale: [1.6, 0.5]}", r"scale is \[1.6, 0.5\], wanted the least and"),
        ("augmentation: {scale: [1.0]}", r"scale is \[1.0\], wanted the least and"),
        ("steps: 1\nsteps: 2", "key 'steps' is there twice"),
        ("detector: {labels: [person, dog]}", r"labels is \['person', 'dog'\], wanted"),
        ("steps: -3", "steps is -3, wanted 1 or more"),
        ("augmentation: {size: [130, 97]}", r"size is \[130, 97\], wanted .* multiples of 32"),
        ("- 3", "the file is no mapping"),
        ("stepps: 3", r"unknown keys \['stepps'\]"),
        ("augmentation: {zoom: 2}", r"unknown keys \['augmentation.zoom'\]"),
        ("augmentation: 3", "augmentation. is no mapping"),
        ("learning_rate: 1e-3", "learning_rate is '1e-3', wanted float .*write 1.0e-3"),
        ("steps: 2.5", "steps is 2.5, wanted int"),
        ("steps: true", "steps is True, wanted int"),
        ("annotations: msrs/train.json", "annotations is 'msrs/train.json', wanted a list"),
        ("annotations: [1]", "annotations is 1, wanted str"),
        ("augmentation: {size: [64, big]}", "augmentation.size is 'big', wanted int"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        load_train_config(write(tmp_path, text))
    assert "train.yaml: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.yaml: cannot read the training config"):
        load_train_config(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": "giant"}, "size is 'giant', wanted one of"),
        ({"detector": {"colour": 1}}, "unknown keys"),
        ({"detector": {"fusion": "magic"}}, "fusion is 'magic'"),
    ],
)
def test_wrong_architecture(values: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        TrainConfig(**values).detector_config()
