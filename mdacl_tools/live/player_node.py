"""ROS node that plays a recording as the topics of two cameras, on schedule.

    ros2 run mdacl_ros player_node --ros-args -p input:=clips/ -p clip:=0117_1605

Topics: ``rgb/image_raw``, ``rgb/camera_info``, ``thermal/image_raw``, ``thermal/camera_info``.
Parameters: ``input`` (recording; empty: the simulated scenes), ``clip``, ``rate``, ``fps``,
``restamp``, ``start_ns``, ``loops``, ``wait_for_subscribers``, ``rgb_topic``, ``thermal_topic``,
``split``, ``camera``, ``assumed_fov``, ``sent_log``; ``ros2 param describe /player <name>``
explains each.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Any, cast

import cv2
import rclpy
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from mdacl_ros.errors import MdaclError, ParameterError, RecordingError
from mdacl_ros.nodes.node_creation import refusals_in_one_line, tell_unknown_parameters
from mdacl_ros.nodes.process import init_ros
from mdacl_ros.types import Modality
from mdacl_tools.live.camera_publisher import CameraPublisher
from mdacl_tools.live.player_parameters import PlayerParameters
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.recordings.recording import Event, Recording
from mdacl_tools.recordings.schedule import ReadAhead, Schedule, loop_length_ns, make_schedule
from mdacl_tools.recordings.simulated import SimulatedRecording

START_DELAY_S = 1.0
"""Time between the first subscriber and the first frame: discovery is not symmetric."""

POLLS_PER_S = 20

MOST_FOV = 175.0
"""Degrees; a wider pinhole has no sensible image plane."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

LINGER_S = 0.3
"""The last frames leave the process before its DDS participant does."""


@dataclass(slots=True)
class PlayReport:
    """What was played: frames by camera, and lateness against the schedule in ms."""

    frames: dict[Modality, int] = field(default_factory=lambda: {"rgb": 0, "thermal": 0})
    worst_late_ms: float = 0.0


class PlayerNode(Node):
    """Publishes a recording; :meth:`play` blocks until it is over or :meth:`stop` is called.

    Args:
        node_options: Passed to :class:`rclpy.node.Node` (context, parameter_overrides, ...).
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("player", **node_options)
        values = {f.name: self._declared(f.name, f.default) for f in fields(PlayerParameters)}
        self.parameters = PlayerParameters(**values)
        self._stop = threading.Event()

    def _declared(self, name: str, default: Any) -> Any:
        """The value of a parameter; `rate: 1` is an integer to ROS, and as good as 1.0."""
        free = ParameterDescriptor(dynamic_typing=isinstance(default, float))
        value = self.declare_parameter(name, default, free).value
        if isinstance(default, float):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ParameterError(f"parameter {name}: got {value!r}, wanted a number")
            return float(value)
        return value

    def stop(self) -> None:
        """Make :meth:`play` return soon; may be called from any thread."""
        self._stop.set()

    def open(self) -> Recording:
        """Open the recording that the parameters name.

        Raises:
            RecordingError: If it cannot be opened or a parameter is out of range.
        """
        p = self.parameters
        if not 0 < p.rate < math.inf:
            raise RecordingError(f"parameter rate: got {p.rate}, wanted more than 0")
        if p.loops < 0:
            raise RecordingError(f"parameter loops: got {p.loops}, wanted 0 (for ever) or more")
        if not 0 <= p.assumed_fov < MOST_FOV:
            raise RecordingError(
                f"parameter assumed_fov: got {p.assumed_fov}, wanted degrees from 0 (none) to "
                f"{MOST_FOV:g}"
            )
        if p.camera not in ("", "rgb", "thermal"):
            raise RecordingError(f"parameter camera: got {p.camera!r}, wanted rgb or thermal")
        if p.clip and not p.input:
            raise RecordingError(f"parameter clip: got {p.clip!r} without an input it is of")
        return open_recording(
            p.input or None,
            clip=p.clip or None,
            fps=p.fps or None,
            rgb_topic=p.rgb_topic or None,
            thermal_topic=p.thermal_topic or None,
            split=p.split or None,
            camera=cast("Modality | None", p.camera or None),
        )

    def play(self, recording: Recording) -> PlayReport:
        """Publish the recording on schedule, as often as ``loops`` says.

        Raises:
            RecordingError: If the recording is empty or turns out to be damaged.
        """
        report = PlayReport()
        cameras = {camera: self._publisher(camera, recording) for camera in recording.frames}
        schedule: Schedule | None = None
        with self._open_log() as log:
            for loop in range(self.parameters.loops) or itertools.count():
                with closing(ReadAhead(recording)) as ahead:
                    head, events = ahead.peek()
                    if not head:
                        raise RecordingError(f"recording {recording.name}: holds no frames")
                    if schedule is None:
                        self._wait_for_subscribers(cameras.values())
                        schedule = self._first_schedule(head)
                    else:
                        schedule = schedule.next_loop(loop_length_ns(recording))
                    self._play_once(events, schedule, cameras, report, log, loop)
                if self._stop.is_set():
                    break
        return report

    def _publisher(self, camera: Modality, recording: Recording) -> CameraPublisher:
        """One camera's publishers; RGB gets assumed intrinsics where none are known."""
        model, fov = recording.camera_model(camera), self.parameters.assumed_fov
        if camera != "rgb" or fov == 0 or (model is not None and model.matrix is not None):
            return CameraPublisher(self, camera, model)
        self.get_logger().warning(
            f"{recording.name} has no intrinsics of the RGB camera: camera_info assumes a pinhole "
            f"{fov:g} degrees wide, so the markers' directions are approximate; set parameter "
            "assumed_fov to the lens' own, or to 0 for an uncalibrated camera_info"
        )
        return CameraPublisher(self, camera, model, fov)

    def _play_once(
        self,
        events: Iterator[Event],
        schedule: Schedule,
        cameras: dict[Modality, CameraPublisher],
        report: PlayReport,
        log: IO[str] | None,
        loop: int,
    ) -> None:
        for event in events:
            due = schedule.due_ns(event)
            # The wall clock each time: deadlines are absolute, lateness does not add up.
            if self._stop.wait(max(0.0, (due - time.time_ns()) / 1e9)):
                return
            stamp = schedule.stamp(event)
            late_ms = (time.time_ns() - due) / 1e6
            cameras[event.camera].publish(event.frame, stamp)
            report.frames[event.camera] += 1
            report.worst_late_ms = max(report.worst_late_ms, late_ms)
            if log is not None:
                entry = {
                    "camera": event.camera,
                    "stamp_ns": stamp,
                    "recorded_ns": event.frame.stamp_ns,
                    "loop": loop,
                    "late_ms": round(late_ms, 3),
                }
                log.write(json.dumps(entry) + "\n")

    def _first_schedule(self, head: list[Event]) -> Schedule:
        p = self.parameters
        start_ns = p.start_ns or time.time_ns() + round(START_DELAY_S * 1e9)
        return make_schedule(head, start_ns, p.rate, restamp=p.restamp)

    def _wait_for_subscribers(self, cameras: Collection[CameraPublisher]) -> None:
        if not self.parameters.wait_for_subscribers:
            return
        polls = 0
        while missing := [camera.topic for camera in cameras if not camera.subscribers]:
            if polls % (5 * POLLS_PER_S) == POLLS_PER_S:
                self.get_logger().info(f"waiting for a subscriber to {', '.join(missing)}")
            polls += 1
            if self._stop.wait(1 / POLLS_PER_S):
                return

    @contextlib.contextmanager
    def _open_log(self) -> Iterator[IO[str] | None]:
        if not self.parameters.sent_log:
            yield None
            return
        with Path(self.parameters.sent_log).open("w", buffering=1, encoding="utf-8") as log:
            yield log


