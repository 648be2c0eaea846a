"""Runs faults against real processes: cameras -> fault injector -> detector, all over DDS."""

from __future__ import annotations

import bisect
import itertools
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from ..bench import wait_until
from ..cameras import Cameras
from ..process import BLOB_NODE, Process
from .cases import Case

INJECTOR = [*BLOB_NODE[:1], "-m", "mdacl_tools.live.start", "fault_injector_node"]
QUIET_S, FAULT_S, REST_S = 3.0, 2.5, 6.5
"""Seconds before the first fault, of each fault, and after each: diagnostics remember for 5 s."""

PARAMETERS = {"autostart": "true"}
"""Of the detector, where they are not the default."""

START_S = 12.0
"""Seconds that a fault lasts which is there before the detector is active."""

RELIABLE_RGB = """
/**:
  ros__parameters:
    qos_overrides:
      /faulty/rgb/image_raw:
        subscription:
          reliability: reliable
"""
"""Parameter file of a detector that asks for reliable RGB images."""

COMPLAINT = 1
"""Least level of a status that tells of something wrong."""

Status = tuple[int, str]


@dataclass
class Record:
    """What was seen of the detector, by monotonic time in seconds."""

    answers: list[tuple[float, str]] = field(default_factory=list)
    health: list[tuple[float, dict[str, Status], dict[str, str]]] = field(default_factory=list)
    faults: list[tuple[float, str]] = field(default_factory=list)

    def active_at(self) -> float:
        """When the detector first said that it is active; ``inf`` before."""
        told = (time_s for time_s, _, values in self.health if values.get("state") == "active")
        return next(told, float("inf"))

    def windows(self) -> list[tuple[float, float]]:
        """Begin and end of every fault, as the injector told them, while the detector is active."""
        begins = [time_s for time_s, text in self.faults if text != "none"]
        ends = [
            time_s
            for (_, before), (time_s, text) in itertools.pairwise(self.faults)
            if text == "none" and before != "none"
        ]
        active = self.active_at()
        return [(max(begin, active), end) for begin, end in zip(begins, ends, strict=True)]


class Trial:
    """Context manager around the processes; :meth:`run` waits until the scenario is over.

    Args:
        cases: One after the other.
        folder: For the scenario file; also serves as model folder of the blob engine.
        compressed: Whether RGB comes as JPEG and thermal as PNG.
        reliable: Whether the detector asks for reliable RGB images.
        scenario: In place of one fault after the other with a rest between them.
        rgb_rate: Frames per second of the RGB camera; thermal has 9.
    """

    def __init__(
        self,
        cases: list[Case],
        folder: Path,
        *,
        compressed: bool = False,
        reliable: bool = False,
        scenario: dict[str, Any] | None = None,
        rgb_rate: float = 20.0,
    ) -> None:
        self.cases = cases
        self.record = Record()
        self.cameras = Cameras(compressed=compressed, rgb=rgb_rate, thermal=9.0)
        file = folder / "scenario.yaml"
        file.write_text(yaml.safe_dump(scenario or {"faults": _entries(cases)}))
        kind = "compressed" if compressed else "raw"
        transport = {"rgb_transport": kind, "thermal_transport": kind}
        self.injector = Process(INJECTOR, scenario=str(file), **transport)
        remappings = [
            f"{c}/{name}:=/faulty/{c}/{name}"
            for c in ("rgb", "thermal")
            for name in ("image_raw", "image_raw/compressed", "camera_info")
        ]
        command = BLOB_NODE
        if reliable:
            overrides = folder / "reliable.yaml"
            overrides.write_text(RELIABLE_RGB)
            command = [*BLOB_NODE, "--ros-args", "--params-file", str(overrides), "--"]
        self.detector = Process(
            command,
            remappings,
            model=str(folder),
            **PARAMETERS,
            **transport,
        )
        self._listen()

    def __enter__(self) -> Trial:
        self.cameras.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.cameras.__exit__(*error)
        for process in (self.injector, self.detector):
            process.kill()

    def begin(self) -> None:
        """Start streaming once everybody hears everybody, or at once for a fault from the start."""
        if any(case.from_start for case in self.cases):
            self.injector.wait_for("from the first image")
            time.sleep(1.0)  # discovery of the cameras
            self.cameras.stream()
            return
        self.detector.wait_for("active: waiting for /faulty")
        wait_until(lambda: self.record.health, "the first diagnostics")
        time.sleep(1.0)  # discovery between injector and detector is not symmetric
        self.cameras.stream()

    def run(self) -> None:
        """Stream until every fault is over and has had its rest."""
        self.begin()
        expected = len(self.cases)

        def over() -> bool:
            assert self.detector.process.poll() is None, self.detector.log()
            assert self.injector.process.poll() is None, self.injector.log()
            return sum(text == "none" for _, text in self.record.faults) > expected

        wait_until(over, "the end of the scenario", timeout=60 + expected * (FAULT_S + REST_S) * 2)
        time.sleep(REST_S)

    def _listen(self) -> None:
        node, lock = self.cameras.node, threading.Lock()

        def on_dominance(message: DiagnosticArray) -> None:
            present = next(v.value for v in message.status[0].values if v.key == "present")
            with lock:
                self.record.answers.append((time.monotonic(), present))

        def on_health(message: DiagnosticArray) -> None:
            statuses = {
                s.name.rsplit(": ", 1)[1]: (int.from_bytes(s.level, "little"), s.message)
                for s in message.status
            }
            values = {v.key: v.value for s in message.status for v in s.values}
            with lock:
                self.record.health.append((time.monotonic(), statuses, values))

        def on_fault(message: String) -> None:
            with lock:
                self.record.faults.append((time.monotonic(), message.data))

        latched = QoSProfile(depth=50, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(DiagnosticArray, "/detector_node/dominance", on_dominance, 50)
        node.create_subscription(DiagnosticArray, "/diagnostics", on_health, 50)
        node.create_subscription(String, "/fault_injector/active", on_fault, latched)


def _entries(cases: list[Case]) -> list[dict[str, Any]]:
    """The scenario's faults, one after the other."""
    return [
        {
            "at": 0.0 if case.from_start else QUIET_S + number * (FAULT_S + REST_S),
            "for": START_S if case.from_start else FAULT_S,
            "camera": case.camera,
            "fault": case.fault,
            **case.parameters,
        }
        for number, case in enumerate(cases)
    ]


def longest_gap(times: list[float], begin: float, end: float) -> float:
    """Longest time without an event between two times, both ends counted as events."""
    inside = times[bisect.bisect_left(times, begin) : bisect.bisect_right(times, end)]
    edges = [begin, *inside, end]
    return max(after - before for before, after in itertools.pairwise(edges))
