from __future__ import annotations

import json
from pathlib import Path

import pytest

from mdacl_tools.learning import training_log as run_log
from mdacl_tools.learning.training_log import CURVES, LOG, TrainingLog


def record(step: int) -> dict[str, float]:
    return {"step": step, "loss": 9.0 - step, "gradient_rgb": 0.4, "learning_rate": 1e-3}


def test_the_picture_is_there_before_the_run_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_log, "_DRAW_AFTER", 0.0)
    with TrainingLog(tmp_path, 0) as log:
        for step in (1, 2, 3):
            log.write(record(step))
        log.flush()
        assert (tmp_path / CURVES).stat().st_size > 5000


def test_it_is_drawn_at_most_once_a_minute(tmp_path: Path) -> None:
    with TrainingLog(tmp_path, 0) as log:
        for step in (1, 2):
            log.write(record(step))
            log.flush()
        assert not (tmp_path / CURVES).exists()
    assert (tmp_path / CURVES).exists()


def test_records_after_the_step_that_a_run_goes_on_from_are_dropped(tmp_path: Path) -> None:
    with TrainingLog(tmp_path, 0) as log:
        for step in (1, 2, 3):
            log.write(record(step))
    with TrainingLog(tmp_path, 2) as log:
        log.write(record(3))
    steps = [json.loads(line)["step"] for line in (tmp_path / LOG).read_text().splitlines()]
    assert steps == [1, 2, 3]
