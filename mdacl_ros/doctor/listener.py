"""Listens to a running system and describes it as plain data."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import GetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from vision_msgs.msg import Detection2DArray

from mdacl_ros.config.parameters import SPECS
from mdacl_ros.doctor.view import CameraView, SystemView
from mdacl_ros.errors import ImageError
from mdacl_ros.nodes import markers, topics
from mdacl_ros.nodes.messages import to_nanoseconds
from mdacl_ros.nodes.node_creation import refusals_in_one_line
from mdacl_ros.nodes.qos_overrides import qos_conflict
from mdacl_ros.sensing.camera_info import camera_model
from mdacl_ros.sensing.images import image_frame
from mdacl_ros.types import MODALITIES, Modality

DISCOVERY_S = 1.5
"""Seconds given to DDS to find everybody, before anything is judged."""

SHARED = ("/rosout", "/parameter_events")
"""Topics that every node publishes; nobody's answers."""

PATIENCE_S = 6.0
"""Seconds given to a node to be found, to its diagnostics to come, and to it to tell its
parameters; a busy machine needs them."""


def observe(name: str, seconds: float) -> SystemView:
    """Join the graph, listen, leave.

    Args:
        name: Full name of the detector node, e.g. ``/robot/detector_node``.
        seconds: How long to listen to images.
    """
    context = Context()
    with refusals_in_one_line("doctor: ROS"):
        rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        with refusals_in_one_line("doctor: ROS"):
            listener = _Listener(name, context)
        try:
            return listener.observe(seconds)
        finally:
            listener.close()
    finally:
        rclpy.shutdown(context=context)


class _Listener:
    """A node of our own with ears for the detector and its cameras."""

    def __init__(self, name: str, context: Context) -> None:
        self._target = name
        self._node = Node("mdacl_doctor", context=context, use_global_arguments=False)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self._node)
        self._health: dict[str, tuple[int, str, dict[str, str]]] = {}
        self._answers = 0

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()

    def observe(self, seconds: float) -> SystemView:
        """Find the detector, ask for its parameters, listen to it and its cameras."""
        self.hear(DiagnosticArray, topics.DIAGNOSTICS, self._on_health)
        self._spin(DISCOVERY_S)
        parameters = {}
        # Where others are, it is likelier to be misnamed than late.
        patience = DISCOVERY_S if self._others() else PATIENCE_S
        self._spin_until(lambda: self._count() > 0, time.monotonic() + patience)
        if self._count():  # it tells of itself once per second; its topics may be remapped
            self._spin_until(lambda: "cameras" in self._health, time.monotonic() + PATIENCE_S)
            parameters = self._parameters()
        ears = {camera: _CameraEars(self, camera, *self._topic(camera)) for camera in MODALITIES}
        found = topics.DETECTIONS.replace("~", self._target)
        self.hear(Detection2DArray, found, self._on_answer)
        self._spin(seconds)
        if self._count():  # what a busy machine has not told of endpoints yet
            late = time.monotonic() + DISCOVERY_S
            self._spin_until(lambda: all(self.hears(self._topic(c)[0]) for c in MODALITIES), late)
        return SystemView(
            node=self._target,
            nodes=self._count(),
            seconds=seconds,
            cameras={camera: ear.view() for camera, ear in ears.items()},
            answers=self._answers,
            deaf=self._deaf(),
            health=self._health,
            parameters=parameters,
            others=self._others(),
        )

    def now_ns(self) -> int:
        """This machine's time on the clock that stamps are made with."""
        return int(self._node.get_clock().now().nanoseconds)

    def hears(self, topic: str) -> bool:
        """Whether the detector has a subscription to a topic."""
        return bool(self._of_target(self._node.get_subscriptions_info_by_topic(topic)))

    def _deaf(self) -> tuple[str, ...]:
        """Listeners to the detector's answers whose QoS keeps them from them."""
        if self._target not in self._names():
            return ()
        mine = self._node.get_publisher_names_and_types_by_node(*_split(self._target))
        return tuple(
            f"{_full_name(end)} on {topic}: {conflict}"
            for topic, _ in mine
            if topic not in SHARED
            for end in self._node.get_subscriptions_info_by_topic(topic)
            for offer in self._of_target(self._node.get_publishers_info_by_topic(topic))
            if (conflict := qos_conflict(offer.qos_profile, end.qos_profile))
        )

    def mismatches(self, topic: str) -> tuple[str, ...]:
        """Publishers whose QoS the detector's subscription cannot take."""
        wanted = self._of_target(self._node.get_subscriptions_info_by_topic(topic))
        return tuple(
            f"{_full_name(end)}: {conflict}"
            for end in self._node.get_publishers_info_by_topic(topic)
            for ours in wanted
            if (conflict := qos_conflict(end.qos_profile, ours.qos_profile))
        )

    def _of_target(self, ends: list[Any]) -> list[Any]:
        """Those of a topic's endpoints that are the detector's."""
        return [end for end in ends if _full_name(end) == self._target]

    def publishers(self, topic: str) -> tuple[tuple[str, str], ...]:
        """(node, message type) of each publisher."""
        ends = self._node.get_publishers_info_by_topic(topic)
        return tuple((_full_name(end), str(end.topic_type)) for end in ends)

    def hear(self, kind: type, topic: str, callback: Callable[[Any], None]) -> None:
        """Subscribe as the most tolerant listener there is."""
        self._node.create_subscription(kind, topic, callback, topics.sensor_data(depth=20))

    def _spin(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=min(left, 0.1))

    def _spin_until(self, done: Callable[[], bool], deadline: float) -> bool:
        """Listen until something is done, or until monotonic time ``deadline``."""
        while not done() and time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=0.1)
        return done()

    def _names(self) -> list[str]:
        """Full names of all nodes."""
        found = self._node.get_node_names_and_namespaces()
        return [_joined(space, name) for name, space in found]

    def _count(self) -> int:
        """How many nodes have the target's name."""
        return self._names().count(self._target)

    def _others(self) -> tuple[str, ...]:
        """Detector nodes of other names."""
        ours = (name for name in self._names() if name.endswith(f"/{topics.NODE_NAME}"))
        return tuple(sorted({name for name in ours if name != self._target}))

    def _topic(self, camera: Modality) -> tuple[str, bool]:
        """The camera's image topic, and whether the node tells it; else that without remapping."""
        told = self._health.get("cameras", (0, "", {}))[2].get(f"topic_{camera}", "")
        space = self._target.rsplit("/", 1)[0]
        return told or f"{space}/{topics.IMAGE_TOPICS[camera]}", bool(told)

    def _parameters(self) -> dict[str, object]:
        """The detector's parameters; empty if it does not answer (it may be building)."""
        client: Any = self._node.create_client(GetParameters, f"{self._target}/get_parameters")
        deadline = time.monotonic() + PATIENCE_S
        if not self._spin_until(client.service_is_ready, deadline):
            return {}
        deadline = time.monotonic() + PATIENCE_S
        names = [*SPECS, "use_sim_time"]
        future = client.call_async(GetParameters.Request(names=names))
        self._spin_until(future.done, deadline)
        answer = future.result() if future.done() else None
        if answer is None or len(answer.values) != len(names):
            return {}
        return {
            name: parameter_value_to_python(value)
            for name, value in zip(names, answer.values, strict=True)
            if value.type != ParameterType.PARAMETER_NOT_SET
        }

    def _on_health(self, message: DiagnosticArray) -> None:
        for status in message.status:
            node, _, part = status.name.partition(": ")
            if node == self._target:
                values = {pair.key: pair.value for pair in status.values}
                level = int.from_bytes(status.level, "little")
                self._health[part] = (level, status.message, values)

    def _on_answer(self, _message: Detection2DArray) -> None:
        self._answers += 1


