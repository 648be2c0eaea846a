"""An engine that several use is loaded once, answers one at a time, and is closed by the last."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mdacl_ros.runtime.engine import Engine
from mdacl_ros.runtime.shared import SharedEngines

OPTIONS: dict[str, Any] = {
    "engine": "torch",
    "precision": "float32",
    "device": "cpu",
    "input_size": (64, 64),
    "progress": None,
}
NOTHING = np.zeros(0, np.float32)


class Counting:
    """An engine that notices calls that overlap."""

    name = precision = device = "counting"
    labels = ("person",)
    estimate = (1.0, 0.0)

    def __init__(self, input_size: tuple[int, int]) -> None:
        self.input_size = input_size
        self.inside = self.most = self.calls = 0
        self.closed = 0

    def infer(self, *_: Any, probe: bool = False) -> Any:
        self.inside += 1
        self.calls += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.001)
        self.inside -= 1

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def loaded() -> list[Counting]:
    return []


@pytest.fixture
def engines(loaded: list[Counting]) -> SharedEngines:
    def load(model: Path, **options: Any) -> Any:
        loaded.append(Counting(options["input_size"]))
        return loaded[-1]

    return SharedEngines(load)


def test_equal_engines_are_loaded_once(
    engines: SharedEngines, loaded: list[Counting], tmp_path: Path
) -> None:
    one, other = (engines(tmp_path, **OPTIONS) for _ in range(2))
    engines(tmp_path, **OPTIONS | {"input_size": (96, 64)})
    assert len(loaded) == 2
    assert (one.name, one.labels, one.input_size) == (other.name, other.labels, (64, 64))


def test_replaced_weights_are_another_engine(
    engines: SharedEngines, loaded: list[Counting], tmp_path: Path
) -> None:
    engines(tmp_path, **OPTIONS)
    (tmp_path / "weights.safetensors").write_bytes(b"new")
    engines(tmp_path, **OPTIONS)
    assert len(loaded) == 2


def test_the_last_user_closes(
    engines: SharedEngines, loaded: list[Counting], tmp_path: Path
) -> None:
    one, other = (engines(tmp_path, **OPTIONS) for _ in range(2))
    one.close()
    one.close()  # again: it is still one user
    assert loaded[0].closed == 0
    other.close()
    assert loaded[0].closed == 1
    engines(tmp_path, **OPTIONS)
    assert len(loaded) == 2


def test_calls_come_one_after_the_other(
    engines: SharedEngines, loaded: list[Counting], tmp_path: Path
) -> None:
    def use(engine: Engine) -> None:
        for _ in range(20):
            engine.infer(NOTHING, NOTHING, NOTHING)

    threads = [threading.Thread(target=use, args=(engines(tmp_path, **OPTIONS),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (loaded[0].calls, loaded[0].most) == (80, 1)
