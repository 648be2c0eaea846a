"""The node as a process: it starts itself, survives missing weights, and ends cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from vision_msgs.msg import Detection2DArray

from .bench import wait_until
from .cameras import Cameras
from .process import BLOB_NODE, REAL_NODE, SIGNALS, Process, ask_to_reload, python_path

BAD_WORDS = ("terminate", "Error", "core dumped", "never awaited")


def check_end(node: Process, number: signal.Signals) -> None:
    """A signal ends the process with status 0, without a complaint, and its children with it."""
    children = psutil.Process(node.process.pid).children(recursive=True)
    assert node.end(number) == 0, node.log()
    wait_until(lambda: not any(map(psutil.Process.is_running, children)), "the children end")
    for word in BAD_WORDS:
        assert word not in node.log()


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


@pytest.mark.parametrize("node", ["detector_node", "player_node"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--params-file", "missing.yaml"],
            "Couldn't parse params file: '--params-file missing",
        ),
        (["-p", "model"], "Couldn't parse parameter override rule: '-p model'"),
    ],
)
def test_ros_arguments_that_cannot_be_read_get_one_line(
    node: str, arguments: list[str], said: str
) -> None:
    module = "mdacl_tools.live.start" if node == "player_node" else "mdacl_ros.nodes.start"
    command = [sys.executable, "-m", module, node, "--ros-args", *arguments]
    environment = os.environ | {"PYTHONPATH": python_path()}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    (line,) = [x for x in ended.stderr.splitlines() if "[rcl]" not in x]  # rcl's own comes as well
    assert line.startswith(f"ROS arguments: {said}")
    assert "/project/" not in line
