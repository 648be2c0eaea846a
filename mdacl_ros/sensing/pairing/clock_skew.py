"""How far apart the clocks of two cameras are, by stamps and times of arrival.

Doctor, evaluation and calibration ask the same question of a live system and of recordings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

ARRIVAL_S = 0.1
"""Seconds that one camera's images may take longer to arrive than the other's."""

Nanoseconds = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StampSeries:
    """The frames of one camera.

    Attributes:
        stamps_ns: ``(N,)`` header stamps.
        arrivals_ns: ``(N,)`` when they arrived, on one clock for both cameras.
    """

    stamps_ns: Any
    arrivals_ns: Any

    @property
    def lead_s(self) -> float:
        """How far the stamps are ahead of the arrivals, median, seconds."""
        leads = np.asarray(self.stamps_ns, np.int64) - np.asarray(self.arrivals_ns, np.int64)
        return float(np.median(leads)) / 1e9


def clock_skew(
    rgb: StampSeries, thermal: StampSeries, offset_s: float, max_skew_s: float
) -> float | None:
    """Thermal minus RGB stamp of images taken together, offset added, seconds.

    Args:
        rgb: The colour camera's frames.
        thermal: The thermal camera's.
        offset_s: Added to thermal stamps.
        max_skew_s: Largest skew of a pair.

    Returns:
        ``None``: too few frames.
    """
    stamps = np.sort(np.asarray(rgb.stamps_ns, np.int64))
    if len(stamps) < 2 or len(thermal.stamps_ns) < 2:
        return None
    shifted = np.asarray(thermal.stamps_ns, np.int64) + round(offset_s * 1e9)
    shifted = np.sort(shifted)
    after = np.searchsorted(shifted, stamps).clip(1, len(shifted) - 1)
    before = after - 1
    nearer = np.where(
        np.abs(shifted[before] - stamps) <= np.abs(shifted[after] - stamps), before, after
    )
    skew = float(np.median(shifted[nearer] - stamps)) / 1e9
    # The nearest of a window are near whatever the clocks; what arrives together tells those.
    together = thermal.lead_s + offset_s - rgb.lead_s
    return together if abs(together) > max_skew_s + ARRIVAL_S else skew
