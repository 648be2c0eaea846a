"""COCO scores: known answers, ignored regions, classes that the truth lacks."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mdacl_ros.types import Detections, GroundTruth
from mdacl_tools.scoring.coco_metrics import CocoMetrics

LABELS = ("person", "car", "bicycle")


def found(boxes, scores, labels) -> Detections:
    return Detections(
        np.asarray(boxes, np.float32).reshape(-1, 4),
        np.asarray(scores, np.float32),
        np.asarray(labels, np.int64),
        (640, 480),
    )


def truth(boxes, labels, ignore=None) -> GroundTruth:
    return GroundTruth(
        np.asarray(boxes, np.float32).reshape(-1, 4),
        np.asarray(labels, np.int64),
        np.asarray(ignore if ignore is not None else [False] * len(labels), bool),
    )


PERSON = [100, 100, 150, 200]
CAR = [300, 200, 420, 260]


def test_perfect_detections_score_one_and_absent_classes_are_left_out(capsys):
    metrics = CocoMetrics(LABELS)
    metrics.add(1, found([PERSON, CAR], [0.9, 0.8], [0, 1]), truth([PERSON, CAR], [0, 1]))
    scores = metrics.summarize()
    assert scores.map == pytest.approx(1.0)
    assert scores.map50 == pytest.approx(1.0)
    assert set(scores.ap50_by_class) == {"person", "car"}
    assert scores.objects == {"person": 1, "car": 1}
    assert capsys.readouterr().out == ""


def test_missed_object_halves_the_recall():
    metrics = CocoMetrics(LABELS)
    other = [200, 100, 250, 200]
    metrics.add(7, found([PERSON], [0.9], [0]), truth([PERSON, other], [0, 0]))
    assert metrics.summarize().map50 == pytest.approx(51 / 101, abs=1e-6)


def test_false_alarm_above_the_hit_halves_the_precision():
    metrics = CocoMetrics(LABELS)
    metrics.add(1, found([CAR, PERSON], [0.9, 0.5], [0, 0]), truth([PERSON], [0]))
    assert metrics.summarize().ap50_by_class["person"] == pytest.approx(0.5)


def test_detections_inside_an_ignored_region_do_not_count():
    metrics = CocoMetrics(LABELS)
    crowd = [0, 0, 90, 90]
    inside = [10, 10, 40, 60]
    metrics.add(
        1,
        found([inside, PERSON], [0.95, 0.9], [0, 0]),
        truth([PERSON, crowd], [0, 0], [False, True]),
    )
    assert metrics.summarize().map50 == pytest.approx(1.0)


def test_loose_box_counts_at_iou_50_only():
    metrics = CocoMetrics(LABELS)
    loose = [100, 100, 150, 260]  # IoU 0.625
    metrics.add(1, found([loose], [0.9], [0]), truth([PERSON], [0]))
    scores = metrics.summarize()
    assert scores.map50 == pytest.approx(1.0)
    assert scores.map == pytest.approx(0.3)  # 0.50, 0.55, 0.60


def test_empty_detections_score_zero_and_empty_truth_scores_nan():
    metrics = CocoMetrics(LABELS)
    metrics.add(1, found([], [], []), truth([PERSON], [0]))
    assert metrics.summarize().map50 == 0.0
    nothing = CocoMetrics(LABELS)
    nothing.add(1, found([PERSON], [0.9], [0]), truth([], []))
    scores = nothing.summarize()
    assert math.isnan(scores.map)
    assert json.loads(json.dumps(scores.to_json()))["map50"] is None


def test_repeated_image_and_foreign_label_are_refused():
    metrics = CocoMetrics(LABELS)
    metrics.add(1, found([], [], []), truth([], []))
    with pytest.raises(ValueError, match="image_id 1"):
        metrics.add(1, found([], [], []), truth([], []))
    with pytest.raises(ValueError, match=r"labels \[3\]"):
        metrics.add(2, found([PERSON], [0.5], [3]), truth([], []))
