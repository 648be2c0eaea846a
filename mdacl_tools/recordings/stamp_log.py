"""Stamps and log times of a pass, and whether the cameras' clocks go together."""

from __future__ import annotations

from array import array

import numpy as np

from mdacl_ros.sensing.pairing.clock_skew import StampSeries, clock_skew
from mdacl_ros.types import MODALITIES, Modality

OPTION = "--thermal-clock-offset"


class StampLog:
    """Takes note of every frame of a pass."""

    def __init__(self) -> None:
        self._stamps: dict[Modality, array[int]] = {c: array("q") for c in MODALITIES}
        self._times: dict[Modality, array[int]] = {c: array("q") for c in MODALITIES}

    def clear(self) -> None:
        """Begin a new pass."""
        for series in (*self._stamps.values(), *self._times.values()):
            del series[:]

    def add(self, camera: Modality, stamp_ns: int, time_ns: int) -> None:
        """Note a frame."""
        self._stamps[camera].append(stamp_ns)
        self._times[camera].append(time_ns)

    def remark(self, offset_s: float | None = None, max_skew_s: float = 0.12) -> str:
        """That the clocks are too far apart for pairs, and what to do; empty if they are not.

        Args:
            offset_s: Seconds added to thermal stamps; ``None``: the command cannot add any.
            max_skew_s: Largest skew of a pair.
        """
        rgb, thermal = (
            StampSeries(np.array(self._stamps[c]), np.array(self._times[c])) for c in MODALITIES
        )
        skew = clock_skew(rgb, thermal, offset_s or 0.0, max_skew_s)
        if skew is None or abs(skew) <= max_skew_s:
            return ""
        here = "" if offset_s is None else f"give {OPTION} {offset_s - skew:.3f} here, and "
        side = "ahead of" if skew > 0 else "behind"
        return (
            f"thermal stamps are {abs(skew):.3f} s {side} RGB's (max_skew {max_skew_s:g} s), no "
            f"pairs can come of it: the cameras' clocks differ; {here}on the robot "
            "synchronise the clocks (PTP, chrony) or set thermal_clock_offset"
        )
