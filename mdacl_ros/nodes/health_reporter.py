"""Publishes a node's /diagnostics: once per second, and at once when they say something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from std_msgs.msg import Header

from mdacl_ros.health.status_part import Part
from mdacl_ros.nodes import messages, topics
from mdacl_ros.nodes.heartbeat import Heartbeat
from mdacl_ros.nodes.qos_overrides import overridable

Gist = tuple[tuple[bytes, str], ...]


class HealthReporter:
    """Beats from construction until :meth:`stop`, whatever the executor is busy with.

    Args:
        node: Publishes.
        parts: Judges the node at this moment; called from a thread, several times a second.
        statuses: Makes the messages of it.
        look_after: Called several times a second from the same thread.
    """

    def __init__(
        self,
        node: Node,
        parts: Callable[[], Iterable[Part]],
        statuses: Callable[[], list[DiagnosticStatus]],
        look_after: Callable[[], None],
    ) -> None:
        self._node, self._parts = node, parts
        self._statuses, self._look_after = statuses, look_after
        self._told: Gist = ()
        self._error = ""
        with overridable(topics.DIAGNOSTICS) as overrides:
            self._publisher = node.create_publisher(
                DiagnosticArray,
                topics.DIAGNOSTICS,
                topics.reliable_results(),
                qos_overriding_options=overrides,
            )
        self._heartbeat = Heartbeat(self.publish, self._watch, self._failed)

    def publish(self) -> None:
        """Publish the statuses now."""
        if not self._node.context.ok():
            return
        statuses = self._statuses()
        self._told = gist((status.level, status.message) for status in statuses)
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._publisher.publish(messages.to_diagnostics(header, statuses))

    def stop(self) -> None:
        """End the beats and publish once more."""
        self._heartbeat.stop()
        self.publish()

    def _watch(self) -> bool:
        """Look after the node; whether its statuses cannot wait for the next full second."""
        self._look_after()
        return gist((level, text) for level, text, _ in self._parts()) != self._told

    def _failed(self, error: Exception) -> None:
        """Say once that diagnostics cannot be made; they are tried again."""
        line = f"diagnostics failed: {type(error).__name__}: {error}"
        if line != self._error and self._node.context.ok():
            self._error = line
            self._node.get_logger().error(line)


def gist(judged: Iterable[tuple[bytes, str]]) -> Gist:
    """What levels and messages say, without the numbers, which always change."""
    return tuple((level, re.sub(r"[\d.]+", "#", message)) for level, message in judged)
