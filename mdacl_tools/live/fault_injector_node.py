"""ROS node that stands between two cameras and the detector and makes faults by a scenario.

    ros2 run mdacl_ros fault_injector_node --ros-args -p scenario:=config/faults_example.yaml

In: ``<camera>/image_raw`` (or ``/compressed``), ``<camera>/camera_info``. Out: the same topics
below ``faulty/``, and ``~/active`` with the names of the faults in force. Times count from the
first image.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from mdacl_ros.errors import ScenarioError
from mdacl_ros.nodes.process import run_node
from mdacl_ros.types import MODALITIES, Modality
from mdacl_tools.live.faults.injector import Active, FaultInjector
from mdacl_tools.live.faults.scenario import RAW_ONLY, FaultScenario, load_scenario
from mdacl_tools.live.faults.timing import Restart
from mdacl_tools.live.faulty_camera import FaultyCamera, Message, to_data, to_message
from mdacl_tools.live.outbox import Outbox

LOOK_PERIOD = 0.05
"""Seconds between looks whether a fault begins or ends."""

NOTHING = "none"
"""What ``~/active`` says while nothing is wrong."""


class FaultInjectorNode(Node):
    """Republishes two cameras' images with the faults of a scenario.

    Parameters: ``scenario`` (path), ``rgb_transport`` and ``thermal_transport`` (``raw`` or
    ``compressed``).

    Raises:
        ScenarioError: The scenario cannot be used.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("fault_injector", **node_options)
        self._outbox = Outbox()  # before what may fail: rclpy destroys also half a node
        self._injector = FaultInjector(self._open_scenario())
        self._started: float | None = None
        self._said = ""
        self._cameras: dict[Modality, FaultyCamera] = {
            camera: FaultyCamera(self, camera, self._transport(camera), self._receive)
            for camera in MODALITIES
        }
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._active = self.create_publisher(String, "~/active", latched)
        self.create_timer(LOOK_PERIOD, self._look)

    @property
    def loads(self) -> bool:
        """There is no engine here."""
        return False

    @property
    def loads_silently(self) -> bool:
        """There is no engine here."""
        return False

    @property
    def hangs(self) -> bool:
        """Nothing here takes long."""
        return False

    def start(self) -> None:
        """Say what is to come."""
        scenario = self._injector.scenario
        seconds = max(fault.end_s for fault in scenario.faults)
        count = len(scenario.faults)
        self.get_logger().info(
            f"{count} {'fault' if count == 1 else 'faults'} in {seconds:g} s from the first image"
        )
        self._look()

    def request_stop(self) -> None:
        """Nothing here takes long."""

    def destroy_node(self) -> None:
        """Forget what is held back, and take the node down."""
        self._outbox.stop()
        super().destroy_node()

    def _open_scenario(self) -> FaultScenario:
        """Read the scenario and see that it fits the transports."""
        path = str(self.declare_parameter("scenario", "").value)
        if not path:
            raise ScenarioError(
                "parameter scenario: got nothing, wanted the path of a scenario, e.g. "
                "config/faults_example.yaml"
            )
        scenario = load_scenario(path)
        for camera in MODALITIES:
            given: Any = self.declare_parameter(f"{camera}_transport", "raw").value
            if given not in ("raw", "compressed"):
                raise ScenarioError(
                    f"parameter {camera}_transport: got {given!r}, wanted raw or compressed"
                )
            wrong = [f.name for f in scenario.faults if camera in f.cameras and f.name in RAW_ONLY]
            if given == "compressed" and wrong:
                raise ScenarioError(
                    f"fault scenario {path}: {wrong[0]} on {camera} needs raw images, but "
                    f"{camera}_transport is compressed; use truncate or drop there"
                )
        return scenario

    def _transport(self, camera: Modality) -> str:
        return str(self.get_parameter(f"{camera}_transport").value)

    def _now(self) -> float:
        """Seconds since the first image; 0 before it."""
        return 0.0 if self._started is None else time.monotonic() - self._started

    def _receive(self, camera: FaultyCamera, message: Message) -> None:
        """Let the faults befall an image."""
        came = time.monotonic()
        if self._started is None:
            self._started = came
        self._look()  # what begins with this image is told before it goes out
        data = to_data(message, camera.camera)
        for delivery in self._injector.take(data, self._now()):
            # What nothing has befallen goes on as it came.
            out = message if delivery.message is data else to_message(delivery.message)
            if delivery.delay_s > 0:
                self._outbox.put(came + delivery.delay_s, partial(camera.publish, out))
            else:
                camera.publish(out)

    def _look(self) -> None:
        """Follow the scenario: restart cameras, say what is in force when it changes."""
        active = self._injector.active(self._now()) if self._started is not None else []
        for name, camera in self._cameras.items():
            camera.serve(_service(active, name))
        text = (
            ", ".join(f"{'+'.join(a.planned.cameras)} {a.planned.name}" for a in active) or NOTHING
        )
        if text != self._said:
            self._said = text
            self._active.publish(String(data=text))
            self.get_logger().info(f"faults in force: {text}")


def _service(active: list[Active], camera: Modality) -> Restart | None:
    """The restart a camera is in, if any."""
    for fault in active:
        if camera in fault.planned.cameras and isinstance(fault.planned.fault, Restart):
            return fault.planned.fault
    return None


def main(args: list[str] | None = None) -> int:
    """Run the fault injector until SIGINT or SIGTERM."""
    return run_node(FaultInjectorNode, args)