def main(args: list[str] | None = None) -> int:
    """Play the recording that the ROS parameters name, then exit.

    Returns:
        0 when it was played or stopped by a signal, 2 after an error the user can mend.
    """
    cv2.setNumThreads(1)  # decoding is light; OpenCV's pool would fight the detector for cores
    try:
        init_ros(args)
        with refusals_in_one_line("player"):
            node = PlayerNode()
    except MdaclError as error:
        print(error, file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    tell_unknown_parameters(node)
    spinning = threading.Thread(target=_spin, args=(node,), name="spin")
    spinning.start()
    try:
        for number in STOP_SIGNALS:
            signal.signal(number, _interrupt)
        with closing(node.open()) as recording:
            if isinstance(recording, SimulatedRecording):
                recording.prepare()  # rendered while they play they would take the detector's CPU
            _play_and_report(node, recording)
    except MdaclError as error:
        node.get_logger().error(str(error))
        return 2
    except KeyboardInterrupt:
        node.get_logger().info("stopped by a signal")
    finally:
        rclpy.try_shutdown()
        spinning.join()
        node.destroy_node()
    return 0


def _interrupt(*_: object) -> None:
    """Leave what the main thread does, once; an Event set in a handler could deadlock."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _play_and_report(node: PlayerNode, recording: Recording) -> None:
    counts = ", ".join(f"{n} {camera}" for camera, n in recording.frames.items())
    seconds = recording.duration_ns / 1e9
    node.get_logger().info(f"playing {recording.name}: {counts} frames, {seconds:.1f} s")
    cpu, wall = time.process_time(), time.monotonic()
    report = node.play(recording)
    cpu, wall = time.process_time() - cpu, max(time.monotonic() - wall, 1e-3)
    frames = sum(report.frames.values())
    node.get_logger().info(
        f"played {report.frames['rgb']} rgb, {report.frames['thermal']} thermal frames; "
        f"{cpu / max(frames, 1) * 1e3:.2f} ms CPU a frame, {cpu / wall * 100:.0f} % of a core; "
        f"at most {report.worst_late_ms:.1f} ms late"
    )
    time.sleep(LINGER_S)


def _spin(node: PlayerNode) -> None:
    with contextlib.suppress(ExternalShutdownException):
        rclpy.spin(node)
