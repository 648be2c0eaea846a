"""Whether the two cameras' frames find each other: a node whose cameras live must not be silent."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from mdacl_ros.config.parameters import SPECS
from mdacl_ros.health.status_part import ERROR, WARN

STARVED_AFTER = 0.3
"""Seconds without a pair, both cameras alive, from which the status is an error."""

WINDOW_S, SHORTEST_S = 5.0, 4.0
"""Seconds over which the share of lost RGB frames is taken, and the fewest that tell something: a
camera that appears or dies costs ``partner_timeout`` of frames, which is no reason to warn."""

LOST_SHARE = 0.2
"""Share of RGB frames without a partner from which the status warns."""


@dataclass(frozen=True)
class Pairing:
    """How well the frames of the two cameras meet.

    Attributes:
        starved_s: Seconds since pairs stopped going out although both cameras are alive, else 0.
        lost_share: Share of the newest RGB frames that found no partner, in [0, 1].
        unpaired_skew_ms: Thermal minus RGB stamp, offset added, where the last one found none.
        max_skew_ms: Largest skew of a pair.
        thermal_clock_offset_s: Seconds added to thermal stamps.
    """

    starved_s: float = 0.0
    lost_share: float = 0.0
    unpaired_skew_ms: float | None = None
    max_skew_ms: float = 0.0
    thermal_clock_offset_s: float = 0.0

    @property
    def starved(self) -> bool:
        """Whether no pair goes out for long enough to say so."""
        return self.starved_s > STARVED_AFTER

    def complaint(self) -> tuple[bytes, str] | None:
        """Level and one line with the remedy, or ``None`` while the frames meet."""
        if self.starved:
            what = (
                f"no pairs for {self.starved_s:.1f} s although both cameras are alive; after "
                "partner_timeout RGB goes out alone"
            )
            return ERROR, f"{what}: {self._remedy()}"
        if self.lost_share > LOST_SHARE:
            what = f"{self.lost_share:.0%} of the RGB frames find no thermal partner"
            return WARN, f"{what}: {self._remedy()}"
        return None

    def _remedy(self) -> str:
        """What the stamps are like, what is allowed, what to change."""
        limits = (
            f"max_skew is {self.max_skew_ms:.0f} ms, thermal_clock_offset "
            f"{self.thermal_clock_offset_s * 1e3:.0f} ms"
        )
        if self.unpaired_skew_ms is None:
            return f"no thermal frame is near in time ({limits}); compare the stamps of both topics"
        remedy = clock_remedy(self.thermal_clock_offset_s - self.unpaired_skew_ms / 1e3)
        return (
            f"thermal stamps differ by {self.unpaired_skew_ms:+.0f} ms ({limits}); {remedy}, if "
            "thermal arrives late or is slow raise max_skew"
        )


def clock_remedy(offset_s: float) -> str:
    """What to do about clocks that differ: an offset, or more than any offset mends.

    Args:
        offset_s: The value ``thermal_clock_offset`` ought to have.
    """
    limit = SPECS["thermal_clock_offset"].high
    if limit is not None and abs(offset_s) > limit:
        return (
            f"the cameras' clocks are {abs(offset_s):.0f} s apart: synchronise them (PTP, chrony)"
        )
    return f"if the cameras' clocks differ set thermal_clock_offset to about {offset_s:.3f}"


class LostShare:
    """The share of frames that were lost lately, from two counters read now and then.

    Args:
        window_s: Seconds over which it is taken.
        shortest_s: Fewest seconds that tell something.
        fewest: Lost frames below which the share counts as 0.
    """

    def __init__(
        self, window_s: float = WINDOW_S, shortest_s: float = SHORTEST_S, fewest: int = 1
    ) -> None:
        self._window_s, self._shortest_s, self._fewest = window_s, shortest_s, fewest
        self._readings: deque[tuple[float, int, int]] = deque()

    def update(self, now: float, received: int, lost: int) -> float:
        """Take a reading of both counters.

        Args:
            now: Monotonic time in seconds.
            received: Frames so far.
            lost: Those that were lost.

        Returns:
            The share over the last ``window_s``; 0 until there are ``shortest_s``.
        """
        self._readings.append((now, received, lost))
        # The newest reading that is old enough stays: the window never becomes shorter.
        while len(self._readings) > 1 and now - self._readings[1][0] >= self._window_s:
            self._readings.popleft()
        then, received_then, lost_then = self._readings[0]
        if now - then < self._shortest_s or received == received_then:
            return 0.0
        if lost - lost_then < self._fewest:
            return 0.0
        return (lost - lost_then) / (received - received_then)
