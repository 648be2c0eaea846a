"""Alarms over time: MDI bounds with hysteresis, gates that are stuck."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mdacl_ros.health.status_part import ERROR, OK, WARN, Part, judged
from mdacl_ros.types import MODALITIES, Modality

CLOSED, OPEN = 0.1, 1.9
"""Mean gates up to which a camera is shut out, and from which it is amplified as far as it goes."""

STALE_S = 2.0
"""Seconds without an answer after which nothing is said of the gates."""

STUCK_S = 3.0
"""Seconds at either end after which a gate counts as collapsed."""


class MdiAlarm:
    """The level of |MDI|: rises at its bound, falls only ``hysteresis`` below it."""

    def __init__(self) -> None:
        self.level: bytes = OK

    def update(self, mdi: float | None, warn: float, error: float, hysteresis: float) -> bytes:
        """Take the newest mean.

        Args:
            mdi: In [-1, 1]; ``None`` without recent answers clears the alarm.
            warn: |MDI| from which it warns.
            error: |MDI| from which it is an error.
            hysteresis: How far below a bound the level falls again.
        """
        value = -1.0 if mdi is None else abs(mdi)
        if self.level >= ERROR:
            error -= hysteresis
        if self.level >= WARN:
            warn -= hysteresis
        self.level = ERROR if value >= error else WARN if value >= warn else OK
        return self.level


class GateWatch:
    """Notices calibration gates that stay at an end of their range."""

    def __init__(self) -> None:
        self._gates: dict[Modality, float] = {}
        self._since: dict[Modality, float] = {}
        self._seen_at = -math.inf

    def update(self, gates: tuple[float, float], present: tuple[bool, bool], now: float) -> None:
        """Take the mean gates of one answer; a camera that is absent is closed by design.

        Args:
            gates: (rgb, thermal), 1 is neutral.
            present: Which cameras took part.
            now: Monotonic seconds.
        """
        since: dict[Modality, float] = {}
        for camera, gate, here in zip(MODALITIES, gates, present, strict=True):
            if here and not CLOSED < gate < OPEN:
                since[camera] = self._since.get(camera, now)
        self._gates = {c: g for c, g, p in zip(MODALITIES, gates, present, strict=True) if p}
        self._since, self._seen_at = since, now

    def part(self, now: float) -> Part:
        """The status of the gates, seen from monotonic second ``now``."""
        if now - self._seen_at > STALE_S:
            return OK, "no recent answers", {}
        gates, since = self._gates, self._since
        values: dict[str, object] = {f"mean_gate_{camera}": gate for camera, gate in gates.items()}
        stuck = {camera: now - then for camera, then in since.items() if now - then >= STUCK_S}
        values |= {f"gate_stuck_{camera}_s": seconds for camera, seconds in stuck.items()}
        remarks = [_stuck(camera, gates, seconds) for camera, seconds in stuck.items()]
        return judged(remarks, [], "gates move" if gates else "no recent answers", values)


def _stuck(camera: Modality, gates: Mapping[Modality, float], seconds: float) -> str:
    """One line about a collapsed gate."""
    gate = gates.get(camera, 0.0)
    how = "shuts it out" if gate <= CLOSED else "amplifies it as far as it goes"
    return (
        f"the {camera} gate is at {gate:.2f} for {seconds:.0f} s and {how}: look at that camera's "
        "picture and at the calibration; if both are good the model does not fit the scene"
    )
