"""The doctor over real DDS: a node that works, one whose cameras do not fit, and none."""

from __future__ import annotations

import importlib.util
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from nodes.bench import Bench
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from vision_msgs.msg import Detection2DArray

from mdacl_ros.doctor.command import examine
from mdacl_ros.doctor.listener import observe
from mdacl_tools.cli import main as cli


@contextmanager
def streaming(bench: Bench) -> Iterator[None]:
    """Publish pairs and camera_info at 20 Hz, stamped now, until left."""
    stop = threading.Event()
    infos = {
        "rgb": (320, 240, [300.0, 0, 160, 0, 300, 120, 0, 0, 1]),
        "thermal": (160, 120, [0.0] * 9),
    }
    publishers = {
        c: bench.tester.create_publisher(CameraInfo, f"{c}/camera_info", 5) for c in infos
    }

    def run() -> None:
        while not stop.wait(0.05):
            bench.publish_pair(time.time_ns())
            for camera, (width, height, k) in infos.items():
                publishers[camera].publish(CameraInfo(width=width, height=height, k=k))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def by_check(findings: list[Any]) -> dict[str, Any]:
    return {finding.check: finding for finding in findings}


def test_a_system_that_works(bench: Bench) -> None:
    with streaming(bench):
        bench.wait_for_health("cameras", lambda _l, _m, v: "topic_rgb" in v, "topics are told")
        view = observe("/detector_node", 1.5)
    found = by_check(examine(view, {}))
    assert view.parameters["model"] == bench.node.parameters.model
    assert view.parameters["input_width"] == 160
    for check in (
        "node",
        "answers",
        "rgb topic",
        "thermal topic",
        "rgb type",
        "rgb qos",
        "rgb rate",
        "rgb encoding",
        "rgb stamps",
        "thermal stamps",
        "skew",
        "rgb camera_info",
        "thermal camera_info",
    ):
        assert found[check].level == "ok", found[check]
    assert found["rgb encoding"].what == "320x240 rgb8"
    assert "/tester" in found["rgb topic"].what
    assert found["calibration"].level == "warn"
    assert found["engine"].level == "bad"  # the bench's model folder is empty


def test_a_publisher_whose_qos_does_not_fit(model_folder: Any) -> None:
    values = {
        "model": str(model_folder),
        "qos_overrides./rgb/image_raw.subscription.reliability": "reliable",
    }
    with Bench(values) as bench:
        bench.activate()
        offer = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        bench.tester.create_publisher(Image, "rgb/image_raw", offer)
        view = observe("/detector_node", 0.5)
    found = by_check(examine(view, {}))
    assert found["rgb qos"].level == "bad"
    assert "/tester" in found["rgb qos"].what
    wanted = "qos_overrides./rgb/image_raw.subscription.reliability to best_effort"
    assert wanted in found["rgb qos"].todo
    assert found["rgb topic"].level == "warn"  # two publishers now
    assert found["rgb rate"].level == "bad"


def test_a_listener_whose_qos_keeps_our_answers_from_it(bench: Bench) -> None:
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    bench.listen(Detection2DArray, "/detector_node/detections", lambda _: None, latched)
    found = by_check(examine(observe("/detector_node", 1.0), {}))
    assert found["listener"].level == "bad", found
    assert "/tester on /detector_node/detections" in found["listener"].what


def test_without_a_node_the_exit_code_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--node", "nowhere/detector", "--seconds", "0.1", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["node"] == "/nowhere/detector"
    assert report["bad"] >= 1
    first = report["findings"][0]
    assert (first["level"], first["check"]) == ("bad", "node")
    assert first["what"].startswith("no node /nowhere/detector is found")


def test_a_node_in_another_namespace_is_named(bench: Bench) -> None:
    found = by_check(examine(observe("/front/detector_node", 0.1), {}))
    assert found["node"].todo == "mdacl doctor --node /detector_node"
    assert "calibration" not in found  # nobody told which is in use


def test_without_ros_it_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert cli.main(["doctor"]) == cli.EXIT_USAGE
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "rclpy" in error
    assert "setup.bash" in error


def test_a_silly_duration_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--seconds", "-1"]) == cli.EXIT_USAGE
    assert "wanted 0.1 to 600" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["bad name!", "", "a//b", "~"])
def test_a_name_that_no_node_can_have_is_one_line(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert cli.main(["doctor", "--node", name]) == cli.EXIT_USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert f"--node is {name!r}, wanted a node's full name" in line
