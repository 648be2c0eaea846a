import json
from dataclasses import replace
from itertools import pairwise

import pytest

from mdacl_tools.scoring.camera_removal import RUNGS, RemovalTable, removal_ladder
from mdacl_tools.scoring.in_memory import MemoryRecording

from .stub import Recording, stub_perception


@pytest.fixture(scope="module")
def ladder():
    perception, advanced = stub_perception(), []
    rows = removal_ladder(perception, MemoryRecording(Recording(8)), advance=advanced.append)
    return perception, rows, sum(advanced)


def test_each_rung_takes_its_share_of_frames_from_one_camera(ladder) -> None:
    perception, rows, advanced = ladder
    assert [(r.camera, r.missing) for r in rows] == [
        (camera, share) for camera in ("rgb", "thermal") for share in RUNGS
    ]
    assert advanced == 8 * (2 * len(RUNGS) - 1)
    present = [p for _, _, p in perception.engine.seen]
    passes = [present[i : i + 8] for i in range(0, len(present), 8)]
    assert [sum(not rgb for rgb, _ in p) for p in passes] == [0, 2, 4, 6, 8, 0, 0, 0, 0]
    assert [sum(not thermal for _, thermal in p) for p in passes] == [0] * 5 + [2, 4, 6, 8]


def test_who_is_missing_stays_missing(ladder) -> None:
    perception, _, _ = ladder
    present = [p for _, _, p in perception.engine.seen]
    rungs = [{k for k in range(8) if not present[8 * i + k][0]} for i in range(5)]
    assert all(lower < upper for lower, upper in pairwise(rungs))


def test_scores_fall_with_the_camera_the_detector_needs(ladder) -> None:
    _, rows, _ = ladder
    thermal = [r for r in rows if r.camera == "thermal"]
    assert [r.map50 for r in rows if r.camera == "rgb"] == pytest.approx([1.0] * 5)
    assert all(a.map50 > b.map50 for a, b in pairwise(thermal))
    assert thermal[-1].map50 == 0.0
    assert thermal[-1].mdi == 1.0
    assert [r.mdi for r in rows if r.camera == "rgb"][-1] == -1.0
    assert set(rows[0].map50_by_part) == {"day", "night"}


def test_retention_compares_with_the_dedicated_detector(ladder) -> None:
    _, rows, _ = ladder
    thermal_only = replace(rows[0], map50=0.8)
    table = RemovalTable(rows, {"thermal": thermal_only})
    assert table.retention("rgb") == pytest.approx(1 / 0.8)
    assert table.retention("thermal") is None
    values = json.loads(json.dumps(table.to_json(), allow_nan=False))
    assert values["retention"] == {"rgb": 1.25, "thermal": None}
    assert RemovalTable(rows, {"thermal": replace(rows[0], map50=0.0)}).retention("rgb") is None
