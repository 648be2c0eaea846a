"""The checker finds each fault that was put into a sound data set, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_tools.cli import main as cli
from mdacl_tools.recordings.datasets import findings as kinds
from mdacl_tools.recordings.datasets.check import check_records
from mdacl_tools.recordings.datasets.contact_sheet import choose, draw_sheet
from mdacl_tools.recordings.datasets.findings import DatasetFinding
from mdacl_tools.recordings.datasets.fingerprint import difference_hash, near_pairs
from mdacl_tools.recordings.datasets.images import is_cut_off
from mdacl_tools.recordings.datasets.open_dataset import open_dataset
from recordings.datasets import trees


def found_in(root: Path, serious_only: bool = True) -> list[tuple[str, str]]:
    records = open_dataset(root).records
    return [
        (f.kind.title, f"{records[f.record].split}/{records[f.record].name}")
        for f in check_records(records)
        if f.kind.serious or not serious_only
    ]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    root = trees.coco_pairs(tmp_path / "set", count=3)
    assert found_in(root, serious_only=False) == []
    return root


def edit(root: Path, change) -> None:
    coco = json.loads((root / "train.json").read_text())
    change(coco)
    (root / "train.json").write_text(json.dumps(coco))


def test_a_picture_that_is_cut_off_is_unreadable(sound: Path):
    for name in ("rgb/train_0.jpg", "thermal/train_1.png"):
        data = (sound / name).read_bytes()
        (sound / name).write_bytes(data[: len(data) * 2 // 3])
    titles = [title for title, _ in found_in(sound)]
    assert titles == ["image unreadable"] * 2


def test_a_preview_within_a_photo_is_no_end_of_it(sound: Path):
    whole = (sound / "rgb" / "train_0.jpg").read_bytes()
    # An application segment behind the start marker that holds a small picture of its own.
    inner = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    segment = b"\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner
    photo = whole[:2] + segment + whole[2:]
    assert not is_cut_off(photo)
    assert is_cut_off(photo[: len(photo) * 2 // 3])


def test_a_set_without_a_box_is_a_problem(sound: Path):
    for part in sound.glob("*.json"):
        coco = json.loads(part.read_text())
        part.write_text(json.dumps(coco | {"annotations": []}))
    assert [title for title, _ in found_in(sound)] == ["not one box in the whole set"]


def test_missing_and_unreadable_images(sound: Path):
    (sound / "thermal" / "train_0.png").unlink()
    (sound / "rgb" / "train_1.jpg").write_bytes(b"no image")
    assert found_in(sound) == [
        (kinds.MISSING.title, "train/train_0.jpg"),
        (kinds.UNREADABLE.title, "train/train_1.jpg"),
    ]


def test_sizes(sound: Path):
    trees.write_image(sound / "thermal" / "train_0.png", 100 + 0, (64, 40), grey=True)
    trees.write_image(sound / "thermal" / "train_1.png", 100 + 1, (32, 24), grey=True)
    assert found_in(sound, serious_only=False) == [
        (kinds.SIZE.title, "train/train_0.jpg"),
        (kinds.SCALED.title, "train/train_1.jpg"),
    ]


@pytest.mark.parametrize(
    ("bbox", "kind"),
    [
        ([5, 6, 60.5, 20], kinds.OUTSIDE),
        ([-3, 6, 20, 20], kinds.OUTSIDE),
        ([5, 6, 0, 20], kinds.EMPTY),
        ([5, 6, 20, -4], kinds.EMPTY),
    ],
)
def test_boxes(sound: Path, bbox: list[float], kind: kinds.Kind):
    edit(sound, lambda coco: coco["annotations"][2].update(bbox=bbox))
    assert found_in(sound) == [(kind.title, "train/train_2.jpg")]


def test_a_box_may_touch_the_border(sound: Path):
    edit(sound, lambda coco: coco["annotations"][2].update(bbox=[-0.5, 0, 65, 48.4]))
    assert found_in(sound) == []


def test_unknown_classes_are_asked_about_unrelated_ones_are_not(sound: Path):
    def change(coco):
        coco["categories"] += [{"id": 8, "name": "forklift"}, {"id": 9, "name": "dog"}]
        box = coco["annotations"][0]
        coco["annotations"] += [box | {"id": 20 + i, "category_id": i} for i in (8, 9)]

    edit(sound, change)
    assert found_in(sound) == [(kinds.UNKNOWN.title, "train/train_0.jpg")]


def copy_pair(root: Path, source: str, target: str, change=lambda image: image) -> None:
    for folder, suffix in (("rgb", "jpg"), ("thermal", "png")):
        image = cv2.imread(str(root / folder / f"{source}.{suffix}"), cv2.IMREAD_UNCHANGED)
        path = root / folder / f"{target}.{suffix}"
        if change is copy_pair:
            path.write_bytes((root / folder / f"{source}.{suffix}").read_bytes())
        else:
            cv2.imwrite(str(path), change(image))


def brighter(image: np.ndarray) -> np.ndarray:
    return cv2.convertScaleAbs(image, alpha=0.9, beta=12)


def test_doubles_in_one_part(sound: Path):
    copy_pair(sound, "train_0", "train_1", copy_pair)
    copy_pair(sound, "train_0", "train_2", brighter)
    found = found_in(sound, serious_only=False)
    assert (kinds.DUPLICATE.title, "train/train_1.jpg") in found
    assert (kinds.SIMILAR.title, "train/train_2.jpg") in found
    assert len(found) == 3  # 0-1, 0-2, 1-2


def test_leakage_between_parts(sound: Path):
    copy_pair(sound, "test_1", "train_2", brighter)
    assert found_in(sound) == [(kinds.LEAKAGE.title, "train/train_2.jpg")]


def test_damaged_annotation_files_are_findings(tmp_path: Path):
    root = trees.llvip(tmp_path)
    (root / "Annotations" / "010001.xml").unlink()
    (root / "Annotations" / "190001.xml").write_text("<annotation>")
    assert found_in(root) == [
        (kinds.ANNOTATION.title, "train/010001.jpg"),
        (kinds.ANNOTATION.title, "test/190001.jpg"),
    ]


def test_command_exits_by_what_it_finds(sound: Path, tmp_path: Path, capsys):
    sheet = tmp_path / "sheet.png"
    assert cli.main(["data", "check", str(sound), "--out", str(sheet)]) == 0
    out = capsys.readouterr().out
    assert "no problems" in out
    assert ["train", "3", "3", "0", "0", "0", "0"] in [line.split() for line in out.splitlines()]
    assert cv2.imread(str(sheet)).shape[2] == 3
    (sound / "thermal" / "train_0.png").unlink()
    assert cli.main(["data", "check", str(sound)]) == 1
    assert "PROBLEM: image missing: 1" in capsys.readouterr().out
    assert cli.main(["data", "check", str(sound), "--split", "test"]) == 0
    assert cli.main(["data", "check", str(tmp_path / "nowhere")]) == 2
    assert cli.main(["data", "check", str(sound), "--out", str(tmp_path / "no" / "x.png")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_sheet_marks_problems_in_red(sound: Path):
    records = open_dataset(sound).records
    plain = draw_sheet(records, [])
    marked = draw_sheet(records, [DatasetFinding(kinds.OUTSIDE, 4, "x 5 to 65", box=0)])
    red = np.array([255, 110, 48])
    assert not (plain == red).all(-1).any()
    assert (marked[:40, :540] == red).all(-1).any()  # problems come first


@given(st.integers(1, 60), st.lists(st.integers(0, 59), max_size=80), st.integers(3, 24))
def test_sheet_shows_no_record_twice_and_problems_first(count, bad, most):
    found = [DatasetFinding(kinds.EMPTY, i % count, "") for i in bad]
    chosen = choose(count, found, most)
    serious = {f.record for f in found}
    assert len(chosen) == len(set(chosen)) == min(count, most)
    flags = [i in serious for i in chosen]
    assert flags == sorted(flags, reverse=True)


@settings(deadline=None)
@given(st.integers(2, 40), st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_near_pairs_are_those_of_the_definition(count, most, seed):
    bits = np.random.default_rng(seed).random((count, 24)) < 0.3
    distance = (bits[:, None] != bits[None]).sum(-1)
    wanted = {
        (i, j, int(distance[i, j]))
        for i in range(count)
        for j in range(i + 1, count)
        if distance[i, j] <= most
    }
    assert set(near_pairs(bits, most)) == wanted


def test_hash_keeps_under_brightness_and_size(tmp_path: Path):
    image = cv2.imread(str(trees.write_image(tmp_path / "a.png", 3, (640, 480))))
    small = cv2.resize(image, (320, 240), interpolation=cv2.INTER_AREA)
    bits = difference_hash(image)
    assert bits.shape == (64,)
    assert (bits != difference_hash(brighter(small))).sum() <= 2
    other = cv2.imread(str(trees.write_image(tmp_path / "b.png", 4, (640, 480))))
    assert (bits != difference_hash(other)).sum() > 10
