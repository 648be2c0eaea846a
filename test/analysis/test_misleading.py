from __future__ import annotations

import math

import numpy as np
import pytest
from scoring.labelled import SIZE, LabelledPairs

from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.types import LABELS, Detections, GroundTruth, Predictions
from mdacl_tools.scoring.in_memory import MemoryRecording
from mdacl_tools.scoring.pair_scoring import labelled_pairs
from research.analysis.misleading import at_recall, misleading_scores, misled

Box = tuple[float, float, float, float]
OBJECT, OTHER, AWAY = (0, 0, 10, 20), (50, 0, 60, 20), (100, 100, 110, 120)


def detected(*rows: tuple[Box, float]) -> Detections:
    boxes = np.array([box for box, _ in rows], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score in rows], np.float32)
    return Detections(boxes, scores, np.zeros(len(rows), np.int64), (200, 200))


def truth(*boxes: Box, ignore: int = 0) -> GroundTruth:
    """The last ``ignore`` boxes are regions to ignore."""
    ignored = np.arange(len(boxes)) >= len(boxes) - ignore
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    return GroundTruth(corners, np.zeros(len(boxes), np.int64), ignored)


def test_counts_what_stands_above_the_threshold_of_the_wanted_recall() -> None:
    first = (detected((OBJECT, 0.9), (AWAY, 0.8), (OTHER, 0.7)), truth(OBJECT, OTHER))
    second = (detected((AWAY, 0.75), (AWAY, 0.1)), truth())
    half = at_recall([first, second], 0.5)
    assert half.per_image == 0.0
    assert half.threshold == pytest.approx(0.9)
    whole = at_recall([first, second], 1.0)
    assert whole.per_image == 1.0  # 0.8 and 0.75, in two images
    assert whole.threshold == pytest.approx(0.7)
    assert whole.recall == 1.0


def test_a_second_detection_of_an_object_is_false() -> None:
    found = at_recall(
        [(detected((OBJECT, 0.9), (OBJECT, 0.8), (OTHER, 0.5)), truth(OBJECT, OTHER))], 1.0
    )
    assert found.per_image == 1.0


def test_ignore_regions_are_neither_right_nor_wrong() -> None:
    found = at_recall(
        [(detected((OTHER, 0.95), (OBJECT, 0.9)), truth(OBJECT, OTHER, ignore=1))], 1.0
    )
    assert found.per_image == 0.0


def test_a_recall_that_is_never_reached_is_no_number() -> None:
    found = at_recall([(detected((OBJECT, 0.9)), truth(OBJECT, OTHER))], 0.9)
    assert math.isnan(found.per_image)
    assert found.recall == 0.5
    assert at_recall([(detected(), truth(OBJECT))], 0.5).recall == 0.0


class SeesThermalWithContrast:
    """Finds the object unless the thermal image is nearly uniform."""

    name, precision, device = "stub", "float32", "test"
    input_size, labels, estimate = SIZE, LABELS, (1.0, 0.0)

    def infer(self, rgb, thermal, present, *, probe=False):  # type: ignore[no-untyped-def]
        box = LabelledPairs.BOX if thermal.std() > 0.1 else AWAY
        ones = np.ones((1, 2, 1), np.float32)
        return Predictions(
            boxes=np.array([[box]], np.float32),
            scores=np.array([[0.9]], np.float32),
            labels=np.zeros((1, 1), int),
            gates=ones,
            entropies=ones,
            energies=ones,
        )

    def close(self) -> None:
        pass


def test_scores_fall_where_the_camera_that_matters_misleads() -> None:
    config = PipelineConfig(score_threshold=0.001)
    perception = Perception(SeesThermalWithContrast(), None, config)
    told: list[str] = []
    scores = misleading_scores(
        perception,
        MemoryRecording(LabelledPairs(4)),
        ["rgb_blank", "thermal_clipped"],
        tell=lambda kind, _: told.append(kind),
    )
    assert told == list(scores) == ["intact", "rgb_blank", "thermal_clipped"]
    assert scores["intact"]["map50"] == scores["rgb_blank"]["map50"] == pytest.approx(1.0)
    assert scores["intact"]["false_positives"] == 0.0
    assert scores["thermal_clipped"] == {"map50": 0.0, "false_positives": None, "recall": 0.0}


def test_the_other_scene_is_that_of_another_pair() -> None:
    recording = MemoryRecording(LabelledPairs(4))
    pairs = [pair for pair, _ in labelled_pairs(recording)]
    change = misled("rgb_other_scene", recording)
    for index, pair in enumerate(pairs):
        changed = change(index, pair)
        assert changed.rgb is not None
        assert pair.rgb is not None
        other = pairs[(index + 2) % 4].rgb
        assert other is not None
        assert np.array_equal(changed.rgb.image, other.image)
        assert changed.thermal is pair.thermal
