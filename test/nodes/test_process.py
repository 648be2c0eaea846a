"""The node as a process: it starts itself, survives missing weights, and ends cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import pytest
from std_srvs.srv import Trigger
from vision_msgs.msg import Detection2DArray

import mdacl_ros

from .bench import wait_until
from .cameras import Cameras

BLOB_NODE = [sys.executable, str(Path(__file__).with_name("blob_node.py"))]
REAL_NODE = [sys.executable, "-m", "mdacl_ros.nodes.start", "detector_node"]


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


SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
BAD_WORDS = ("Traceback", "terminate", "Error", "core dumped", "never awaited")


def check_end(node: Process, number: signal.Signals) -> None:
    """A signal ends the process with status 0, without a complaint, and its children with it."""
    children = psutil.Process(node.process.pid).children(recursive=True)
    assert node.end(number) == 0, node.log()
    wait_until(lambda: not any(map(psutil.Process.is_running, children)), "the children end")
    for word in BAD_WORDS:
        assert word not in node.log()


def ask_to_reload(cameras: Cameras) -> None:
    """Call ``~/reload_engine`` and do not wait for its answer."""
    client = cameras.node.create_client(Trigger, "/detector_node/reload_engine")
    wait_until(client.service_is_ready, "the service")
    client.call_async(Trigger.Request())


def start(processes: list[Process], model_folder: Path) -> Process:
    node = Process(BLOB_NODE, autostart="true", model=str(model_folder))
    processes.append(node)
    return node


@SIGNALS
def test_a_signal_ends_an_active_node_without_a_word(
    processes: list[Process], model_folder: Path, number: signal.Signals
) -> None:
    node = start(processes, model_folder)
    node.wait_for("active: waiting for /rgb/image_raw")
    with Cameras() as cameras:
        answers: list[Detection2DArray] = []
        topic = "/detector_node/detections"
        cameras.node.create_subscription(Detection2DArray, topic, answers.append, 10)
        cameras.stream()
        wait_until(lambda: len(answers) >= 5, "answers")
        check_end(node, number)
    assert "left behind" not in node.log()
    assert "leaving" not in node.log()


@SIGNALS
def test_a_signal_ends_an_engine_build(
    processes: list[Process],
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    monkeypatch.setenv("ENDLESS_BUILD", "1")
    node = start(processes, model_folder)
    node.wait_for("building engine: 0% starting")
    assert psutil.Process(node.process.pid).children()
    check_end(node, number)
    assert "engine build given up" in node.log()
    assert "leaving" not in node.log()


@SIGNALS
def test_a_signal_ends_an_engines_loading_that_cannot_be_interrupted(
    processes: list[Process],
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    monkeypatch.setenv("SILENT_LOAD", "1")
    node = start(processes, model_folder)
    node.wait_for("loading without a word")
    check_end(node, number)
    assert "An engine is being loaded: leaving without it." in node.log()


@SIGNALS
@pytest.mark.parametrize(
    ("kind", "sign", "end"),
    [
        ("RELOAD_ENDLESS_BUILD", "building engine: 0% starting", "engine build given up"),
        ("RELOAD_SILENT_LOAD", "loading without a word", "leaving without it"),
    ],
)
def test_a_signal_ends_a_node_that_reloads_its_engine(
    processes: list[Process],
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    kind: str,
    sign: str,
    end: str,
) -> None:
    monkeypatch.setenv(kind, "1")
    node = start(processes, model_folder)
    node.wait_for("active: waiting for /rgb/image_raw")
    with Cameras() as cameras:
        cameras.stream()
        ask_to_reload(cameras)
        node.wait_for(sign)
        check_end(node, number)
    assert ("leaving" in node.log()) == (end == "leaving without it")


@SIGNALS
def test_a_signal_ends_the_loading_of_a_real_torch_engine(
    processes: list[Process], number: signal.Signals
) -> None:
    node = Process(REAL_NODE, autostart="true", engine="torch")
    processes.append(node)
    maps = psutil.Process(node.process.pid).memory_maps
    wait_until(lambda: any("libtorch" in m.path for m in maps()), "torch is being imported")
    check_end(node, number)


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