class _CameraEars:
    """Listens to one camera's images and camera_info."""

    def __init__(self, listener: _Listener, camera: Modality, topic: str, told: bool) -> None:
        self._listener, self._topic, self._told = listener, topic, told
        self._stamps: list[int] = []
        self._arrivals: list[int] = []
        self._encodings: set[str] = set()
        self._size: tuple[int, int] | None = None
        self._bytes = 0
        self._info: CameraInfo | None = None
        self._frame_id = self._refused = ""
        self._camera: Modality = camera
        types = {kind for _, kind in listener.publishers(topic)}
        only_compressed = types == {topics.IMAGE_TYPES["compressed"]}
        self._compressed = topic.endswith("/compressed") or only_compressed
        listener.hear(CompressedImage if self._compressed else Image, topic, self._on_image)
        folder = topic.removesuffix("/compressed").rsplit("/", 1)[0]
        listener.hear(CameraInfo, f"{folder}/camera_info", self._on_info)

    def view(self) -> CameraView:
        """What was heard."""
        info = self._info
        publishers = self._listener.publishers(self._topic)
        return CameraView(
            topic=self._topic,
            told=self._told,
            heard=self._listener.hears(self._topic),
            publishers=tuple(name for name, _ in publishers),
            types=frozenset(kind for _, kind in publishers),
            mismatched=self._listener.mismatches(self._topic),
            stamps_ns=tuple(self._stamps),
            arrivals_ns=tuple(self._arrivals),
            encodings=frozenset(self._encodings),
            size=self._size,
            image_bytes=self._bytes,
            compressed=self._compressed,
            info_size=None if info is None else camera_model(info, self._size)[0].size,
            info_fault="" if info is None else markers.unusable(info, self._size),
            frame_id=self._frame_id,
            info_frame_id=None if info is None else info.header.frame_id,
            refused=self._refused,
        )

    def _on_image(self, message: Image | CompressedImage) -> None:
        self._stamps.append(to_nanoseconds(message.header.stamp))
        self._arrivals.append(self._listener.now_ns())
        self._bytes = len(message.data)
        self._frame_id = message.header.frame_id
        if isinstance(message, Image):
            self._encodings.add(message.encoding)
            self._size = (message.width, message.height)
        else:
            self._encodings.add(message.format)
            if not self._size and not self._refused:  # one is decoded: a format says little
                self._look_at(message)

    def _look_at(self, message: CompressedImage) -> None:
        """Decode an image: its size, or why the detector cannot read it."""
        try:
            height, width = image_frame(message, self._camera).image.shape[:2]
            self._size = (width, height)
        except ImageError as error:
            self._refused = str(error)

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message


def _joined(space: str, name: str) -> str:
    return f"{space.rstrip('/')}/{name}"


def _split(full_name: str) -> tuple[str, str]:
    """Node name and namespace."""
    space, _, name = full_name.rpartition("/")
    return name, space or "/"


def _full_name(end: Any) -> str:
    """Full name of the node behind a topic endpoint."""
    return _joined(end.node_namespace, end.node_name)
