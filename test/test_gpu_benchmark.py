"""The GPU benchmark's part that runs without one."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from network.random_models import MICRO, save_random_model

sys.path.insert(0, str(Path(__file__).parents[1] / "research" / "benchmarks"))
import gpu

from mdacl_ros.types import Predictions


@pytest.fixture
def predictions() -> Predictions:
    return Predictions(
        boxes=np.array([[[0, 0, 10, 10], [20, 20, 40, 40], [5, 5, 9, 9]]], np.float32),
        scores=np.array([[0.9, 0.8, 0.01]], np.float32),
        labels=np.array([[0, 1, 0]]),
        gates=np.ones((1, 2, 3), np.float32),
        entropies=np.full((1, 2, 3), 0.9, np.float32),
        energies=np.ones((1, 2, 3), np.float32),
    )


def test_equal_predictions_do_not_differ(predictions: Predictions) -> None:
    assert set(gpu.differences(predictions, predictions).values()) == {0.0}


def test_rows_may_change_places_but_not_move(predictions: Predictions) -> None:
    order = [1, 0, 2]
    moved = predictions.boxes[:, order] + np.float32(0.5)
    scores = predictions.scores[:, order] - np.float32(0.02)
    ours = replace(predictions, boxes=moved, scores=scores, labels=predictions.labels[:, order])
    found = gpu.differences(ours, predictions)
    assert found["box px"] == pytest.approx(0.5)
    assert found["score"] == pytest.approx(0.02, abs=1e-6)


def test_the_cpu_part_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_random_model(tmp_path / "model", MICRO)
    arguments = f"gpu.py --model {model} --size 160x128 --frames 2 --engines torch --out {tmp_path}"
    monkeypatch.setattr(sys, "argv", arguments.split())
    gpu.main()
    report = json.loads((tmp_path / "gpu.json").read_text())
    rows = {row["device"]: row for row in report["engines"]}
    assert set(rows) == {"cpu", "cuda"}
    assert set(rows["cpu"]["differences"].values()) == {0.0}
    assert {"infer", "probe", "frame"} == set(rows["cpu"]["ms"])
    assert ("left_out" in rows["cuda"]) == isinstance(report["machine"]["gpu"], str)
    assert "torch float32 cpu" in capsys.readouterr().out
