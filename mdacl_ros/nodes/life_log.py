"""Which lines the log gets when a camera falls silent, freezes, or comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mdacl_ros.types import MODALITIES, Modality, other_camera

PAUSE_S = 10.0
"""Seconds between two equal lines: a camera that comes and goes must not fill the log."""

FIRST_S = 3.0
"""Seconds after activation from which it is told that a camera has never been heard."""


class Line(NamedTuple):
    """One line for the log.

    Attributes:
        text: What happened.
        warns: Whether it is a warning.
    """

    text: str
    warns: bool


class LifeLog:
    """Compares the cameras' lives with those of the last look.

    Args:
        began: Monotonic seconds of the activation.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._alive: dict[str, bool] = {}
        self._told: dict[str, float] = {}

    def lines(
        self,
        alive: Mapping[str, bool],
        frozen: Mapping[str, bool],
        topics: Mapping[Modality, str],
        now: float,
    ) -> Iterator[Line]:
        """What has changed.

        Args:
            alive: Camera name to whether it counts as alive.
            frozen: Camera name to whether it repeats one picture.
            topics: Camera name to its image topic.
            now: Monotonic seconds.
        """
        for camera in MODALITIES:
            before, here = self._alive.get(camera), alive.get(camera, False)
            if before is None and not here:
                if now - self._began < FIRST_S:
                    continue  # it has time to appear
                text, warns = f"no image has come on {topics[camera]} yet", True
            elif before == here:
                continue
            elif here:
                text, warns = f"{camera} is there" if before is False else "", False
            else:
                what = "repeats one image" if frozen.get(camera, False) else "is silent"
                other = other_camera(camera)
                rest = f"answers rest on {other} alone" if alive.get(other) else "no answers"
                text, warns = f"{camera} ({topics[camera]}) {what}: {rest}", True
            self._alive[camera] = here
            if text and now - self._told.get(text, -PAUSE_S) >= PAUSE_S:
                self._told[text] = now
                yield Line(text, warns)
