"""What the stamps of both cameras tell: out of order, seen before, jumped back, one picture."""

from __future__ import annotations

import math

from mdacl_ros.health.image_watch import FROZEN
from mdacl_ros.health.pairing_watch import LostShare
from mdacl_ros.health.status_part import RECENT
from mdacl_ros.health.synchronizer_state import SynchronizerState
from mdacl_ros.types import MODALITIES

WINDOW_S, SHORTEST_S = 1.0, 0.3
"""Seconds over which frames out of order are counted, and the fewest that tell something."""

FEWEST, SHARE = 2, 0.1
"""Frames out of order in that time, and their share, from which the status warns: a tenth at 20 Hz
and more, a fifth at 9 Hz."""


class StampWatch:
    """Reads the synchronizer's state now and then."""

    def __init__(self) -> None:
        self._shares = {c: LostShare(WINDOW_S, SHORTEST_S, FEWEST) for c in MODALITIES}
        self._resets, self._reset_at = 0, -math.inf

    def remarks(self, state: SynchronizerState, now: float) -> tuple[str, ...]:
        """What is wrong at this moment, and what to do.

        Args:
            state: Of the synchronizer.
            now: Monotonic seconds.
        """
        found = [
            f"{camera} repeats one image while the other camera's images change: " + FROZEN[camera]
            for camera in MODALITIES
            if state.frozen.get(camera, False)
        ]
        for camera, share in self._shares.items():
            lost = share.update(now, state.received[camera], state.disordered[camera])
            if lost >= SHARE:
                found.append(
                    f"{lost:.0%} of the {camera} frames come late or with a stamp already seen and "
                    "are dropped: check the driver's stamps and the transport"
                )
        resets = state.counts.get("clock_resets", 0)
        if resets > self._resets:
            self._reset_at = now
        self._resets = resets
        if now - self._reset_at < RECENT:
            found.append(
                f"{_jumped(state)} jumped back, pairing started again: a bag that "
                "loops, or a clock that was set"
            )
        return tuple(found)


def _jumped(state: SynchronizerState) -> str:
    """What jumped back: stamps of a camera or both, or the simulated time that the node follows."""
    cameras = " and ".join(state.went_back)
    return f"{cameras} stamps" if cameras else "the node's clock"
