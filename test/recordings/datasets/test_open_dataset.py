from __future__ import annotations

import json
from pathlib import Path

import pytest

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.datasets.open_dataset import (
    LAYOUTS,
    default_split,
    is_dataset,
    open_dataset,
)
from recordings.datasets import trees


def test_nothing_known_says_what_it_looked_for(tmp_path: Path):
    with pytest.raises(RecordingError, match="no such file") as missing:
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(RecordingError, match="found no known layout") as nothing:
        open_dataset(tmp_path)
    assert all(layout.name in str(nothing.value) for layout in LAYOUTS)
    assert "\n" not in str(missing.value) + str(nothing.value)
    assert not is_dataset(tmp_path)


def test_several_data_sets_in_one_folder_are_named(tmp_path: Path):
    trees.llvip(tmp_path / "LLVIP")
    trees.m3fd(tmp_path / "M3FD")
    with pytest.raises(RecordingError, match="wanted one, got LLVIP, M3FD"):
        open_dataset(tmp_path)


def test_an_unknown_part_is_refused_with_the_known_ones(tmp_path: Path):
    root = trees.llvip(tmp_path)
    with pytest.raises(RecordingError, match="got split 'val', wanted train, test"):
        open_dataset(root, "val")


def test_a_damaged_annotation_stops_training_and_names_the_checker(tmp_path: Path):
    root = trees.llvip(tmp_path)
    (root / "Annotations" / "010001.xml").write_text("<annotation>")
    dataset = open_dataset(root)
    assert [bool(r.faults) for r in dataset.records] == [True, False, False]
    with pytest.raises(RecordingError, match=r"010001\.xml: not Pascal VOC.*mdacl data check"):
        dataset.sound_records()


def test_the_part_to_score():
    path = Path("set")
    assert default_split(("train", "val", "test"), path) == "test"
    assert default_split(("train", "validation"), path) == "validation"
    assert default_split(("all",), path) == "all"
    with pytest.raises(RecordingError, match="got a, b"):
        default_split(("a", "b"), path)


def test_missing_partners_keep_the_path_where_they_should_be(tmp_path: Path):
    root = trees.llvip(tmp_path)
    (root / "infrared" / "train" / "010001.jpg").unlink()
    (root / "visible" / "train" / "010002.jpg").unlink()
    first, second = open_dataset(root, "train").records
    assert first.thermal == root / "infrared" / "train" / "010001.jpg"
    assert second.rgb == root / "visible" / "train" / "010002.jpg"


def test_one_camera_needs_its_name(tmp_path: Path):
    root = trees.coco_pairs(tmp_path, ("train",))
    coco = json.loads((root / "train.json").read_text())
    (root / "images").mkdir()
    for image in coco["images"]:
        image.pop("rgb")
        image["file_name"] = Path(image.pop("thermal")).name
        (root / "thermal" / image["file_name"]).rename(root / "images" / image["file_name"])
    (root / "train.json").write_text(json.dumps(coco))
    with pytest.raises(RecordingError, match="--camera rgb or --camera thermal"):
        open_dataset(root)
    record = open_dataset(root, camera="thermal").records[0]
    assert record.rgb is None
    assert record.thermal == root / "images" / "train_0.png"
    assert record.visible.tolist() == [[False, True]]


def test_coco_classes_go_by_name(tmp_path: Path):
    root = trees.coco_pairs(tmp_path, ("train",), 1)
    coco = json.loads((root / "train.json").read_text())
    names = {1: "Car", 2: "traffic_light", 3: "bus", 4: "tank"}
    coco["categories"] = [{"id": i, "name": n} for i, n in names.items()]
    box = coco["annotations"][0]
    coco["annotations"] = [box | {"id": i, "category_id": i} for i in (*names, 9)]
    coco["images"][0]["not_exhaustive_category_ids"] = [1, 3]
    (root / "train.json").write_text(json.dumps(coco))
    (record,) = open_dataset(root).records
    assert record.labels.tolist() == [1, 1]
    assert record.ignore.tolist() == [False, True]
    assert record.left_out == ("traffic_light", "tank", "category 9")
    assert record.not_exhaustive == (0, 1, 2)  # person and bicycle are no categories of it


def test_an_annotation_of_an_absent_image_is_refused(tmp_path: Path):
    root = trees.coco_pairs(tmp_path, ("train",), 1)
    coco = json.loads((root / "train.json").read_text())
    coco["annotations"][0]["image_id"] = 77
    (root / "train.json").write_text(json.dumps(coco))
    with pytest.raises(RecordingError, match="names image 77"):
        open_dataset(root)
