"""Each public data set, as it comes, gives the same kind of record."""

from __future__ import annotations

from pathlib import Path

import pytest

from mdacl_ros.errors import RecordingError
from mdacl_tools.learning.samples import load_sample, read_pairs
from mdacl_tools.recordings.datasets.open_dataset import LAYOUTS, open_dataset
from mdacl_tools.recordings.open_recording import open_recording
from recordings.datasets import trees

PERSON, CAR, BICYCLE = 0, 1, 2

BUILDERS = {
    "LLVIP": trees.llvip,
    "FLIR-aligned": trees.flir,
    "M3FD": trees.m3fd,
    "M3FD YOLO": trees.m3fd_yolo,
    "KAIST": trees.kaist,
    "KAIST flat": trees.kaist_flat_text,
    "MSRS": trees.msrs,
    "COCO": trees.coco_pairs,
}


@pytest.mark.parametrize("name", BUILDERS)
def test_every_layout_is_found_and_serves_training_and_evaluation(name: str, tmp_path: Path):
    root = BUILDERS[name](tmp_path / "download" / "set")
    dataset = open_dataset(root)
    assert dataset.layout == name.split()[0]
    assert {record.split for record in dataset.records} == set(dataset.splits)
    for record in read_pairs(root):
        sample = load_sample(record, 3)
        assert sample.cameras == (True, True)
        assert sample.rgb.shape == (48, 64, 3)
        assert sample.thermal.shape == (48, 64)
    recording = open_recording(root)
    assert recording.frames["rgb"] == len(list(recording)) // 2
    first = next(iter(recording))
    assert recording.truth(first.frame.stamp_ns) is not None


@pytest.mark.parametrize("name", BUILDERS)
def test_an_archive_that_unpacks_into_its_own_folder_is_found(name: str, tmp_path: Path):
    BUILDERS[name](tmp_path / "download" / "set")
    if name != "MSRS":  # its labels lie beside it, as a second folder
        assert len(list((tmp_path / "download").iterdir())) == 1
    assert open_dataset(tmp_path / "download").root == tmp_path / "download" / "set"


def test_llvip_draws_people_only(tmp_path: Path):
    train = open_dataset(trees.llvip(tmp_path), "train").records
    assert [r.name for r in train] == ["010001.jpg", "010002.jpg"]
    assert train[0].boxes.tolist() == [[10, 5, 20, 40], [30, 5, 40, 40]]
    assert train[0].ignore.tolist() == [False, True]
    assert train[0].not_exhaustive == (CAR, BICYCLE)
    assert train[0].meta["sequence"] == "01"
    assert load_sample(train[0], 3).exhaustive.tolist() == [True, False, False]


@pytest.mark.parametrize("lists", ["", "ImageSets/Main"])
def test_flir_follows_its_lists(tmp_path: Path, lists: str):
    root = trees.flir(tmp_path / "align", lists)
    dataset = open_dataset(root)
    assert dataset.splits == ("train", "validation")
    record = open_dataset(root, "validation").records[0]
    assert record.name == "FLIR_08864_RGB.jpg"
    assert record.thermal == root / "JPEGImages" / "FLIR_08864_PreviewData.jpeg"
    assert record.labels.tolist() == [BICYCLE, CAR]
    assert record.left_out == ("dog",)
    assert record.not_exhaustive == ()
    assert open_recording(root).frames["rgb"] == 1


def test_flir_without_lists_reads_all(tmp_path: Path):
    trees.flir(tmp_path)
    for path in tmp_path.glob("align_*.txt"):
        path.unlink()
    assert len(open_dataset(tmp_path, "all").records) == 3


def test_m3fd_has_people_and_regions_to_ignore(tmp_path: Path):
    record = open_dataset(trees.m3fd(tmp_path)).records[0]
    assert record.labels.tolist() == [PERSON, CAR, BICYCLE]
    assert record.ignore.tolist() == [False, True, True]
    assert record.left_out == ("Lamp",)
    assert record.not_exhaustive == (BICYCLE,)


