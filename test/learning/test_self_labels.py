from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from recordings.datasets import trees

from mdacl_ros.pipeline.perception import Perception
from mdacl_ros.types import Detections, Frame, FramePair, GroundTruth
from mdacl_tools.cli.main import main
from mdacl_tools.cli.self_label import _part, add_arguments, write_labelled
from mdacl_tools.learning.samples import load_sample, read_pairs
from mdacl_tools.learning.self_labels import (
    LabelThresholds,
    agree,
    label_pair,
    mirror_detections,
    mirror_pair,
)

WIDTH, HEIGHT = 160, 120


def detections(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 6)
    labels = table[:, 5].astype(np.int64)
    return Detections(table[:, :4], table[:, 4], labels, (WIDTH, HEIGHT))


def pair() -> FramePair:
    rgb = np.arange(HEIGHT * WIDTH * 3, dtype=np.uint8).reshape(HEIGHT, WIDTH, 3)
    thermal = np.full((HEIGHT, WIDTH), 80, np.uint8)
    return FramePair(Frame(rgb, 5, "rgb", "rgb8"), Frame(thermal, 5, "thermal", "mono8"), 5)


@given(arrays(np.float32, (4,), elements=st.floats(0, 100, width=32)))
def test_mirroring_twice_changes_nothing(box: np.ndarray) -> None:
    given_boxes = detections((*box.tolist(), 1.0, 0))
    twice = mirror_detections(mirror_detections(given_boxes, WIDTH), WIDTH)
    assert twice.boxes == pytest.approx(given_boxes.boxes, abs=1e-4)


def test_both_images_are_mirrored() -> None:
    before, after = pair(), mirror_pair(pair())
    assert before.rgb is not None
    assert after.rgb is not None
    assert np.array_equal(after.rgb.image[:, 0], before.rgb.image[:, -1])
    assert after.rgb.stamp_ns == 5


def test_agreeing_views_give_one_mean_box() -> None:
    boxes, scores, labels = agree(
        detections((10, 10, 30, 50, 0.8, 0)), detections((12, 10, 32, 50, 0.6, 0))
    )
    assert boxes.tolist() == [[11, 10, 31, 50]]
    assert scores.tolist() == pytest.approx([0.7])
    assert labels.tolist() == [0]


def test_what_one_view_alone_gives_loses_half_its_score() -> None:
    boxes, scores, labels = agree(
        detections((10, 10, 30, 50, 0.8, 0)), detections((12, 10, 32, 50, 0.6, 1))
    )
    assert len(boxes) == 2
    assert scores.tolist() == pytest.approx([0.4, 0.3])
    assert sorted(labels.tolist()) == [0, 1]


def test_a_box_finds_one_partner_only() -> None:
    twice = detections((10, 10, 30, 50, 0.8, 0), (10, 10, 30, 50, 0.7, 0))
    _, scores, _ = agree(twice, detections((10, 10, 30, 50, 0.6, 0)))
    assert scores.tolist() == pytest.approx([0.7, 0.35])


class Teacher:
    """Sees one sure object in both views and a doubtful one in the first alone."""

    def __init__(self) -> None:
        self.views: list[FramePair] = []

    def process(self, seen: FramePair) -> SimpleNamespace:
        self.views.append(seen)
        sure = (20.0, 10.0, 60.0, 90.0, 0.9, 0)
        if len(self.views) == 1:
            return SimpleNamespace(detections=detections(sure, (100, 10, 120, 50, 0.6, 1)))
        return SimpleNamespace(
            detections=mirror_detections(detections((22.0, 10.0, 62.0, 90.0, 0.7, 0)), WIDTH)
        )

    def reset(self) -> None:
        pass


def test_doubtful_answers_become_ignore_regions() -> None:
    truth = label_pair(cast(Perception, Teacher()), pair(), LabelThresholds(0.5, 0.2))
    assert truth.boxes.tolist() == [[21, 10, 61, 90], [100, 10, 120, 50]]
    assert truth.labels.tolist() == [0, 1]
    assert truth.ignore.tolist() == [False, True]


def test_written_labels_are_a_training_set(tmp_path: Path) -> None:
    truth = GroundTruth(
        np.array([[21, 10, 61, 90], [100, 10, 120, 50]], np.float32),
        np.array([0, 1], np.int64),
        np.array([False, True]),
    )
    counts = write_labelled(tmp_path / "out", "clip", [(pair(), truth)])
    assert counts == {"person": 1}
    records = read_pairs(tmp_path / "out" / "train.json")
    sample = load_sample(records[0], 3)
    assert sample.boxes == pytest.approx(truth.boxes)
    assert sample.ignore.tolist() == [False, True]
    assert json.loads((tmp_path / "out/train.json").read_text())["images"][0]["sequence"] == "clip"
    thermal = cv2.imread(str(records[0].thermal), cv2.IMREAD_UNCHANGED)
    assert (thermal == 80).all()


def test_of_a_data_set_the_part_for_training_is_labelled(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    root = trees.msrs(tmp_path)

    def part(*options: str) -> str | None:
        return _part(parser.parse_args([str(root), "out", *options]))

    assert part() == "train"
    assert part("--split", "test") == "test"


def test_a_folder_that_cannot_be_made_is_told_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["self-label", str(tmp_path), str(tmp_path / "file" / "out")]) == 2
    assert "cannot make folder" in capsys.readouterr().err
