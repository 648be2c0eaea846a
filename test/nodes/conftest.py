from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .bench import Bench
    from .process import Process

MISSING = [name for name in ("rclpy", "vision_msgs") if importlib.util.find_spec(name) is None]
collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_report_header() -> list[str]:
    return [f"test/nodes left out: {', '.join(MISSING)} not installed"] if MISSING else []


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


@pytest.fixture
def bench(model_folder: Path) -> Iterator[Bench]:
    """A configured and active detector node with two cameras, over real DDS."""
    from .bench import Bench

    with Bench({"model": str(model_folder)}) as running:
        running.activate()
        yield running


@pytest.fixture
def idle_bench(model_folder: Path) -> Iterator[Bench]:
    """The same, still unconfigured."""
    from .bench import Bench

    with Bench({"model": str(model_folder)}) as running:
        yield running


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    """Node processes; those put in here are killed at the end, if they still run."""
    started: list[Process] = []
    yield started
    for process in started:
        process.kill()
