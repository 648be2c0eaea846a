"""Whether thermal fits RGB in a recording: some of its pairs, evenly spread, are examined."""

from __future__ import annotations

from collections.abc import Callable

from mdacl_ros.sensing.registration.aligned_pair import AlignedPair
from mdacl_ros.sensing.registration.residual import ResidualEstimator
from mdacl_ros.sensing.registration.warp_plausibility import implausible_text, implausible_warp
from mdacl_ros.types import FramePair

MOST_SKEW_NS = 50_000_000
"""A pair whose images are further apart in time shows motion, not the calibration."""

_MOST = 12  # pairs kept; from 6 on a wrong size is found


class WarpSample:
    """Keeps up to a dozen pairs of a stream whose length is not known beforehand."""

    def __init__(self) -> None:
        self._kept: list[AlignedPair] = []
        self._stride, self._number = 1, 0

    def offer(self, pair: FramePair, aligned: Callable[[], AlignedPair | None]) -> None:
        """Keep a pair now and then.

        Args:
            pair: The newest.
            aligned: Reduces it; called only if it is kept.
        """
        if pair.rgb is None or pair.thermal is None or abs(pair.skew_ns) > MOST_SKEW_NS:
            return
        if self._number % self._stride == 0 and (kept := aligned()) is not None:
            self._kept.append(kept)
            if len(self._kept) > _MOST:
                self._kept = self._kept[::2]
                self._stride *= 2
        self._number += 1

    def remark(self, calibrated: bool) -> str:
        """What is wrong with the warp; empty for nothing.

        Args:
            calibrated: A calibration was given.
        """
        estimator = ResidualEstimator(_MOST)
        for pair in self._kept:
            estimator.add(pair)
        found = implausible_warp(estimator.estimate(), self._kept)
        return "" if found is None else implausible_text(found, calibrated)
