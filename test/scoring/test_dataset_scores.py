import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mdacl_ros.errors import RecordingError
from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.types import LABELS, ByteArray, FloatArray, Predictions
from mdacl_tools.cli.main import main
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.scoring.dataset_scores import MODES, evaluate, labelled_pairs, table

SIZE = (160, 128)
BOX = (40, 32, 60, 80)


@pytest.fixture
def data_set(tmp_path):
    """Three pairs with one person; in the thermal image of pair k the grey level is 60 k."""
    for folder in ("rgb", "thermal"):
        (tmp_path / folder).mkdir()
    images, annotations = [], []
    for k in range(1, 4):
        rgb = np.full((SIZE[1], SIZE[0], 3), 30 * k, np.uint8)
        cv2.imwrite(str(tmp_path / f"rgb/{k}.png"), rgb)
        cv2.imwrite(str(tmp_path / f"thermal/{k}.png"), rgb[..., 0] * 2)
        paths = {"rgb": f"rgb/{k}.png", "thermal": f"thermal/{k}.png", "file_name": f"{k}.png"}
        images.append({"id": k, "width": SIZE[0], "height": SIZE[1], **paths})
        x, y, right, bottom = BOX
        box = [x, y, right - x, bottom - y]
        annotations.append({"id": k, "image_id": k, "category_id": 1, "bbox": box, "iscrowd": 0})
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(LABELS)]
    coco = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "test.json").write_text(json.dumps(coco))
    return tmp_path


class FindsWithThermal:
    """Answers with the right box while thermal is there, with a wrong one without it."""

    name, precision, device = "stub", "float32", "test"
    input_size, labels, estimate = SIZE, LABELS, (1.0, 0.0)

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []

    def infer(self, rgb: ByteArray, thermal: FloatArray, present: FloatArray, *, probe=False):
        self.seen.append((float(rgb.max()), float(present[0, 1].max())))
        box = BOX if present[0, 1].any() else (100, 100, 120, 120)
        ones = np.ones((1, 2, 3), np.float32)
        return Predictions(
            np.array([[box]], np.float32),
            np.array([[0.9]], np.float32),
            np.zeros((1, 1), int),
            ones,
            ones,
            ones,
        )

    def close(self) -> None:
        pass


def test_scores_follow_the_camera_that_is_taken_away(data_set) -> None:
    recording = open_recording(data_set)
    engine = FindsWithThermal()
    perception = Perception(engine, None, PipelineConfig(score_threshold=0.001))
    results = {mode: evaluate(perception, recording, MODES[mode]) for mode in MODES}
    assert results["fused"].scores.map50 == pytest.approx(1.0)
    assert results["rgb absent"].scores.map50 == pytest.approx(1.0)
    assert results["thermal absent"].scores.map50 == 0.0
    assert results["rgb absent"].mdi == -1.0
    assert results["thermal absent"].mdi == 1.0
    assert [rgb > 0 for rgb, _ in engine.seen] == [True] * 3 + [False] * 3 + [True] * 3
    assert "AP50 person" in table(results)


def test_every_labelled_pair_is_given_once(data_set) -> None:
    pairs = list(labelled_pairs(open_recording(data_set)))
    assert len(pairs) == 3
    assert all(p.rgb.stamp_ns == p.thermal.stamp_ns == p.stamp_ns for p, _ in pairs)
    assert all(len(truth.boxes) == 1 for _, truth in pairs)


class KnowsOtherNumbers(FindsWithThermal):
    """Person is its second class, and it knows no bicycle."""

    labels = ("Car", "person")

    def infer(self, *args, **options):
        found = super().infer(*args, **options)
        return replace(found, labels=found.labels + 1)


def evaluated(data_set, engine, removed=None):
    perception = Perception(engine, None, PipelineConfig(score_threshold=0.001))
    return evaluate(perception, open_recording(data_set), removed)


def rewrite(data_set, **changes) -> None:
    """Set keys of all annotations."""
    coco = json.loads((data_set / "test.json").read_text())
    for annotation in coco["annotations"]:
        annotation |= changes
    (data_set / "test.json").write_text(json.dumps(coco))


def test_classes_are_matched_by_name(data_set) -> None:
    coco = json.loads((data_set / "test.json").read_text())
    coco["annotations"].append(coco["annotations"][0] | {"id": 9, "category_id": 3})
    (data_set / "test.json").write_text(json.dumps(coco))
    result = evaluated(data_set, KnowsOtherNumbers())
    assert result.scores.ap50_by_class == {"person": pytest.approx(1.0)}
    assert result.left_out == {"bicycle": 1}


def test_a_model_without_the_classes_of_the_truth_is_an_error(data_set) -> None:
    rewrite(data_set, category_id=3)
    with pytest.raises(RecordingError, match=r"\{'bicycle': 3\}, wanted .*classes Car, person"):
        evaluated(data_set, KnowsOtherNumbers())


def test_boxes_lie_in_the_removed_rgb_image_whatever_came_before(data_set) -> None:
    """Thermal images half as large: their own pixels are not those of the truth."""
    for k in range(1, 4):
        path = str(data_set / f"thermal/{k}.png")
        cv2.imwrite(path, cv2.resize(cv2.imread(path, 0), (SIZE[0] // 2, SIZE[1] // 2)))
    assert evaluated(data_set, FindsWithThermal(), "rgb").scores.map50 == pytest.approx(1.0)


def test_thermal_may_arrive_before_rgb(data_set, monkeypatch) -> None:
    recording = open_recording(data_set)
    events = sorted(recording, key=lambda e: (e.time_ns, e.camera == "rgb"))
    monkeypatch.setattr(type(recording), "__iter__", lambda self: iter(events))
    assert len(list(labelled_pairs(recording))) == 3


def test_no_labelled_pair_is_an_error(data_set, monkeypatch) -> None:
    recording = open_recording(data_set)
    monkeypatch.setattr(recording, "truth", lambda stamp_ns: None)
    perception = Perception(FindsWithThermal(), None, PipelineConfig())
    with pytest.raises(RecordingError, match=r"no pair of RGB and thermal .*; give thermal"):
        evaluate(perception, recording)


def test_command_needs_labels_and_a_model(data_set, tmp_path, capsys) -> None:
    assert main(["evaluate", str(tmp_path / "nothing")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert main(["evaluate", str(data_set), "--model", str(tmp_path / "none")]) == 2
    assert "parameter model: no folder" in capsys.readouterr().err
