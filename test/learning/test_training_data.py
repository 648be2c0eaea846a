from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mdacl_ros.errors import RecordingError
from mdacl_tools.learning.train_config import TrainConfig, train_config_from
from mdacl_tools.learning.training_data import TrainingData


def write_sets(folder: Path) -> None:
    """A set of one pair and a set of one thermal image, 64x64."""
    image = np.full((64, 64), 90, np.uint8)
    for name in ("rgb.png", "thermal.png", "alone.png"):
        cv2.imwrite(str(folder / name), image)
    categories = [{"id": i + 1, "name": n} for i, n in enumerate(("person", "car", "bicycle"))]
    box = {"id": 1, "image_id": 1, "bbox": [8, 8, 20, 30], "area": 600, "iscrowd": 0}
    size = {"id": 1, "width": 64, "height": 64}
    for file, image_entry, label in (
        ("pairs.json", {"file_name": "rgb.png", "rgb": "rgb.png", "thermal": "thermal.png"}, 1),
        ("thermal.json", {"file_name": "alone.png", "not_exhaustive_category_ids": [1]}, 2),
    ):
        coco = {
            "images": [size | image_entry],
            "annotations": [box | {"category_id": label}],
            "categories": categories,
        }
        (folder / file).write_text(json.dumps(coco))


def config() -> TrainConfig:
    values = {
        "annotations": ["pairs.json"],
        "simulated": 0,
        "thermal_annotations": ["thermal.json"],
        "thermal_share": 0.5,
        "augmentation": {"size": [64, 64], "drop_modality": 0.0},
    }
    return train_config_from(values, "test")


def test_images_of_one_camera_are_mixed_in_without_the_other(tmp_path: Path) -> None:
    write_sets(tmp_path)
    pairs = TrainingData(tmp_path, tmp_path / "scenes").pairs(config())
    items = [pairs[i] for i in range(40)]
    alone = [item for item in items if not item.exhaustive[0]]
    assert 8 < len(alone) < 32
    assert all(item.present[0].max() == 0 for item in alone)
    assert all(item.present[1].max() == 1 for item in alone)


def test_of_a_folder_only_the_part_for_training_is_learnt(tmp_path: Path) -> None:
    write_sets(tmp_path)
    folder = tmp_path / "drive"
    folder.mkdir()
    for name in ("rgb.png", "thermal.png"):
        (tmp_path / name).rename(folder / name)
    (tmp_path / "thermal.json").unlink()
    text = (tmp_path / "pairs.json").read_text()
    (folder / "test.json").write_text(text)
    values = {"annotations": ["drive"], "simulated": 0}
    data = TrainingData(tmp_path, tmp_path / "scenes")
    (folder / "val.json").write_text(text)
    with pytest.raises(RecordingError, match="wanted a split `train` to learn from, got"):
        data.pairs(train_config_from(values, "test"))
    (folder / "train.json").write_text(text)
    assert len(data.pairs(train_config_from(values, "test")).real) == 1


def test_sets_are_read_once(tmp_path: Path) -> None:
    write_sets(tmp_path)
    data = TrainingData(tmp_path, tmp_path / "scenes")
    first = data.pairs(config())
    (tmp_path / "pairs.json").unlink()
    assert data.pairs(config()).real is first.real
