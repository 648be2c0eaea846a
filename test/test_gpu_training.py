"""The folder for a GPU machine: images become smaller, boxes with them."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from mdacl_tools.recordings.datasets.open_dataset import open_dataset

TOOL = Path(__file__).parents[1] / "tools/gpu_training.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu_training", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def write_pairs(folder: Path, count: int) -> Path:
    images, annotations = [], []
    for number in range(count):
        names = {c: f"{c}/{number}.png" for c in ("rgb", "thermal")}
        for name in names.values():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / name), np.full((60, 80), 20 * number, np.uint8))
        images.append({"id": number, "file_name": "x", "width": 80, "height": 60, **names})
        annotations.append(
            {"id": number, "image_id": number, "category_id": 1, "bbox": [8, 6, 20, 30]}
        )
    categories = [{"id": 1, "name": "person"}]
    path = folder / "train.json"
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return path


def test_every_second_pair_at_half_the_size(tool: ModuleType, tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "big", 4)
    target = tmp_path / "small" / "train.json"
    tool._pack_images(source, target, tool.Packed(longest=40, quality=90, every=2))
    records = open_dataset(target).sound_records()
    assert [r.image_id for r in records] == [0, 2]
    assert all(np.allclose(r.boxes, [[4, 3, 14, 18]]) for r in records)
    for record in records:
        for path in record.files:
            image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            assert image.shape == (30, 40)
            assert np.abs(image.astype(int) - 20 * record.image_id).max() <= 1


def test_the_sets_of_the_plan_are_packed(tool: ModuleType) -> None:
    import yaml

    base = yaml.safe_load((TOOL.parents[1] / "config/ablation_v2.yaml").read_text())["base"]
    named = {name for key, names in base.items() if key.endswith("annotations") for name in names}
    assert named == set(tool.SETS)
