"""A signal while a node's process starts ends it at once: status 0, no traceback, one line at most.

What is tested begins where Python runs the first line of ours that takes signals over; a script as
pip and colcon install it says so. Before that, the interpreter starts.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from .process import SIGNALS, Process


def home(node: str) -> str:
    """The module that starts a node."""
    tools = node in ("fault_injector_node", "player_node")
    return "mdacl_tools.live.start" if tools else "mdacl_ros.nodes.start"


MARKER = "signals are taken over"
SCRIPT = f"""
import importlib, sys
from {{home}} import {{function}}

def tell(name, load=importlib.import_module):
    print({MARKER!r}, flush=True)
    importlib.import_module = load
    return load(name)

importlib.import_module = tell
sys.exit({{function}}())
"""
DELAYS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Seconds from the marker to the signal; all is imported after about half of one."""


def check_start(
    processes: list[Process],
    function: str,
    arguments: list[str],
    number: signal.Signals,
    delay: float,
) -> None:
    command = [
        sys.executable,
        "-c",
        SCRIPT.format(function=function, home=home(function)),
        *arguments,
    ]
    node = Process(command)
    processes.append(node)
    node.wait_for(MARKER)
    time.sleep(delay)
    assert node.end(number) == 0, node.log()
    lines = [line for line in node.lines if MARKER not in line]
    assert len(lines) <= 1, node.log()


@SIGNALS
@pytest.mark.parametrize("delay", DELAYS)
def test_a_signal_ends_a_detector_that_starts(
    processes: list[Process],
    number: signal.Signals,
    delay: float,
) -> None:
    check_start(processes, "detector_node", [], number, delay)


@SIGNALS
@pytest.mark.parametrize(
    ("function", "arguments"),
    [("fault_injector_node", []), ("player_node", []), ("rigs", ["front", "rear"])],
)
def test_a_signal_ends_every_node_that_starts(
    processes: list[Process],
    function: str,
    arguments: list[str],
    number: signal.Signals,
) -> None:
    check_start(processes, function, arguments, number, 0.1)


@pytest.mark.parametrize("node", ["detector_node", "fault_injector_node", "player_node", "rigs"])
def test_help_says_how_a_node_is_started(node: str) -> None:
    code = f"import sys; from {home(node)} import {node}; sys.exit({node}())"
    command = [sys.executable, "-c", code, "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert f"ros2 run mdacl_ros {node} " in told


def test_the_first_lines_import_nothing_large() -> None:
    code = "import sys; import mdacl_ros.nodes.start; print(*sys.modules)"
    bare = [sys.executable, "-S", "-c", code]
    loaded = subprocess.run(bare, check=True, capture_output=True, text=True).stdout.split()
    assert not {"numpy", "rclpy", "cv2", "threading", "typing", "re"} & set(loaded)


REFUSED = [
    ("detector_node", ["--bogus"], "ROS arguments: unknown ['--bogus']; wanted -p NAME:=VALUE"),
    ("detector_node", ["-p", "use_sim_time:=5"], "use_sim_time"),
    ("detector_node", ["-p", "qos_overrides./diagnostics.publisher.depth:=-1"], "depth a number"),
    ("player_node", ["-p", "rate:=fast"], "parameter rate: got 'fast', wanted a number"),
    ("player_node", ["-p", "rate:=.nan"], "parameter rate: got nan, wanted more than 0"),
    ("player_node", ["-p", "loops:=-5"], "parameter loops: got -5"),
    ("player_node", ["-p", "clip:=x"], "parameter clip: got 'x' without an input"),
    ("fault_injector_node", ["-p", "scenario:=5"], "'scenario' to '5' of type 'INTEGER'"),
    ("fault_injector_node", ["-p", "scenario:=~nobody-here/x"], "fault scenario ~nobody-here/x"),
    ("rigs", ["--params-file", "/nowhere.yaml"], "/nowhere.yaml"),
    ("rigs", ["--bogus"], "ROS arguments: unknown ['--bogus']"),
]


@pytest.mark.parametrize(("node", "arguments", "said"), REFUSED)
def test_what_cannot_be_meant_is_one_line(node: str, arguments: list[str], said: str) -> None:
    code = f"import sys; from {home(node)} import {node}; sys.exit({node}())"
    front = ["front"] if node == "rigs" else []
    command = [sys.executable, "-c", code, *front, "--ros-args", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2, ended.stderr
    # rcl itself complains of parameter files as well, on several lines.
    assert said in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_a_parameter_that_is_not_known_is_told(processes: list[Process]) -> None:
    node = Process(
        [sys.executable, "-m", "mdacl_tools.live.start", "player_node"], loop="0", input="/nowhere"
    )
    processes.append(node)
    node.wait_for("parameter loop is unknown and ignored; did you mean loops?")
