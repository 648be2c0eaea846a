import json
import math

import numpy as np
import pytest

from mdacl_tools.corruption import CORRUPTIONS, STRENGTHS
from mdacl_tools.scoring.corruption_retention import corrupted, corruption_retention, passes
from mdacl_tools.scoring.in_memory import MemoryRecording
from mdacl_tools.scoring.pair_scoring import labelled_pairs

from .stub import Recording, stub_perception


def test_the_full_table_has_every_kind_at_every_strength() -> None:
    perception, recording = stub_perception(), Recording(2)
    advanced = []
    table = corruption_retention(perception, recording, advance=advanced.append)
    keys = [(row.kind, row.strength) for row in table.rows]
    assert keys == [(kind, strength) for kind in CORRUPTIONS for strength in STRENGTHS]
    assert recording.passes == 1
    assert sum(advanced) == 2 * passes()
    assert table.clean.scores.map50 == pytest.approx(1.0)


def test_retention_is_the_share_of_the_clean_score() -> None:
    table = corruption_retention(stub_perception(), Recording(2))
    assert all(row.retention == row.map50 / table.clean.scores.map50 for row in table.rows)
    # the stub looks at RGB only: thermal may be as bad as it likes
    assert table.by_camera()["thermal"] == pytest.approx(1.0)
    assert table.by_camera()["rgb"] < 0.9
    assert table.mean_retention == pytest.approx(np.mean(list(table.by_kind().values())))
    strong = {r.kind: r.retention for r in table.rows if r.strength == 5}
    assert strong["rgb_dark"] == 0.0


def test_mixed_takes_one_pass_a_kind_and_all_strengths_in_turn() -> None:
    perception = stub_perception()
    advanced = []
    table = corruption_retention(perception, Recording(10), mixed=True, advance=advanced.append)
    assert [row.kind for row in table.rows] == list(CORRUPTIONS)
    assert all(row.strength is None for row in table.rows)
    assert sum(advanced) == 10 * passes(mixed=True)
    start = 10 * (1 + list(CORRUPTIONS).index("rgb_dark"))
    levels = [rgb.mean() / 255 for rgb, _, _ in perception.engine.seen[start : start + 10]]
    assert levels[:5] == sorted(levels[:5], reverse=True)
    assert levels[5] > levels[4]


def test_the_same_seed_gives_the_same_images_and_another_seed_others() -> None:
    pairs = [pair for pair, _ in labelled_pairs(Recording(2))]
    for kind, corruption in CORRUPTIONS.items():
        images = [
            getattr(corrupted(kind, 4, seed)(i, pairs[0]), corruption.camera).image
            for seed, i in ((0, 0), (0, 0), (1, 0), (0, 1))
        ]
        np.testing.assert_array_equal(images[0], images[1])
        if kind not in ("rgb_blur", "thermal_blur", "rgb_dark"):  # these draw little or nothing
            assert (images[0] != images[2]).any(), kind
            assert (images[0] != images[3]).any(), kind


def test_only_the_named_camera_changes_and_an_absent_one_stays_absent() -> None:
    from dataclasses import replace

    pair = next(labelled_pairs(Recording(1)))[0]
    changed = corrupted("thermal_noise", 5)(0, pair)
    assert changed.rgb is pair.rgb
    assert (changed.thermal.image != pair.thermal.image).any()
    assert corrupted("rgb_fog", 5)(0, replace(pair, rgb=None)).rgb is None


def test_some_images_of_a_recording_in_memory() -> None:
    advanced = []
    memory = MemoryRecording(Recording(10))
    corruption_retention(stub_perception(), memory, 3, mixed=True, advance=advanced.append)
    assert sum(advanced) == 3 * passes(mixed=True)


def test_json_of_a_detector_that_finds_nothing_has_no_nan() -> None:
    perception = stub_perception()
    perception.engine.expected = perception.engine.expected - 255
    table = corruption_retention(perception, Recording(2), mixed=True)
    assert math.isnan(table.mean_retention)
    values = json.loads(json.dumps(table.to_json(), allow_nan=False))
    assert values["mean_retention"] is None
    assert values["clean"]["map50"] == 0.0
