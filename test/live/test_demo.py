"""The demo as a user runs it: separate ROS processes over DDS, results in a folder."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import cv2
import psutil
import pytest

from mdacl_tools.cli.main import main
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.schedule import partner_timeout
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("rclpy", "vision_msgs")),
    reason="rclpy or vision_msgs not installed",
)

HERE = Path(__file__).resolve().parent
FAULTS = RigFaults(duration_s=3.0, freeze_s=(1.0, 2.2), rgb_size=(160, 120), thermal_size=(80, 60))
DEADLINE = 120.0

RUN = """
import sys
from mdacl_tools.cli import main as cli
from mdacl_tools.live import node_run as run
run.DETECTOR = ("blob_detector",)
sys.exit(cli.main(["demo", *sys.argv[1:]]))
"""


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    write_bag(SyntheticRecording(FAULTS), tmp_path / "bag")
    return tmp_path / "bag"


def start(bag: Path, *arguments: str) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": f"{HERE}:{HERE.parents[1]}"}
    command = [sys.executable, "-c", RUN, str(bag), "--out", str(bag.parent / "out")]
    options = ["--model", str(bag.parent), "--set", "thermal_clock_offset=0.04", *arguments]
    return subprocess.Popen(
        command + options,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_recording_goes_in_and_a_report_comes_out(bag):
    process = start(bag)
    printed, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, errors
    out = bag.parent / "out"
    metrics = json.loads((out / "metrics.json").read_text())
    sent = SyntheticRecording(FAULTS).frames
    assert metrics["frames_sent"] == sent | {"total": sum(sent.values())}
    assert metrics["stamps_match"] is True
    assert metrics["received"] == metrics["published"] == metrics["processed"] > 10
    assert metrics["single_rgb"] > 5  # while thermal is frozen
    assert metrics["pairs"] > 10
    assert 0 < metrics["latency_ms"]["p50"] <= metrics["latency_ms"]["p95"]
    assert metrics["cpu_percent"] > 0
    assert metrics["rss_mb"] > 10
    assert metrics["engine"] == "blob"
    assert metrics["mdi"]["p95"] == 1.0
    assert metrics["truth_objects"]["person"] == metrics["processed"]
    assert metrics["ap50_by_class"]["person"] > 0.3
    results = json.loads((out / "detections.json").read_text())
    recorded = {e.frame.stamp_ns for e in SyntheticRecording(FAULTS)}
    assert {row["recorded_ns"] for row in results} <= recorded
    video = cv2.VideoCapture(str(out / "video.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == 320
    assert 25 < video.get(cv2.CAP_PROP_FRAME_COUNT) < 60
    assert cv2.imread(str(out / "mdi_timeline.png")).shape[1] > 800
    assert list((out / "frames").glob("*.png"))
    assert "latency p50" in printed


def test_ctrl_c_stops_both_nodes_and_keeps_what_there_is(bag):
    process = start(bag, "--rate", "0.1")
    log = bag.parent / "out" / "logs" / "sent.jsonl"
    end = time.monotonic() + DEADLINE
    while not (log.is_file() and "rgb" in log.read_text()):
        assert time.monotonic() < end, "nothing was played"
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) == 2
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not any(child.is_running() for child in children)
    metrics = json.loads((bag.parent / "out" / "metrics.json").read_text())
    assert metrics["interrupted"] is True
    assert metrics["frames_sent"]["total"] < sum(SyntheticRecording(FAULTS).frames.values())


def test_a_detector_that_cannot_start_is_one_line(bag):
    process = start(bag, "--model", "/nowhere/model")
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert "/nowhere/model" in errors
    assert len(errors.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fps", "0"], "--fps: got 0.0, wanted more than 0"),
        (["--rate", "-1"], "--rate: got -1.0, wanted more than 0"),
        (["--threshold", "7"], "score_threshold: got 7.0, wanted 0.0 to 1.0"),
        (["--set", "max_skw=1"], "did you mean max_skew"),
        (["--set", "max_skew"], "wanted NAME=VALUE"),
    ],
)
def test_a_wrong_demo_gets_one_line(arguments, says, capsys):
    assert main(["demo", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_slow_recordings_get_a_longer_partner_timeout():
    class Slides:
        fps: ClassVar = {"rgb": 2.0, "thermal": 2.0}

    assert partner_timeout(Slides(), 1.0) == 1.5
    assert partner_timeout(Slides(), 10.0) == 0.5