def test_m3fd_yolo_numbers_are_its_own(tmp_path: Path):
    root = trees.m3fd_yolo(tmp_path / "M3FD")
    first, empty = open_dataset(root, "train").records
    assert first.labels.tolist() == [PERSON, CAR]
    assert first.ignore.tolist() == [False, True]  # a bus
    assert first.boxes.tolist() == [[24, 12, 40, 36], [0, 0, 32, 24]]
    assert empty.name == "00002.png"
    assert empty.boxes.shape == (0, 4)
    (second,) = open_dataset(root, "val").records
    assert (second.labels.tolist(), second.left_out) == ([CAR], ("Lamp",))


def test_yolo_numbers_without_names_are_not_guessed(tmp_path: Path):
    root = trees.m3fd_yolo(tmp_path / "other" / "set")
    for path in (root / "meta").iterdir():
        path.unlink()
    (root / "meta").rmdir()
    with pytest.raises(RecordingError, match=r"wanted a classes\.txt"):
        open_dataset(root)
    trees.write_text(root / "classes.txt", "bicycle\nperson\ncar\nlamp\n")
    first, second, _ = open_dataset(root).records
    assert (first.labels.tolist(), second.labels.tolist()) == ([BICYCLE, CAR], [PERSON])


def test_kaist_ignores_what_its_protocol_ignores(tmp_path: Path):
    root = trees.kaist(tmp_path)
    first, second = open_dataset(root, "train").records
    assert first.labels.tolist() == [PERSON] * 4
    assert first.ignore.tolist() == [False, True, True, True]
    assert first.boxes[0].tolist() == [5, 4, 13, 34]
    assert (first.meta, second.meta["time"]) == (
        {"sequence": "set00/V000", "time": "day"},
        "night",
    )
    assert first.not_exhaustive == (CAR, BICYCLE)
    assert first.thermal == root / "images/set00/V000/lwir/I00001.jpg"


def test_kaist_text_annotations(tmp_path: Path):
    root = trees.kaist_flat_text(tmp_path)
    (train,) = open_dataset(root, "train").records
    assert train.boxes.tolist() == [[5, 4, 13, 34], [25, 4, 33, 34]]
    assert train.ignore.tolist() == [False, True]
    assert [r.split for r in open_dataset(root).records] == ["train", "test"]


@pytest.mark.parametrize("labels", ["../MSRS-detection-label", "MSRS-detection-label-main", "."])
def test_msrs_merges_its_label_sets(tmp_path: Path, labels: str):
    root = trees.msrs(tmp_path / "MSRS", labels)
    assert open_dataset(root).splits == ("train", "test", "detection")
    (record,) = open_dataset(root, "test").records
    assert record.labels.tolist() == [PERSON, CAR, BICYCLE]
    assert record.visible.tolist() == [[True, True], [False, True], [True, True]]
    assert record.boxes[0].tolist() == pytest.approx([9.6, 14.88, 22.4, 34.08])
    assert record.meta == {"time": "night"}
    (own,) = open_dataset(root, "detection").records
    assert own.labels.tolist() == [CAR]


def test_msrs_without_boxes_says_where_they_are(tmp_path: Path):
    trees.write_image(tmp_path / "train" / "vi" / "00001D.png", 1)
    with pytest.raises(RecordingError, match="Lele-3/MSRS-detection-label"):
        open_dataset(tmp_path)


def test_coco_parts_are_its_files(tmp_path: Path):
    root = trees.coco_pairs(tmp_path)
    assert open_dataset(root).splits == ("test", "train")
    assert [r.name for r in open_dataset(root, "train").records] == ["train_0.jpg", "train_1.jpg"]
    assert len(open_dataset(root / "train.json").records) == 2
    assert open_recording(root).name == f"{root.name}_test"


def test_layout_names_are_distinct():
    assert len({layout.name for layout in LAYOUTS}) == len(LAYOUTS)
