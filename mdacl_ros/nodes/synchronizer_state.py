"""The synchronizer as diagnostics see it, and the clock it runs on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rclpy.node import Node

from mdacl_ros.sensing.synchronizer import PairSynchronizer
from mdacl_ros.types import MODALITIES


@dataclass(frozen=True)
class SynchronizerState:
    """The synchronizer at one moment.

    Attributes:
        alive: Camera name to whether it counts as alive.
        counts: Counters: ``pairs``, ``single_rgb``, ``single_thermal``, ``clock_resets``,
            ``dropped_<cause>_<camera>``.
        skew_ms: Newest pair's thermal minus RGB stamp in ms, ``None`` before the first pair.
    """

    alive: dict[str, bool]
    counts: dict[str, int]
    skew_ms: float | None


def read_synchronizer(synchronizer: PairSynchronizer, now_ns: int) -> SynchronizerState:
    """Read the synchronizer at the time of its clock; the caller holds its lock."""
    counters, skew_ns = synchronizer.counters, synchronizer.last_skew_ns
    counts = {name: getattr(counters, name) for name in ("pairs", "single_rgb", "single_thermal")}
    counts["clock_resets"] = counters.clock_resets
    for camera, causes in counters.dropped.items():
        counts |= {f"dropped_{cause}_{camera}": count for cause, count in causes.items()}
    return SynchronizerState(
        alive={camera: synchronizer.alive(camera, now_ns) for camera in MODALITIES},
        counts=counts,
        skew_ms=None if skew_ns is None else skew_ns / 1e6,
    )


def clock_of(node: Node) -> Callable[[], int]:
    """The clock that decides who is alive, in ns: simulated time if the node uses it.

    Otherwise monotonic time, which an NTP step cannot set back.
    """
    if node.get_parameter("use_sim_time").value:
        clock = node.get_clock()
        return lambda: int(clock.now().nanoseconds)
    return time.monotonic_ns
