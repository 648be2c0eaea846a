"""Alarms over time: detections that rest on one camera, gates that are stuck."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping

from mdacl_ros.health.status_part import ERROR, OK, WARN, Part, judged
from mdacl_ros.pipeline.reliance import LEAST_HOLD_S, reliance_of
from mdacl_ros.types import MODALITIES, DominanceReading, Modality, other_camera

ALARM_EVIDENCE = 1.0
"""Mean evidence below which no alarm rises: one weak detection rests on one camera by chance."""

CLOSED, OPEN = 0.1, 1.9
"""Mean gates up to which a camera is shut out, and from which it is amplified as far as it goes."""

STALE_S = 2.0
"""Seconds without an answer after which nothing is said of the gates."""

STUCK_S = 3.0
"""Seconds at either end after which a gate counts as collapsed."""


class RelianceWatch:
    """Reliance over the last measurements, and the alarm when detections rest on one camera.

    Measurements are averaged by evidence, so that a frame in which little is seen weighs little.
    """

    def __init__(self) -> None:
        self._measured: deque[tuple[float, tuple[float, float, float]]] = deque()
        self._alarm = False

    def update(self, reading: DominanceReading, present: tuple[bool, bool], now: float) -> None:
        """Take a frame; only measurements with both cameras count.

        Args:
            reading: Of the frame.
            present: Which cameras took part.
            now: Monotonic seconds.
        """
        if not all(present):
            self._measured.clear()
        elif reading.evidence is not None:
            self._measured.append((now, reading.evidence))

    def part(
        self,
        now: float,
        warn: float,
        hysteresis: float,
        troubles: Mapping[Modality, str],
        window_s: float = LEAST_HOLD_S,
    ) -> Part:
        """The status, seen from monotonic second ``now``.

        Args:
            now: Monotonic seconds.
            warn: |reliance| from which it warns.
            hysteresis: How far below that it stops.
            troubles: What is wrong with a camera's own images, by camera.
            window_s: Seconds over which it averages, see :func:`.pipeline.reliance.hold_s`.
        """
        while self._measured and now - self._measured[0][0] > window_s:
            self._measured.popleft()
        values: dict[str, object] = {"reliance_warn": warn}
        if not self._measured:
            self._alarm = False
            return OK, "not measured with both cameras", values
        seen = [evidence for _, evidence in self._measured]
        both, rgb, thermal = (sum(column) / len(seen) for column in zip(*seen, strict=True))
        reliance = reliance_of(both, rgb, thermal)
        values["evidence"] = both
        if reliance is None:
            self._alarm = False
            return OK, "nothing seen", values
        values["reliance"] = reliance
        bound = warn - hysteresis if self._alarm else warn
        self._alarm = abs(reliance) >= bound and both >= (0 if self._alarm else ALARM_EVIDENCE)
        if not self._alarm:
            return OK, f"reliance {reliance:+.2f}", values
        camera: Modality = "rgb" if reliance > 0 else "thermal"
        line = f"detections rest on {camera} alone (reliance {reliance:+.2f})"
        if trouble := troubles.get(camera):
            return ERROR, f"{line}, and {trouble}", values
        return WARN, f"{line}: look at the image of {other_camera(camera)}", values


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
            return OK, "no recent results", {}
        gates, since = self._gates, self._since
        values: dict[str, object] = {f"mean_gate_{camera}": gate for camera, gate in gates.items()}
        stuck = {camera: now - then for camera, then in since.items() if now - then >= STUCK_S}
        values |= {f"gate_stuck_{camera}_s": seconds for camera, seconds in stuck.items()}
        remarks = [_stuck(camera, gates, seconds) for camera, seconds in stuck.items()]
        return judged(remarks, [], "gates move" if gates else "no recent results", values)


def _stuck(camera: Modality, gates: Mapping[Modality, float], seconds: float) -> str:
    """One line about a collapsed gate."""
    gate = gates.get(camera, 0.0)
    how = "shuts it out" if gate <= CLOSED else "amplifies it as far as it goes"
    return (
        f"the {camera} gate is at {gate:.2f} for {seconds:.0f} s and {how}: look at that camera's "
        "image and at the calibration; if both are good the model does not fit the scene"
    )
