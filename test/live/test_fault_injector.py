"""The fault injector as a process: what it lets through, and what a wrong scenario gives."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from nodes.bench import image_message, rgb_scene, thermal_scene, wait_until
from nodes.cameras import Cameras, rgb_pictures
from nodes.process import Process
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import String

from mdacl_tools.live.faults.message import ImageData
from mdacl_tools.live.faulty_camera import to_data, to_message

INJECTOR = [sys.executable, "-m", "mdacl_tools.live.start", "fault_injector_node"]


@pytest.fixture
def cameras() -> Iterator[Cameras]:
    with Cameras() as running:
        yield running


def scenario(folder: Path, *entries: dict[str, object]) -> str:
    file = folder / "scenario.yaml"
    file.write_text(yaml.safe_dump({"faults": list(entries)}))
    return str(file)


def test_messages_and_data_are_the_same_thing() -> None:
    for image, encoding in ((rgb_scene(), "rgb8"), (thermal_scene(), "mono8")):
        message = image_message(image, encoding, 1_700_000_000_123_456_789, "optical")
        assert to_message(to_data(message, "rgb")) == message
    (jpeg, *_) = rgb_pictures(compressed=True)
    data = to_data(jpeg, "rgb")
    assert isinstance(data, ImageData)
    assert data.compressed
    assert to_message(data) == jpeg


def test_faults_are_told_and_only_their_camera_is_touched(
    processes: list[Process],
    cameras: Cameras,
    tmp_path: Path,
) -> None:
    entry = {"at": 1.0, "for": 1.0, "camera": "rgb", "fault": "encoding", "encoding": "rgb565"}
    node = Process(INJECTOR, scenario=scenario(tmp_path, entry))
    processes.append(node)
    told: list[str] = []
    seen: dict[str, list[str]] = {"rgb": [], "thermal": []}
    latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    cameras.node.create_subscription(
        String, "/fault_injector/active", lambda m: told.append(m.data), latched
    )
    for camera, encodings in seen.items():
        cameras.node.create_subscription(
            Image,
            f"/faulty/{camera}/image_raw",
            lambda m, encodings=encodings: encodings.append(m.encoding),
            10,
        )
    node.wait_for("1 fault in 2 s from the first image")
    wait_until(lambda: told == ["none"], "it says that nothing is wrong")
    cameras.stream()
    wait_until(lambda: told == ["none", "rgb encoding", "none"], "begin and end")
    wait_until(lambda: seen["rgb"][-1] == "rgb8", "it is over")
    assert set(seen["rgb"]) == {"rgb8", "rgb565"}
    assert set(seen["thermal"]) == {"mono8"}


@pytest.mark.parametrize(
    ("entry", "parameters", "said"),
    [
        ({"fault": "explode"}, {}, "fault: got 'explode', wanted one of drop"),
        ({"fault": "step"}, {"rgb_transport": "compressed"}, "step on rgb needs raw images"),
        ({"fault": "drop"}, {"rgb_transport": "video"}, "got 'video', wanted raw or compressed"),
        (None, {}, "parameter scenario: got nothing"),
    ],
)
def test_what_cannot_be_gives_one_line_and_status_2(
    processes: list[Process],
    tmp_path: Path,
    entry: dict[str, object] | None,
    parameters: dict[str, str],
    said: str,
) -> None:
    if entry is not None:
        given = {"at": 0, "for": 1, "camera": "rgb", **entry}
        parameters = parameters | {"scenario": scenario(tmp_path, given)}
    node = Process(INJECTOR, **parameters)
    processes.append(node)
    assert node.process.wait(30) == 2
    node.kill()
    (line,) = node.lines
    assert said in line
