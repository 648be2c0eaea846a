"""Comparisons: the same scores as pycocotools, chance told from change, an exit code."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from mdacl_ros.types import Detections, GroundTruth
from mdacl_tools.cli.main import main
from mdacl_tools.scoring.bootstrap import WeightedScores
from mdacl_tools.scoring.coco_metrics import CocoMetrics
from mdacl_tools.scoring.compare import MIN_BLOCKS, compare
from mdacl_tools.scoring.frames import FRAMES_FILE, FrameWriter
from mdacl_tools.scoring.report import write_report

from .test_contract import REPORT, record

LABELS = ("person", "car")


def made(frames: int, noise: float, seed: int = 0):
    """Detections of the same objects, the worse the more noise."""
    rng, jitter = np.random.default_rng(1), np.random.default_rng(seed)
    for index in range(frames):
        n = int(rng.integers(1, 4))
        corners = rng.uniform(0, 200, (n, 2))
        truth = np.concatenate([corners, corners + rng.uniform(20, 60, (n, 2))], 1)
        labels = rng.integers(0, 2, n)
        boxes = truth + jitter.normal(0, noise, truth.shape)
        scores = jitter.uniform(0.2, 0.9, n)
        found = Detections(boxes.astype(np.float32), scores.astype(np.float32), labels, (300, 300))
        yield index, found, GroundTruth(truth.astype(np.float32), labels, rng.random(n) < 0.1)


def report_in(folder, noise, frames=60, seed=0, **settings):
    folder.mkdir()
    values = {"labels": list(LABELS), "stills": True} | settings
    report = replace(
        REPORT,
        settings=values,
        recording={"name": "bag", "files": []},
        mdi={"mean": 0.1},
        detections_per_frame={"mean": 2.0},
        flicker={"share": None},
    )
    write_report(report, folder)
    with FrameWriter(folder / FRAMES_FILE) as out:
        for index, found, truth in made(frames, noise, seed):
            out.write(
                record(
                    index, boxes=found.boxes, scores=found.scores, labels=found.labels, truth=truth
                )
            )
    return folder


def test_equal_weights_give_the_scores_of_pycocotools() -> None:
    frames = [(found, truth) for _, found, truth in made(90, 5.0)]
    metrics = CocoMetrics(LABELS)
    for number, (found, truth) in enumerate(frames):
        metrics.add(number, found, truth)
    want = metrics.summarize()
    got = WeightedScores(2, frames).scores(np.ones(len(frames)))
    assert got["map50"] == pytest.approx(want.map50, abs=1e-6)
    assert got["map"] == pytest.approx(want.map, abs=1e-6)
    assert got["ap50 1"] == pytest.approx(want.ap50_by_class["car"], abs=1e-6)
    assert 0.3 < want.map50 < 0.99


def test_a_weight_of_two_is_a_frame_twice() -> None:
    frames = [(found, truth) for _, found, truth in made(8, 5.0)]
    weights = np.array([2, 0, 1, 1, 0, 3, 1, 1])
    repeated = [frame for frame, weight in zip(frames, weights, strict=True) for _ in range(weight)]
    weighted = WeightedScores(2, frames).scores(weights.astype(float))
    plain = WeightedScores(2, repeated).scores(np.ones(len(repeated)))
    assert weighted == pytest.approx(plain, abs=1e-9)


def test_a_worse_detector_fails_and_chance_does_not(tmp_path, capsys) -> None:
    good = report_in(tmp_path / "good", 2.0)
    again = report_in(tmp_path / "again", 2.0, seed=5)
    bad = report_in(tmp_path / "bad", 9.0)
    options = ["--resamples", "100"]
    assert main(["compare", str(good / "report.json"), str(again), *options]) == 0
    assert "same" in capsys.readouterr().out
    assert main(["compare", str(good), str(bad), *options]) == 1
    text = capsys.readouterr().out
    assert "worse" in text
    assert "ap50 person" in text
    assert "60 labelled frames in 60 blocks" in text
    assert main(["compare", str(bad), str(good), *options]) == 0
    assert "better" in capsys.readouterr().out
    assert main(["compare", str(good), str(bad), *options, "--tolerance", "0.99"]) == 0


def test_equal_seeds_give_equal_intervals(tmp_path) -> None:
    paths = report_in(tmp_path / "a", 2.0), report_in(tmp_path / "b", 5.0)
    first = compare(*paths, resamples=50, seed=3)
    assert repr(first) == repr(compare(*paths, resamples=50, seed=3))
    assert repr(first) != repr(compare(*paths, resamples=50, seed=4))
    row = first.rows[0]
    assert row.low <= row.after - row.before <= row.high


def test_without_ground_truth_nothing_can_be_worse(tmp_path, capsys) -> None:
    folders = [report_in(tmp_path / name, 2.0) for name in "ab"]
    for folder in folders:
        lines = (folder / FRAMES_FILE).read_text().splitlines()
        rows = [json.loads(line) | {"truth": None} for line in lines]
        (folder / FRAMES_FILE).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["compare", *map(str, folders)]) == 0
    assert "no ground truth" in capsys.readouterr().out
    rows = {row.name: row for row in compare(*folders).rows}
    assert math.isnan(rows["flicker"].before)
    assert rows["mean MDI"].after == 0.1


def test_reports_on_different_recordings_are_refused(tmp_path, capsys) -> None:
    one, two = report_in(tmp_path / "a", 2.0), report_in(tmp_path / "b", 2.0, frames=1)
    rows = [json.loads(line) for line in (two / FRAMES_FILE).read_text().splitlines()]
    (two / FRAMES_FILE).write_text(json.dumps(rows[0] | {"stamp_ns": 5}) + "\n")
    assert main(["compare", str(one), str(two)]) == 2
    assert "have no frame in common" in capsys.readouterr().err
    assert main(["compare", str(one), str(tmp_path / "nothing.json")]) == 2
    assert "give a report.json that" in capsys.readouterr().err


def test_one_second_of_video_is_too_little_to_tell(tmp_path, capsys) -> None:
    good = report_in(tmp_path / "good", 2.0, stills=False)
    bad = report_in(tmp_path / "bad", 9.0, stills=False)
    assert compare(good, bad).blocks < MIN_BLOCKS
    assert main(["compare", str(good), str(bad)]) == 0
    text = capsys.readouterr().out
    assert "too few frames to tell, wanted 8 blocks" in text
    assert "worse" not in text


def test_lost_frames_are_worse_though_the_scores_of_the_others_are_equal(tmp_path, capsys) -> None:
    whole = report_in(tmp_path / "whole", 2.0, frames=60)
    most, half = tmp_path / "most", tmp_path / "half"
    for folder, kept in ((most, 57), (half, 30)):
        report_in(folder, 2.0, frames=60)
        lines = (folder / FRAMES_FILE).read_text().splitlines(keepends=True)
        (folder / FRAMES_FILE).write_text("".join(lines[:kept]))
    options = ["--resamples", "20"]
    assert main(["compare", str(whole), str(most), *options]) == 0
    capsys.readouterr()
    assert main(["compare", str(whole), str(half), *options]) == 1
    (row,) = (line for line in capsys.readouterr().out.splitlines() if "answered" in line)
    assert row.split()[-4:] == ["60", "30", "-30", "worse"]
    assert main(["compare", str(half), str(whole), *options]) == 0
    rows = {row.name: row.verdict for row in compare(whole, half, resamples=20).rows}
    assert rows["map50"] == "same"


@pytest.mark.parametrize("value", ["-1", "1.5", "nan"])
def test_a_tolerance_outside_0_to_1_is_refused_in_one_line(tmp_path, capsys, value) -> None:
    folder = report_in(tmp_path / "a", 2.0, frames=10)
    assert main(["compare", str(folder), str(folder), f"--tolerance={value}"]) == 2
    line = f"mdacl: argument --tolerance: got {float(value)}, wanted 0 to 1\n"
    assert capsys.readouterr().err == line
