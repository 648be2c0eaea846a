"""The player over real DDS: every frame, its stamp, its bytes, and a clean end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image

from mdacl_ros.nodes.markers import unusable
from mdacl_ros.nodes.messages import to_nanoseconds
from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_tools.live.player_node import PlayerNode
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording

FAULTS = RigFaults(duration_s=1.0, freeze_s=(0.4, 0.7), rgb_size=(64, 48), thermal_size=(32, 24))
DEADLINE = 10.0
PROCESS_DEADLINE = 60.0  # starting Python and ROS on a busy machine


class Ears:
    """Keeps what arrives on the cameras' topics."""

    def __init__(self, context: Context) -> None:
        self.node = Node("ears", context=context)
        self.images: dict[str, list[Image]] = {"rgb": [], "thermal": []}
        self.infos: dict[str, list[CameraInfo]] = {"rgb": [], "thermal": []}
        for kind, name, kept in (
            (Image, "image_raw", self.images),
            (CameraInfo, "camera_info", self.infos),
        ):
            for camera in kept:
                self.node.create_subscription(
                    kind, f"{camera}/{name}", kept[camera].append, QoSProfile(depth=500)
                )

    def stamps(self, camera: str) -> list[int]:
        return [to_nanoseconds(m.header.stamp) for m in self.images[camera]]


@pytest.fixture
def ears():
    context = Context()
    rclpy.init(context=context)
    listener = Ears(context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(listener.node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    yield listener
    executor.shutdown()
    thread.join()
    listener.node.destroy_node()
    rclpy.try_shutdown(context=context)


def wait_for(condition) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def play(ears: Ears, recording, **parameters) -> PlayerNode:
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    player = PlayerNode(context=ears.node.context, parameter_overrides=overrides)
    report = player.play(recording)
    wait_for(lambda: all(len(ears.images[c]) == n for c, n in report.frames.items()))
    wait_for(lambda: all(len(ears.infos[c]) == n for c, n in report.frames.items()))
    player.destroy_node()
    return report


def test_two_loops_arrive_complete_with_new_stamps(ears, tmp_path):
    recording = SyntheticRecording(FAULTS)
    before = time.time_ns()
    report = play(ears, recording, rate=4.0, loops=2, sent_log=str(tmp_path / "sent"))
    assert report.frames == {camera: 2 * n for camera, n in recording.frames.items()}
    log = [json.loads(line) for line in (tmp_path / "sent").read_text().splitlines()]
    for camera in ("rgb", "thermal"):
        sent = [row["stamp_ns"] for row in log if row["camera"] == camera]
        assert ears.stamps(camera) == sent == sorted(sent)
        half = len(sent) // 2
        recorded = [row["recorded_ns"] for row in log if row["camera"] == camera]
        assert recorded[:half] == recorded[half:]
        scale = (sent[half - 1] - sent[0]) / (recorded[half - 1] - recorded[0])
        assert scale == pytest.approx(0.25, rel=1e-6)
    assert min(ears.stamps("rgb")) > before


def test_bytes_frames_and_intrinsics_are_those_of_the_recording(ears):
    recording = SyntheticRecording(FAULTS)
    play(ears, recording, rate=4.0)
    for camera in ("rgb", "thermal"):
        want = [e.frame for e in recording if e.camera == camera]
        for message, info, frame in zip(ears.images[camera], ears.infos[camera], want, strict=True):
            assert (message.encoding, message.header.frame_id) == (frame.encoding, frame.frame_id)
            assert (message.height, message.width) == frame.image.shape[:2]
            assert np.array_equal(np.frombuffer(message.data, np.uint8), frame.image.reshape(-1))
            assert message.step * message.height == frame.image.nbytes
            assert info.header == message.header
            model = recording.camera_model(camera)
            assert info.k == pytest.approx(model.matrix.reshape(-1))


class WithoutIntrinsics(SyntheticRecording):
    """As videos and data sets are: the size is known, or not even that."""

    def camera_model(self, camera):
        return CameraModel((64, 48)) if camera == "rgb" else None


@pytest.mark.parametrize("fov", [60.0, 90.0, 0.0])
def test_intrinsics_that_a_recording_does_not_know_are_assumed_and_said(ears, capfd, fov):
    play(ears, WithoutIntrinsics(FAULTS), rate=4.0, assumed_fov=fov)
    info = ears.infos["rgb"][0]
    said = "camera_info assumes a pinhole" in capfd.readouterr().err
    assert said == (fov > 0)
    assert list(ears.infos["thermal"][0].k) == [0.0] * 9
    if fov == 0:
        assert list(info.k) == [0.0] * 9
        return
    edges = [(x - info.k[2]) / info.k[0] for x in (-0.5, 63.5)]
    assert np.degrees(np.arctan(edges)) == pytest.approx([-fov / 2, fov / 2])
    assert unusable(info, (64, 48)) == ""


def test_recorded_stamps_are_kept_on_request_and_loops_go_back(ears):
    recording = SyntheticRecording(FAULTS)
    play(ears, recording, rate=4.0, restamp=False, loops=2)
    want = [e.frame.stamp_ns for e in recording if e.camera == "thermal"]
    assert ears.stamps("thermal") == want * 2


def test_a_given_start_is_the_first_rgb_stamp(ears):
    start = time.time_ns() + 1_500_000_000
    play(ears, SyntheticRecording(FAULTS), rate=4.0, start_ns=start)
    assert ears.stamps("rgb")[0] == start


def run_player(*arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "mdacl_tools.live.start", "player_node", "--ros-args"]
    for argument in arguments:
        command += ["-p", argument]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)


ROOT = Path(__file__).resolve().parents[2]


def test_ctrl_c_while_waiting_for_subscribers_ends_cleanly(tmp_path):
    write_bag(SyntheticRecording(FAULTS), tmp_path / "bag")
    process = run_player(f"input:={tmp_path / 'bag'}")
    lines = [process.stderr.readline(), process.stderr.readline()]
    assert "playing bag" in lines[0]
    assert "waiting for a subscriber to rgb/image_raw, thermal/image_raw" in lines[1]
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=PROCESS_DEADLINE)
    assert process.returncode == 0
    assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["input:=/nowhere"], "recording /nowhere: no such file or folder"),
        (["rate:=-1.0"], "parameter rate: got -1.0, wanted more than 0"),
    ],
)
def test_bad_parameters_are_one_line(arguments, message):
    process = run_player(*arguments)
    _, errors = process.communicate(timeout=PROCESS_DEADLINE)
    assert process.returncode == 2
    assert message in errors
    assert "Traceback" not in errors
