"""Runs a scenario on two streams of messages; knows no clock but the one it is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdacl_ros.types import Modality
from mdacl_tools.live.faults.message import Delivery, ImageData, Past
from mdacl_tools.live.faults.scenario import FaultScenario, PlannedFault


@dataclass(frozen=True, slots=True)
class Active:
    """A fault that is in force: which one, and in which round of the scenario."""

    planned: PlannedFault
    round: int
    age_s: float


class FaultInjector:
    """Applies the faults of a scenario; equal calls give equal deliveries.

    Args:
        scenario: What happens when.
    """

    def __init__(self, scenario: FaultScenario) -> None:
        self.scenario = scenario
        self._random = np.random.default_rng(scenario.seed)
        self._pasts: dict[tuple[int, int, Modality], Past] = {}

    def active(self, now_s: float) -> list[Active]:
        """Faults in force ``now_s`` seconds after the first image, in the scenario's order."""
        repeat = self.scenario.repeat_s
        number = int(now_s // repeat) if now_s >= repeat else 0
        time_s = now_s - number * repeat if number else now_s
        return [
            Active(planned, number, time_s - planned.start_s)
            for planned in self.scenario.faults
            if planned.start_s <= time_s < planned.end_s
        ]

    def take(self, message: ImageData, now_s: float) -> list[Delivery]:
        """Let everything in force befall one message.

        Args:
            message: What the camera sent.
            now_s: Seconds since the first image.

        Returns:
            What goes out and when; the very same message where nothing is in force.
        """
        deliveries = [Delivery(message)]
        present = set()
        for active in self.active(now_s):
            if message.camera not in active.planned.cameras:
                continue
            key = (id(active.planned), active.round, message.camera)
            present.add(key)
            past = self._pasts.setdefault(key, Past(random=self._random))
            past.age_s = active.age_s
            deliveries = [
                Delivery(out.message, given.delay_s + out.delay_s)
                for given in deliveries
                for out in active.planned.fault.apply(given.message, past)
            ]
            past.number += 1
            past.first = past.first or message
            past.previous = deliveries[-1].message if deliveries else message
        self._forget(message.camera, present)
        return deliveries

    def _forget(self, camera: Modality, present: set[tuple[int, int, Modality]]) -> None:
        """Let go of the past of faults that are over; it holds pictures."""
        for key in [k for k in self._pasts if k[2] == camera and k not in present]:
            del self._pasts[key]
