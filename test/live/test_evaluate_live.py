"""A recording through real ROS processes over DDS, reported on like any other."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mdacl_tools.cli.evaluate import EXIT_INCOMPLETE
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording
from mdacl_tools.scoring.frames import FRAMES_FILE, read_frames
from mdacl_tools.scoring.report import read_report

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("rclpy", "vision_msgs")),
    reason="rclpy or vision_msgs not installed",
)

HERE = Path(__file__).resolve().parent
FAULTS = RigFaults(
    duration_s=2.5, freeze_s=(0.8, 1.8), rgb_size=(160, 120), thermal_size=(80, 60),
    thermal_clock_offset_ns=0,
)  # fmt: skip

RUN = """
import sys
from mdacl_tools.cli import main as cli
from mdacl_tools.live import node_run as run
run.DETECTOR = ("blob_detector",)
sys.exit(cli.main(["evaluate", *sys.argv[1:]]))
"""


def test_a_live_run_measures_latency_jitter_and_drops(tmp_path) -> None:
    write_bag(SyntheticRecording(FAULTS), tmp_path / "bag")
    (mcap,) = (tmp_path / "bag").glob("*.mcap")
    mcap.write_bytes(mcap.read_bytes()[:-20])  # damaged, but every frame is left
    out = tmp_path / "out"
    environment = os.environ | {"PYTHONPATH": f"{HERE}:{HERE.parents[1]}"}
    command = [sys.executable, "-c", RUN, str(tmp_path / "bag"), "--out", str(out), "--live"]
    done = subprocess.run(
        [*command, "--model", str(tmp_path), "--rate", "1.0"],
        env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == EXIT_INCOMPLETE, done.stderr
    report = read_report(out)
    assert "ends in the middle of a record" in report.recording["damage"][0]
    counts, timing = report.counts, report.timing
    sent = SyntheticRecording(FAULTS).frames
    assert counts["frames_rgb"] == sent["rgb"]
    assert 5 < counts["processed"] <= sent["rgb"] + sent["thermal"]
    assert counts["scored"] == counts["processed"]
    assert 0 < timing["latency_ms"]["p50"] <= timing["latency_ms"]["max"]
    assert sum(timing["latency_ms"]["counts"]) == counts["processed"]
    assert timing["jitter_ms"]["p95"] >= 0
    assert "transport" in counts["dropped"]["rgb"]
    assert report.settings["live"] == 1.0
    assert report.settings["engine"] == "blob"
    assert set(report.scores) == {"fused"}
    recorded = {event.frame.stamp_ns for event in SyntheticRecording(FAULTS)}
    frames = list(read_frames(out / FRAMES_FILE))
    assert {frame.stamp_ns for frame in frames} <= recorded
    assert len(frames) == counts["processed"]
    assert "frames/s" in done.stdout
    page = (out / "report.html").read_text()
    assert "Histogram of Latency" in page
    assert "data:image/jpeg" in page  # the frames of the answers were found in the recording
