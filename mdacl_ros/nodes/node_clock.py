"""The clock that a node's cameras are judged by."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.node import Node


def clock_of(node: Node) -> Callable[[], int]:
    """The clock that decides who is alive, in ns: simulated time if the node uses it.

    Otherwise monotonic time, which an NTP step cannot set back.
    """
    if node.get_parameter("use_sim_time").value:
        clock = node.get_clock()
        return lambda: int(clock.now().nanoseconds)
    return time.monotonic_ns
