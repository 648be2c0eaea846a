"""ROS node that listens to the detector: every answer, and its newest diagnostics."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from vision_msgs.msg import Detection2DArray

from mdacl_ros.nodes import topics
from mdacl_ros.nodes.messages import to_nanoseconds
from mdacl_ros.nodes.node_creation import refusals_in_one_line
from mdacl_ros.types import LABELS
from mdacl_tools.live.run_log import Answer

QUEUE_DEPTH = 200


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """The detector's newest diagnostics.

    Attributes:
        values: Key/values of all its statuses.
        warnings: Messages of statuses above OK.
        number: How many diagnostics arrived so far; 0 before the first.
        time_s: Monotonic time of arrival.
    """

    values: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    number: int = 0
    time_s: float = 0.0

    @property
    def state(self) -> str:
        """Lifecycle state, empty before the first diagnostics."""
        return self.values.get("state", "")

    def count(self, name: str) -> int:
        """A counter; 0 while unknown."""
        return int(float(self.values.get(name, "0")))

    def number_of(self, name: str) -> float | None:
        """A measured value, ``None`` while unknown."""
        return float(self.values[name]) if name in self.values else None

    def drops(self) -> dict[str, int]:
        """Drop counters above 0, by cause."""
        prefix = "dropped_"
        counts = {
            k.removeprefix(prefix): self.count(k) for k in self.values if k.startswith(prefix)
        }
        return {cause: n for cause, n in counts.items() if n}


class Monitor(Node):
    """Records what the detector publishes; read it from any thread.

    Args:
        detector: Fully qualified name of the detector node.
    """

    def __init__(self, detector: str = f"/{topics.NODE_NAME}") -> None:
        super().__init__("monitor")
        self._detector = detector
        self._lock = threading.Lock()
        self._detections: dict[int, Detection2DArray] = {}
        self._values: dict[int, dict[str, str]] = {}
        self._labels = list(LABELS)
        self._status = NodeStatus()
        qos = topics.reliable_results(QUEUE_DEPTH)
        names = [name.replace("~", detector) for name in (topics.DETECTIONS, topics.DOMINANCE)]
        self._topics = names
        self.create_subscription(Detection2DArray, names[0], self._on_detections, qos)
        self.create_subscription(DiagnosticArray, names[1], self._on_dominance, qos)
        self.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, self._on_diagnostics, qos)

    @property
    def status(self) -> NodeStatus:
        """The newest diagnostics."""
        return self._status

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names by label number; classes unknown to this package come last."""
        return tuple(self._labels)

    @property
    def answer_count(self) -> int:
        """Number of Detection2DArray messages with different stamps so far."""
        return len(self._detections)

    @property
    def connected(self) -> bool:
        """Whether the detector's output topics have been discovered."""
        return all(self.count_publishers(name) for name in self._topics)

    @property
    def first_stamp_ns(self) -> int:
        """Stamp of the first answer, 0 before it."""
        with self._lock:
            return next(iter(self._detections), 0)

    def newest(self, count: int) -> list[Answer]:
        """The newest answers, oldest first."""
        with self._lock:
            stamps = list(self._detections)[-count:]
            return [self._answer(stamp) for stamp in stamps]

    def answers(self) -> list[Answer]:
        """All answers in the order of their stamps."""
        with self._lock:
            return [self._answer(stamp) for stamp in sorted(self._detections)]

    def _answer(self, stamp: int) -> Answer:
        found = self._detections[stamp].detections
        boxes = np.zeros((len(found), 4), np.float32)
        for row, detection in zip(boxes, found, strict=True):
            center, box = detection.bbox.center.position, detection.bbox
            half_x, half_y = box.size_x / 2, box.size_y / 2
            row[:] = center.x - half_x, center.y - half_y, center.x + half_x, center.y + half_y
        best = [detection.results[0].hypothesis for detection in found]
        return Answer(
            stamp_ns=stamp,
            boxes=boxes,
            scores=np.array([h.score for h in best], np.float32),
            labels=np.array([self._label(h.class_id) for h in best], np.int64),
            values=self._values.get(stamp, {}),
        )

    def _label(self, name: str) -> int:
        if name not in self._labels:
            self._labels.append(name)
        return self._labels.index(name)

    def _on_detections(self, message: Detection2DArray) -> None:
        with self._lock:
            self._detections[to_nanoseconds(message.header.stamp)] = message

    def _on_dominance(self, message: DiagnosticArray) -> None:
        values = {pair.key: pair.value for status in message.status for pair in status.values}
        with self._lock:
            self._values[to_nanoseconds(message.header.stamp)] = values

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        ours = [s for s in message.status if s.name.startswith(f"{self._detector}:")]
        if ours:
            self._status = NodeStatus(
                values={pair.key: pair.value for status in ours for pair in status.values},
                warnings=tuple(s.message for s in ours if s.level != s.OK),
                number=self._status.number + 1,
                time_s=time.monotonic(),
            )


@contextlib.contextmanager
def monitoring() -> Iterator[Monitor]:
    """A :class:`Monitor` that spins in a thread of its own; signals stay the caller's."""
    with refusals_in_one_line("ROS"):
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        monitor = Monitor()
    executor = SingleThreadedExecutor()
    executor.add_node(monitor)

    def spin() -> None:
        with contextlib.suppress(ExternalShutdownException):
            executor.spin()

    thread = threading.Thread(target=spin, name="monitor")
    thread.start()
    try:
        yield monitor
    finally:
        executor.shutdown()
        thread.join()
        monitor.destroy_node()
        rclpy.try_shutdown()
