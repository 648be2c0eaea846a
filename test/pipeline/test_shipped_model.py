"""The weights that are shipped do what the README says, on scenes that no training has seen."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime import load_engine
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.types import LABELS, Frame, FramePair, GroundTruth
from mdacl_tools.scenes import Conditions, Scene, SceneConfig
from mdacl_tools.scoring.coco_metrics import CocoMetrics, DetectionScores

SEEDS = range(7, 15)  # training takes seeds from 100 000 up
SMALL = find_resource("models/small")


@pytest.fixture(scope="module")
def perception() -> Perception:
    engine = load_engine(SMALL, engine="torch")
    return Perception(engine, None, PipelineConfig(score_threshold=0.05))


def pair_of(scene: Scene, conditions: Conditions | None = None) -> tuple[FramePair, GroundTruth]:
    seen = scene.render(1.0, conditions)
    thermal = Frame(seen.thermal, 1, encoding="16UC1")
    truth = GroundTruth(seen.boxes, seen.labels, np.zeros(len(seen.labels), bool))
    return FramePair(Frame(seen.rgb, 1), thermal, 1), truth


def scores_by_day(perception: Perception) -> DetectionScores:
    """Over one moment of every scene."""
    metrics = CocoMetrics(LABELS)
    for seed in SEEDS:
        pair, truth = pair_of(Scene(SceneConfig(seed, light="day")))
        perception.reset()
        metrics.add(seed, perception.process(pair).detections, truth)
    return metrics.summarize()


@pytest.mark.parametrize("name", ["small", "nano"])
def test_folder_is_complete_and_light(name: str) -> None:
    folder = find_resource(f"models/{name}")
    assert (folder / "MODEL_CARD.md").is_file()
    assert (folder / "weights.safetensors").stat().st_size < 20_000_000
    assert read_model_facts(folder).labels == LABELS
    values = yaml.safe_load((folder / "model.yaml").read_text())
    assert values["detector"]["name"] == name
    assert "dominance_estimate" in values


def test_nano_finds_people() -> None:
    engine = load_engine(find_resource("models/nano"), engine="torch")
    nano = Perception(engine, None, PipelineConfig(score_threshold=0.05))
    assert scores_by_day(nano).ap50_by_class["person"] > 0.3


def test_finds_simulated_people_and_cars_by_day(perception: Perception) -> None:
    scores = scores_by_day(perception)
    assert scores.objects["person"] > 10
    assert scores.ap50_by_class["person"] > 0.5
    assert scores.ap50_by_class["car"] > 0.5


def test_smoke_moves_the_dominance_to_thermal(perception: Perception) -> None:
    """The same scene at the same moment, clear and in dense smoke."""
    shifts = []
    for seed in SEEDS:
        scene = Scene(SceneConfig(seed, light="day"))
        readings = []
        for smoke in (0.0, 1.0):
            pair, _ = pair_of(scene, Conditions(darkness=0.0, smoke=smoke, glare=0.0))
            perception.reset()
            readings.append(perception.process(pair).dominance.mdi)
        shifts.append(readings[1] - readings[0])
    assert np.median(shifts) < 0
    assert sum(shift < 0 for shift in shifts) >= len(shifts) - 1


def test_real_smoke_of_a_camera_never_trained_on() -> None:
    """People are found in dense smoke, and the answer leans more on thermal than in clear air."""
    folder = Path(__file__).parents[3] / "shared/data/m3svd"
    if not folder.is_dir():
        pytest.skip(f"real data not there: {folder}")
    engine = load_engine(SMALL, engine="torch")
    real = Perception(engine, None, PipelineConfig(score_threshold=0.3))
    smoke, clear = (
        real.process(key_frame(folder, name)) for name in ("0117_1605_0226", "0111_1716_0005")
    )
    assert (smoke.detections.labels == LABELS.index("person")).any()
    assert (clear.detections.labels == LABELS.index("person")).any()
    assert smoke.dominance.mdi < clear.dominance.mdi


def key_frame(folder: Path, name: str) -> FramePair:
    rgb = cv2.imread(str(folder / f"rgb/{name}.jpg"))[..., ::-1]
    thermal = cv2.imread(str(folder / f"thermal/{name}.png"), cv2.IMREAD_GRAYSCALE)
    frames = Frame(np.ascontiguousarray(rgb), 1), Frame(thermal, 1, encoding="mono8")
    return FramePair(*frames, 1)
