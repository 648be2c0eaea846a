"""A detector node, two cameras and ears for its topics, in one process over real DDS."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image
from std_msgs.msg import Float32
from vision_msgs.msg import Detection2DArray

from mdacl_ros.nodes import messages
from mdacl_ros.nodes.detector_node import DetectorNode

from .blob_engine import BlobFactory

GRAPH_WAIT, GRAPH_TRIES = 5.0, 4
"""Fast DDS now and then, about once in 200 contexts here, never tells a participant of one of its
own endpoints; a new context then hears of it at once."""

DEADLINE = 20.0
"""Seconds a condition is waited for at most; reached only when something is broken."""


class GraphError(AssertionError):
    """DDS has not told an endpoint of another one: the test is tried again (pyproject.toml)."""


RGB_SIZE = (320, 240)
THERMAL_SIZE = (160, 120)
RGB_FRAME, THERMAL_FRAME = "rgb_optical", "thermal_optical"
OBJECT = (80, 60, 160, 180)
"""Where the scene's object is, xyxy in RGB pixels."""

DEFAULTS = {"input_width": 160, "input_height": 128, "reliance_rate": 0.0}


def wait_until(
    condition: Callable[[], Any],
    what: str,
    timeout: float = DEADLINE,
    error: type[AssertionError] = AssertionError,
) -> Any:
    """Wait for a condition to become true and return its value; fail at the deadline."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise error(f"waited {timeout:.0f} s in vain for {what}")
        time.sleep(0.002)
    return value


def rgb_scene(*, bright: bool = True) -> np.ndarray:
    # Detail everywhere: a uniform image shows nothing and counts as absent.
    checks = (np.indices((RGB_SIZE[1], RGB_SIZE[0])) // 16).sum(0) % 2
    image = np.repeat((25 + 30 * checks)[..., None], 3, axis=2).astype(np.uint8)
    if bright:
        x0, y0, x1, y1 = OBJECT
        image[y0:y1, x0:x1] = 250
    return image


def thermal_scene(*, hot: bool = True) -> np.ndarray:
    scale = RGB_SIZE[0] // THERMAL_SIZE[0]
    # A gradient, as sky and ground are: no normalisation may take its noise for an object.
    column = np.linspace(20, 90, THERMAL_SIZE[1], dtype=np.uint8)[:, None]
    image = np.repeat(column, THERMAL_SIZE[0], axis=1)
    if hot:
        x0, y0, x1, y1 = (v // scale for v in OBJECT)
        image[y0:y1, x0:x1] = 255
    return image


def image_message(image: np.ndarray, encoding: str, stamp_ns: int, frame_id: str) -> Image:
    message = messages.to_image(
        np.ascontiguousarray(image).view(np.uint8).reshape(image.shape[0], -1),
        messages.to_header(stamp_ns, frame_id),
    )
    message.width, message.encoding = image.shape[1], encoding
    return message


class Bench:
    """Context manager; the executor spins in a thread of its own."""

    def __init__(self, parameters: dict[str, Any], factory: BlobFactory | None = None) -> None:
        self.factory = factory or BlobFactory()
        self._parameters = DEFAULTS | parameters
        self._build()

    def _build(self) -> None:
        self.context = Context()
        # Best effort would be what cameras use; reliable leaves the tests no lost messages.
        rclpy.init(context=self.context, signal_handler_options=SignalHandlerOptions.NO)
        values = self._parameters
        self.node = DetectorNode(
            engine_factory=self.factory,
            context=self.context,
            parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
        )
        self.tester = Node("tester", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.executor.add_node(self.tester)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self.detections: list[Detection2DArray] = []
        self.dominance: list[dict[str, str]] = []
        self.shares: list[dict[str, str]] = []
        self.mdi: list[float] = []
        self.health: dict[str, tuple[int, str, dict[str, str]]] = {}
        self.health_beats = 0
        self.cameras: dict[str, Any] = {}
        self._clients: dict[str, Any] = {}
        self.listen(Detection2DArray, "/detector_node/detections", self.detections.append)
        self.listen(Float32, "/detector_node/mdi", lambda m: self.mdi.append(m.data))
        self.listen(DiagnosticArray, "/detector_node/dominance", self._on_dominance)
        self.listen(DiagnosticArray, "/diagnostics", self._on_health)

    def __enter__(self) -> Bench:
        for _ in range(GRAPH_TRIES):
            self._thread.start()
            deadline = time.monotonic() + GRAPH_WAIT
            while time.monotonic() < deadline:
                if self._client(ChangeState, "change_state").service_is_ready():
                    return self
                time.sleep(0.002)
            self._tear_down()
            self._build()
        raise GraphError(f"the graph lacks change_state in {GRAPH_TRIES} contexts")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        for engine in self.factory.engines:
            engine.gate.set()
        self._tear_down()

    def _tear_down(self) -> None:
        self._stop.set()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "the executor's thread hangs"
        self.executor.shutdown()
        self.node.destroy_node()
        self.tester.destroy_node()
        rclpy.shutdown(context=self.context)

    def listen(
        self, kind: type, topic: str, callback: Callable[[Any], None], qos: QoSProfile | int = 50
    ) -> Any:
        return self.tester.create_subscription(kind, topic, callback, qos)

    def activate(self) -> None:
        """Configure and activate through the lifecycle services, and connect the cameras."""
        self.activate_without_cameras()
        self.connect_cameras()
        ears = [p for p in self.node.publishers if p.topic_name.endswith(("detections", "mdi"))]
        wait_until(
            lambda: all(p.get_subscription_count() for p in ears),
            "the tester hears the results",
            error=GraphError,
        )

    def activate_without_cameras(self) -> None:
        assert self.change_state(Transition.TRANSITION_CONFIGURE), self.node.configure_error
        assert self.change_state(Transition.TRANSITION_ACTIVATE), self.node.configure_error

    def connect_cameras(self, kind: type = Image, suffix: str = "") -> None:
        for camera in ("rgb", "thermal"):
            topic = f"{camera}/image_raw{suffix}"
            if camera not in self.cameras:
                self.cameras[camera] = self.tester.create_publisher(kind, topic, 10)
            publisher = self.cameras[camera]
            wait_until(
                lambda p=publisher: p.get_subscription_count() == 1,
                f"{topic} connects",
                error=GraphError,
            )

    def publish(
        self, camera: str, stamp_ns: int, image: np.ndarray | None = None, encoding: str = ""
    ) -> None:
        if camera == "rgb":
            scene = rgb_scene() if image is None else image
            message = image_message(scene, encoding or "rgb8", stamp_ns, RGB_FRAME)
        else:
            scene = thermal_scene() if image is None else image
            message = image_message(scene, encoding or "mono8", stamp_ns, THERMAL_FRAME)
        self.cameras[camera].publish(message)

    def publish_pair(self, stamp_ns: int, skew_ns: int = 0) -> None:
        self.publish("thermal", stamp_ns + skew_ns)
        self.publish("rgb", stamp_ns)

    def wait_for_stamp(self, stamp_ns: int) -> Detection2DArray:
        def find() -> Detection2DArray | None:
            for message in list(self.detections):
                if messages.to_nanoseconds(message.header.stamp) == stamp_ns:
                    return message
            return None

        return wait_until(find, f"detections with stamp {stamp_ns}")

    def stamps(self) -> list[int]:
        return [messages.to_nanoseconds(m.header.stamp) for m in list(self.detections)]

    def counts(self) -> Counter[str]:
        """The node's counters now, without waiting for the next beat."""
        session = self.node.session
        assert session is not None
        return Counter({**session.statistics.counts(), **session.synchronizer_state().counts})

    def output(self, name: str) -> Any:
        """One of the node's publishers."""
        return next(p for p in self.node.publishers if p.topic_name == f"/detector_node/{name}")

    def synchronizer_alive(self, camera: str) -> bool:
        assert self.node.session is not None
        return self.node.session.synchronizer_state().alive[camera]

    def wait_for_health(self, part: str, condition: Callable[..., bool], what: str) -> Any:
        """Wait for a status on /diagnostics for which ``condition(level, message, values)``."""

        def find() -> Any:
            status = self.health.get(part)
            return status if status is not None and condition(*status) else None

        return wait_until(find, f"diagnostics: {what}; last: {self.health.get(part)}")

    def change_state(self, transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return bool(self.call(ChangeState, "change_state", request).success)

    def state(self) -> str:
        return str(self.call(GetState, "get_state", GetState.Request()).current_state.label)

    def set_parameter(self, name: str, value: Any) -> tuple[bool, str]:
        request = SetParameters.Request(
            parameters=[Parameter(name, value=value).to_parameter_msg()]
        )
        result = self.call(SetParameters, "set_parameters", request).results[0]
        return bool(result.successful), str(result.reason)

    def call(self, kind: type, name: str, request: Any) -> Any:
        """Call a service of the detector node and wait for the answer."""
        client = self._client(kind, name)
        wait_until(client.service_is_ready, f"service {name}", error=GraphError)
        future = client.call_async(request)
        wait_until(future.done, f"answer of {name}")
        return future.result()

    def _client(self, kind: type, name: str) -> Any:
        if name not in self._clients:
            self._clients[name] = self.tester.create_client(kind, f"/detector_node/{name}")
        return self._clients[name]

    def _spin(self) -> None:
        while not self._stop.is_set():
            self.executor.spin_once(timeout_sec=0.05)

    def _on_dominance(self, message: DiagnosticArray) -> None:
        frame, each = message.status
        self.dominance.append({v.key: v.value for v in frame.values})
        self.shares.append({v.key: v.value for v in each.values})

    def _on_health(self, message: DiagnosticArray) -> None:
        for status in message.status:
            part = status.name.rsplit(": ", 1)[1]
            level = int.from_bytes(status.level, "little")
            self.health[part] = (level, status.message, {v.key: v.value for v in status.values})
        self.health_beats += 1
