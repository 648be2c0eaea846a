"""The node as a process: it starts itself, survives missing weights, and ends cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import mdacl_ros

from .bench import wait_until

BLOB_NODE = [sys.executable, str(Path(__file__).with_name("blob_node.py"))]
REAL_NODE = [sys.executable, "-m", "mdacl_ros.nodes.detector_node"]


def python_path() -> str:
    """The checkout first: it may be tested without being installed."""
    root = str(Path(mdacl_ros.__file__).resolve().parent.parent)
    return os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])


class Process:
    """A node process whose log lines are collected."""

    def __init__(
        self, command: list[str], remappings: Iterable[str] = (), **parameters: str
    ) -> None:
        arguments = [x for name, value in parameters.items() for x in ("-p", f"{name}:={value}")]
        arguments += [x for remapping in remappings for x in ("-r", remapping)]
        self.process = subprocess.Popen(
            [*command, "--ros-args", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": python_path()},
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def log(self) -> str:
        return "".join(self.lines)

    def wait_for(self, text: str) -> None:
        def said() -> bool:
            assert self.process.poll() is None, f"ended before {text!r}:\n{self.log()}"
            return text in self.log()

        wait_until(said, f"{text!r} in the log", timeout=30)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        status = self.process.wait(timeout=20)
        self._reader.join()
        return status

    def kill(self) -> None:
        """End it in any case; does nothing once it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join()


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    started: list[Process] = []
    yield started
    for process in started:
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_an_active_node_without_a_word(
    processes: list[Process], model_folder: Path, number: signal.Signals
) -> None:
    node = Process(BLOB_NODE, autostart="true", model=str(model_folder))
    processes.append(node)
    node.wait_for("active: waiting for /rgb/image_raw")
    assert node.end(number) == 0
    for word in ("Traceback", "terminate", "Error", "core dumped"):
        assert word not in node.log()


def test_a_signal_ends_an_engine_build(
    processes: list[Process], model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDLESS_BUILD", "1")
    node = Process(BLOB_NODE, autostart="true", model=str(model_folder))
    processes.append(node)
    node.wait_for("building engine: 50% compiling")
    assert node.end(signal.SIGINT) == 0  # 1 where the build had to be left running
    assert "engine build given up" in node.log()
    assert "Traceback" not in node.log()


def test_the_real_node_stays_up_without_weights(processes: list[Process], tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    node = Process(REAL_NODE, autostart="true", model=str(absent))
    processes.append(node)
    node.wait_for("configure failed")
    line = next(x for x in node.lines if "configure failed" in x)
    assert f"parameter model: no folder '{absent}'" in line
    assert node.process.poll() is None
    assert node.end(signal.SIGINT) == 0
    assert "Traceback" not in node.log()
