"""Which lines the log gets when a camera falls silent, freezes, or comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mdacl_ros.types import MODALITIES, Modality, other_camera

PAUSE_S = 10.0
"""Seconds between two lines of one kind: a camera that comes and goes must not fill the log. What
is still so behind the pause is told then."""

FIRST_S = 3.0
"""Seconds after activation from which it is told that a camera has never been heard."""

SURE_S = 0.3
"""Seconds that something has to be so before it is told: when a bag loops, or a clock is set, both
cameras begin anew and are dead for a moment."""

ALIVE, NEVER, FROZEN, GONE = "alive", "never", "frozen", "gone"


class Line(NamedTuple):
    """One line for the log.

    Attributes:
        text: What happened.
        warns: Whether it is a warning.
    """

    text: str
    warns: bool


class LifeLog:
    """Compares the cameras' lives with what was told of them last.

    Args:
        began: Monotonic seconds of the activation.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._last: dict[Modality, str] = {}
        self._since: dict[Modality, tuple[str, float]] = {}
        self._told: dict[tuple[Modality, str], float] = {}

    def lines(
        self,
        alive: Mapping[str, bool],
        frozen: Mapping[str, bool],
        topics: Mapping[Modality, str],
        now: float,
    ) -> Iterator[Line]:
        """What has changed.

        Args:
            alive: Camera name to whether it delivers frames that are used.
            frozen: Camera name to whether it repeats one picture.
            topics: Camera name to its image topic.
            now: Monotonic seconds.
        """
        for camera in MODALITIES:
            last = self._last.get(camera)
            state = self._state(camera, alive, frozen)
            if state == last:
                self._since.pop(camera, None)
                continue
            if last is None and state == ALIVE:
                self._last[camera] = state  # as it has to be: no news
                continue
            if self._since.get(camera, ("", 0.0))[0] != state:
                self._since[camera] = state, now
            if now - self._since[camera][1] < SURE_S:
                continue
            if state == NEVER and now - self._began < FIRST_S:
                continue
            if now - self._told.get((camera, state), -PAUSE_S) >= PAUSE_S:
                self._last[camera], self._told[camera, state] = state, now
                yield _line(camera, state, topics[camera], alive)

    def _state(
        self, camera: Modality, alive: Mapping[str, bool], frozen: Mapping[str, bool]
    ) -> str:
        if alive.get(camera, False):
            return ALIVE
        if frozen.get(camera, False):
            return FROZEN
        return GONE if self._last.get(camera, NEVER) != NEVER else NEVER


def _line(camera: Modality, state: str, topic: str, alive: Mapping[str, bool]) -> Line:
    if state == ALIVE:
        return Line(f"{camera} recovered", warns=False)
    if state == NEVER:
        return Line(f"no usable image has arrived on {topic} yet", warns=True)
    what = "repeats one image" if state == FROZEN else "has no usable frames"
    other = other_camera(camera)
    rest = f"only {other} is left" if alive.get(other) else "no camera is left"
    return Line(f"{camera} ({topic}) {what}: {rest}", warns=True)
