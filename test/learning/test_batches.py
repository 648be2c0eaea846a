from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mdacl_ros.errors import RecordingError
from mdacl_tools.learning.augmentation import AugmentationConfig
from mdacl_tools.learning.batches import Batch, Extra, TrainingPairs, collate, training_loader

from .synthetic import rectangle_sample

CONFIG = AugmentationConfig(size=(64, 64))
SMALL = (160, 128)


def pairs(simulated: int = 2, seed: int = 0) -> TrainingPairs:
    real = [rectangle_sample([(10 * i, 20, 10 * i + 60, 100)], [0], SMALL) for i in range(5)]
    scenes = [rectangle_sample([(5, 5, 50, 50)], [1], SMALL) for _ in range(simulated)]
    return TrainingPairs(real, [Extra(scenes, 0.4)], CONFIG, seed)


def assert_equal(a: Batch, b: Batch) -> None:
    for x, y in zip((*a[:3], *a.truth), (*b[:3], *b.truth), strict=True):
        assert torch.equal(x, y)


def test_item_depends_on_seed_and_index_alone() -> None:
    stream = pairs()
    first = [stream[i].rgb for i in (3, 7, 3)]
    assert np.array_equal(first[0], first[2])
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], pairs(seed=1)[3].rgb)


def test_resumed_stream_continues_where_it_stopped() -> None:
    whole = list(training_loader(pairs(), 3, 0, 5, workers=0))
    rest = list(training_loader(pairs(), 3, 2, 5, workers=0))
    assert len(whole) == 5
    for a, b in zip(whole[2:], rest, strict=True):
        assert_equal(a, b)


def test_background_process_prepares_the_same() -> None:
    here = list(training_loader(pairs(), 2, 0, 2, workers=0))
    there = list(training_loader(pairs(), 2, 0, 2, workers=1))
    for a, b in zip(here, there, strict=True):
        assert_equal(a, b)


def test_each_epoch_shows_every_pair_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdacl_tools.learning.batches.augment", lambda sample, *_: sample)
    stream = pairs(simulated=0)
    for epoch in range(2):
        shown = [id(stream[5 * epoch + i]) for i in range(5)]
        assert sorted(shown) == sorted(id(s) for s in stream.real)


def test_simulated_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdacl_tools.learning.batches.augment", lambda sample, *_: sample)
    stream = pairs()
    assert 0.3 < np.mean([int(stream[i].labels[0]) for i in range(200)]) < 0.5
    assert pairs(simulated=0).extras == []


def test_extras_keep_their_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdacl_tools.learning.batches.augment", lambda sample, *_: sample)
    kinds = [[rectangle_sample([(5, 5, 40, 40)], [label], SMALL)] for label in range(3)]
    stream = TrainingPairs(kinds[0], [Extra(kinds[1], 0.3), Extra(kinds[2], 0.2)], CONFIG, 0)
    labels = [int(stream[i].labels[0]) for i in range(600)]
    assert np.bincount(labels, minlength=3) / 600 == pytest.approx([0.5, 0.3, 0.2], abs=0.06)


def test_shares_of_more_than_everything_are_refused() -> None:
    sample = rectangle_sample([(5, 5, 40, 40)], [0], SMALL)
    with pytest.raises(RecordingError, match="more than 1"):
        TrainingPairs([sample], [Extra([sample], 0.7), Extra([sample], 0.6)], CONFIG, 0)


def test_collate_pads_truth_and_scales_images() -> None:
    config = AugmentationConfig(size=(160, 128), scale=(0.25, 0.25), drop_modality=0)
    three = [(5, 5, 40, 40), (60, 10, 100, 60), (110, 60, 150, 120)]
    stream = TrainingPairs(
        [rectangle_sample(three, [0, 1, 2], SMALL), rectangle_sample([], [], SMALL)],
        [],
        config,
        0,
    )
    items = [stream[0], stream[1]]
    counts = [len(i.labels) for i in items]
    assert sorted(counts) == [0, 3]
    batch = collate(items)
    assert batch.rgb.shape == (2, 3, 128, 160)
    assert batch.rgb.dtype == torch.float32
    assert batch.rgb.max() <= 1
    assert batch.thermal.shape == (2, 1, 128, 160)
    assert batch.present.shape == (2, 2, 4, 5)
    assert batch.truth.boxes.shape == (2, 3, 4)
    assert batch.truth.real.sum(1).tolist() == counts
    assert not batch.truth.ignore.any()
    rgb = torch.from_numpy(items[0].rgb).permute(2, 0, 1) / 255
    assert torch.allclose(batch.rgb[0], rgb)


def test_refuses_to_train_on_nothing() -> None:
    with pytest.raises(RecordingError, match="no labelled pairs"):
        TrainingPairs([], [], CONFIG, 0)


def test_mosaics_and_pasted_objects_depend_on_seed_and_index_alone() -> None:
    options = replace(CONFIG, mosaic=0.5, copy_paste=0.5, thermal_tone=0.3, erase=0.5)
    real = pairs().real
    streams = [TrainingPairs(real, [], options, 3) for _ in range(2)]
    for index in (4, 1, 6):
        streams[0][index - 1]
        a, b = (stream[index] for stream in streams)
        assert np.array_equal(a.rgb, b.rgb)
        assert np.array_equal(a.thermal, b.thermal)
        assert np.array_equal(a.boxes, b.boxes)
