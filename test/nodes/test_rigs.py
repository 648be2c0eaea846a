"""Several rigs, in one process or in two, live beside each other and do not notice it."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from vision_msgs.msg import Detection2DArray

from mdacl_ros.errors import ParameterError
from mdacl_ros.nodes.rigs_node import checked_names

from .bench import wait_until
from .cameras import Cameras
from .process import BLOB_NODE, SIGNALS, Process

RIGS = [sys.executable, str(Path(__file__).with_name("blob_rigs.py"))]
FRONT, REAR = "front", "rear"


class Listener:
    """Counts the answers of the rigs, and keeps their newest counters."""

    def __init__(self, cameras: Cameras) -> None:
        self.answers: dict[str, list[float]] = {FRONT: [], REAR: []}
        self.values: dict[str, dict[str, str]] = {FRONT: {}, REAR: {}}
        for rig, times in self.answers.items():
            cameras.node.create_subscription(
                Detection2DArray,
                f"/{rig}/detector_node/detections",
                lambda _message, times=times: times.append(time.monotonic()),
                10,
            )
        cameras.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_health, 10)

    def _on_health(self, message: DiagnosticArray) -> None:
        for status in message.status:
            rig = status.name.split("/")[1]
            self.values[rig] |= {v.key: v.value for v in status.values}


@pytest.fixture
def cameras() -> Iterator[dict[str, Cameras]]:
    with ExitStack() as stack:
        yield {rig: stack.enter_context(Cameras(rig, rgb=12.0)) for rig in (FRONT, REAR)}


def check_that_rigs_are_apart(cameras: dict[str, Cameras], listener: Listener) -> None:
    """One rig's cameras start, then the other's: each answers its own frames only."""
    cameras[FRONT].stream()
    wait_until(lambda: len(listener.answers[FRONT]) >= 5, "answers of the front rig")
    wait_until(lambda: listener.values[REAR].get("state") == "active", "the rear rig is active")
    assert listener.answers[REAR] == []
    assert listener.values[REAR]["frames_rgb"] == "0"
    cameras[REAR].stream()
    wait_until(lambda: len(listener.answers[REAR]) >= 5, "answers of the rear rig")
    for rig, values in listener.values.items():
        assert int(values["frames_rgb"]) <= len(cameras[rig].sent["rgb"])


def test_two_rigs_in_one_process(
    processes: list[Process],
    cameras: dict[str, Cameras],
    model_folder: Path,
) -> None:
    listener = Listener(cameras[FRONT])
    node = Process([*RIGS, FRONT, REAR], autostart="true", model=str(model_folder))
    processes.append(node)
    for rig in (FRONT, REAR):
        node.wait_for(f"active: waiting for /{rig}/rgb/image_raw")
    check_that_rigs_are_apart(cameras, listener)
    assert node.end(signal.SIGTERM) == 0
    assert "engines loaded: 1" in node.log()
    assert "engines closed: 1" in node.log()


def test_two_nodes_on_one_machine(
    processes: list[Process],
    cameras: dict[str, Cameras],
    model_folder: Path,
) -> None:
    listener = Listener(cameras[FRONT])
    nodes = {
        rig: Process(BLOB_NODE, [f"__ns:=/{rig}"], autostart="true", model=str(model_folder))
        for rig in (FRONT, REAR)
    }
    processes.extend(nodes.values())
    for rig, node in nodes.items():
        node.wait_for(f"active: waiting for /{rig}/rgb/image_raw")
    check_that_rigs_are_apart(cameras, listener)
    nodes[FRONT].kill()  # without a good-bye
    killed = len(listener.answers[REAR])
    wait_until(lambda: len(listener.answers[REAR]) >= killed + 10, "the rear rig goes on")
    assert nodes[REAR].end(signal.SIGINT) == 0


@SIGNALS
def test_a_signal_ends_rigs_whose_callbacks_hang(
    processes: list[Process],
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    monkeypatch.setenv("HANGING_CALLBACK", "1")
    node = Process([*RIGS, FRONT, REAR])
    processes.append(node)
    wait_until(lambda: node.log().count("a callback hangs") == 2, "both hang")
    assert node.end(number) == 1
    assert "A callback does not end: leaving without clean-up." in node.log()


def test_a_signal_ends_rigs_whose_inferences_hang(
    processes: list[Process],
    cameras: dict[str, Cameras],
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HANGING_INFERENCE", "1")
    values = {"autostart": "true", "model": str(model_folder), "inference_timeout": "0.3"}
    node = Process([*RIGS, FRONT, REAR], **values)
    processes.append(node)
    for camera in cameras.values():
        camera.stream()
    wait_until(lambda: node.log().count("inference hangs") == 2, "both hang")
    assert node.end(signal.SIGTERM) == 0
    assert node.log().count("left behind") == 2


@pytest.mark.parametrize("given", [[], ["a", "a"], ["a", "/a"], ["1st"], ["a b"], [""]])
def test_names_that_cannot_be_are_refused(given: list[str]) -> None:
    with pytest.raises(ParameterError, match="wanted one namespace or more"):
        checked_names(given)


def test_wrong_names_end_the_process_with_one_line(processes: list[Process]) -> None:
    node = Process([*RIGS, "front", "front"])
    processes.append(node)
    assert node.process.wait(30) == 2
    node.kill()
    assert "rigs: got front front, wanted one namespace or more" in node.log()
