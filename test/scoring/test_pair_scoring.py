"""Changes, parts, the exact probe, and recordings held in memory."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mdacl_ros.errors import RecordingError
from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.types import LABELS, Frame, FramePair, GroundTruth, Predictions
from mdacl_tools.recordings.recording import RecordingPhase
from mdacl_tools.scoring.dataset_scores import (
    evaluate,
    labelled_pairs,
    rows_with_parts,
    table,
    to_json,
)
from mdacl_tools.scoring.in_memory import MemoryRecording

from .labelled import SIZE, LabelledPairs


class SeesBrightThermal:
    """Finds the object where the thermal image is there and not black."""

    name, precision, device = "stub", "float32", "test"
    input_size, labels, estimate = SIZE, LABELS, (1.0, 0.0)

    def __init__(self) -> None:
        self.calls = 0

    def infer(self, rgb, thermal, present, *, probe=False):
        self.calls += 1
        found = present[0, 1].any() and thermal.max() > 0
        box = LabelledPairs.BOX if found else (100, 100, 120, 120)
        ones = np.ones((1, 2, 3), np.float32)
        energies = ones * np.array([1.0, 3.0], np.float32)[:, None]
        return Predictions(
            boxes=np.array([[box]], np.float32),
            scores=np.array([[0.9]], np.float32),
            labels=np.zeros((1, 1), int),
            gates=ones,
            entropies=ones,
            energies=energies,
            box_energies=energies[:, :, :1],
            sensitivities=np.array([[3.0, 1.0]], np.float32) if probe else None,
            alone_boxes=np.array([[[box], [box]]], np.float32) if probe else None,
            alone_scores=np.array([[[0.9], [0.3]]], np.float32) if probe else None,
            alone_labels=np.zeros((1, 2, 1), int) if probe else None,
        )

    def close(self) -> None:
        pass


@pytest.fixture
def perception():
    return Perception(SeesBrightThermal(), None, PipelineConfig(score_threshold=0.001))


def blacked(index: int, pair: FramePair) -> FramePair:
    """Every other thermal image black."""
    if index % 2 == 0:
        return pair
    return replace(pair, thermal=replace(pair.thermal, image=np.zeros_like(pair.thermal.image)))


def test_a_change_is_made_before_judging_and_told_the_number(perception) -> None:
    numbers = []
    recording = LabelledPairs(4)

    def change(index, pair):
        numbers.append(index)
        return blacked(index, pair)

    assert evaluate(perception, recording).scores.map50 == pytest.approx(1.0)
    changed = evaluate(perception, recording, change=change)
    assert numbers == [0, 1, 2, 3]
    assert changed.scores.map50 < 0.6


def test_a_camera_is_removed_after_the_change(perception) -> None:
    gone = evaluate(perception, LabelledPairs(2), "thermal", change=blacked)
    assert gone.scores.map50 == 0.0
    assert gone.mdi == 1.0


def test_parts_are_scored_apart(perception) -> None:
    recording = LabelledPairs(6)
    stamps = recording.stamps
    recording.phases = (
        RecordingPhase("day", stamps[0], stamps[2]),
        RecordingPhase("night", stamps[2], stamps[6]),
    )

    def dark_nights(index, pair):
        return pair if index < 2 else replace(pair, thermal=None)

    result = evaluate(perception, recording, change=dark_nights)
    assert result.parts["day"].scores.map50 == pytest.approx(1.0)
    assert result.parts["night"].scores.map50 == 0.0
    assert [len(result.parts[name].readings) for name in ("day", "night")] == [2, 4]
    assert result.parts["night"].mdi == 1.0
    assert result.mdi == pytest.approx(np.mean(result.readings))
    text = table(rows_with_parts({"fused": result}))
    assert "fused, day" in text
    assert "fused, night" in text
    assert to_json(result)["parts"]["night"]["map50"] == 0.0


def test_a_phase_that_returns_is_one_part(perception) -> None:
    recording = LabelledPairs(3)
    s = recording.stamps
    recording.phases = tuple(
        RecordingPhase(name, s[i], s[i + 1]) for i, name in enumerate(("day", "night", "day"))
    )
    parts = evaluate(perception, recording).parts
    assert len(parts["day"].readings) == 2


def test_one_part_is_no_part(perception) -> None:
    recording = LabelledPairs(2)
    recording.phases = (RecordingPhase("day", recording.stamps[0], recording.stamps[2]),)
    assert evaluate(perception, recording).parts == {}


def test_the_probe_gives_the_exact_index_of_every_pair(perception) -> None:
    assert evaluate(perception, LabelledPairs(3)).exact_readings == ()
    probed = evaluate(perception, LabelledPairs(3), probe=True)
    assert len(probed.exact_readings) == len(probed.readings) == 3
    assert min(probed.exact_readings) > 0 > max(probed.readings)


def test_memory_is_read_once_and_scores_the_same(perception) -> None:
    source = LabelledPairs(5)
    memory = MemoryRecording(source)
    assert source.passes == 1
    results = [evaluate(perception, r, change=blacked) for r in (source, memory, memory)]
    assert source.passes == 2
    scores = [to_json(r) for r in results]
    assert scores[0] == scores[1] == scores[2]
    assert json.dumps(scores[0])
    assert memory.frames == {"rgb": 5, "thermal": 5}


def test_memory_keeps_some_pairs_spread_over_the_recording() -> None:
    source = LabelledPairs(9)
    memory = MemoryRecording(source, images=3)
    assert [p.stamp_ns for p, _ in labelled_pairs(memory)] == [source.stamps[i] for i in (0, 4, 8)]


def test_memory_of_nothing_is_an_error() -> None:
    with pytest.raises(RecordingError, match="images: got 0, wanted 1"):
        MemoryRecording(LabelledPairs(2), images=0)
    source = LabelledPairs(2)
    source.truths = {}
    with pytest.raises(RecordingError, match="no pair of RGB and thermal images with ground truth"):
        MemoryRecording(source)


def test_frames_and_truth_come_back_as_they_were() -> None:
    source = LabelledPairs(2)
    for (pair, truth), (kept, kept_truth) in zip(
        labelled_pairs(source), labelled_pairs(MemoryRecording(source)), strict=True
    ):
        assert isinstance(kept.rgb, Frame)
        assert isinstance(kept_truth, GroundTruth)
        np.testing.assert_array_equal(pair.rgb.image, kept.rgb.image)
        np.testing.assert_array_equal(truth.boxes, kept_truth.boxes)
