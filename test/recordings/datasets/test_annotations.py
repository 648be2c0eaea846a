from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import LABELS
from mdacl_tools.recordings.datasets.annotations import (
    image_size,
    read_bbgt,
    read_class_names,
    read_voc,
    read_yolo,
)
from mdacl_tools.recordings.datasets.classes import NEAR, SAME, UNRELATED, is_known, meaning
from recordings.datasets import trees


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not Pascal VOC"),
        ("<annotation><object><name>car</name></object></annotation>", "without bndbox"),
        ("<a><object><bndbox><x>1</x></bndbox></object></a>", "a bndbox without y"),
        ("<a><object><bndbox><x>one</x></bndbox></object></a>", "could not convert"),
    ],
)
def test_broken_xml_is_one_line(tmp_path: Path, text: str, message: str):
    path = trees.write_text(tmp_path / "a.xml", text)
    with pytest.raises(RecordingError, match=message) as caught:
        read_voc(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["7 0.5 0.5 0.1 0.1", "0 0.5 0.5", "person 1 2 3 4"])
def test_broken_yolo_is_one_line(tmp_path: Path, text: str):
    path = trees.write_text(tmp_path / "a.txt", text)
    with pytest.raises(RecordingError, match="not YOLO text for 2 classes"):
        read_yolo(path, ["person", "car"], (64, 48))


def test_broken_bbgt_and_missing_files(tmp_path: Path):
    path = trees.write_text(tmp_path / "a.txt", "% bbGt version=3\nperson 1 2\n")
    with pytest.raises(RecordingError, match="not bbGt text"):
        read_bbgt(path)
    for read in (read_bbgt, read_voc, read_class_names):
        with pytest.raises(RecordingError, match="cannot read the annotation file"):
            read(tmp_path / "absent")
    assert read_yolo(tmp_path / "absent", ["person"], (64, 48)) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
def test_yolo_boxes_keep_centre_and_size(tmp_path_factory: pytest.TempPathFactory, shares):
    path = tmp_path_factory.mktemp("yolo") / "a.txt"
    path.write_text(f"1 {' '.join(repr(v) for v in shares)}\n")
    (item,) = read_yolo(path, ["person", "car"], (640, 480))
    x0, y0, x1, y1 = item.box
    assert item.name == "car"
    got = ((x0 + x1) / 2 / 640, (y0 + y1) / 2 / 480, (x1 - x0) / 640, (y1 - y0) / 480)
    assert got == pytest.approx(shares)


@pytest.mark.parametrize("text", ["0 person\n1 traffic light\n", "person\ntraffic light\n\n"])
def test_class_names_with_or_without_numbers(tmp_path: Path, text: str):
    path = trees.write_text(tmp_path / "classes.txt", text)
    assert read_class_names(path) == ["person", "traffic light"]


def test_image_size_comes_from_the_first_readable_header(tmp_path: Path):
    image = trees.write_image(tmp_path / "a.png", 1)
    broken = trees.write_text(tmp_path / "b.png", "no image")
    assert image_size(None, tmp_path / "absent.png", broken, image) == (64, 48)
    assert image_size(broken) is None


def test_class_tables_do_not_contradict_each_other():
    tables = [name for table in (SAME, NEAR) for names in table.values() for name in names]
    assert len(tables) == len(set(tables))
    assert not UNRELATED & set(tables)
    assert set(SAME) == set(NEAR) == set(LABELS)
    assert all(is_known(name) for name in (*tables, *UNRELATED))


def test_class_names_in_any_spelling():
    assert meaning(" Other_Vehicle ") == meaning("othervehicle")
    assert meaning("People").ignore is False
    assert meaning("People", frozenset(("people",))).ignore is True
    assert meaning("Lamp") is None
    assert not is_known("forklift")


@pytest.mark.parametrize(
    ("row", "box"),
    [
        ("0 0.5 0.5 0.5 0.25", (16, 18, 48, 30)),
        ("0 0.25 0.25 0.75 0.25 0.75 0.75", (16, 12, 48, 36)),
        ("0 0.1 0.5 0.5 0.1 0.9 0.5 0.5 0.9", (6.4, 4.8, 57.6, 43.2)),
    ],
)
def test_a_yolo_polygon_is_taken_as_the_box_around_it(tmp_path: Path, row, box):
    (tmp_path / "a.txt").write_text(f"{row}\n")
    (found,) = read_yolo(tmp_path / "a.txt", ["person"], (64, 48))
    assert found.box == pytest.approx(box)
    assert ("polygon" in found.note) == (len(row.split()) > 5)


@pytest.mark.parametrize(
    "row", ["0 0.5 0.5 0.5", "0 0.5 0.5 0.5 0.2 0.9", "0", "0 .1 .1 .2 .2 .3 .3 .4"]
)
def test_other_numbers_of_columns_are_no_yolo_text(tmp_path: Path, row):
    (tmp_path / "a.txt").write_text(f"{row}\n")
    with pytest.raises(RecordingError, match="not YOLO text"):
        read_yolo(tmp_path / "a.txt", ["person"], (64, 48))


@pytest.mark.parametrize("box", [(40, 5, 10, 20), (10, 20, 40, 5), (40, 20, 10, 5)])
def test_voc_corners_in_the_wrong_order_are_exchanged_and_noted(tmp_path: Path, box):
    tags = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    inner = "".join(f"<{tag}>{value}</{tag}>" for tag, value in tags)
    text = f"<annotation><object><name>person</name><bndbox>{inner}</bndbox></object></annotation>"
    (tmp_path / "a.xml").write_text(text)
    (found,) = read_voc(tmp_path / "a.xml")
    assert found.box == (10, 5, 40, 20)
    assert "wrong order" in found.note
