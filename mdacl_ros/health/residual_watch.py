"""Watches, at a low rate and beside the detector, whether thermal still lies on RGB."""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable

from mdacl_ros.sensing.registration.aligned_pair import AlignedPair
from mdacl_ros.sensing.registration.residual import Residual, ResidualEstimator
from mdacl_ros.sensing.registration.residual_alarm import ResidualAlarm
from mdacl_ros.sensing.registration.warp_plausibility import (
    LEAST_PAIRS,
    Plausibility,
    implausible_warp,
)
from mdacl_ros.types import FramePair

MOST_SKEW_NS = 20_000_000
"""A pair whose images are further apart in time shows the robot's motion, not the rig."""

RARELY = 16 * LEAST_PAIRS
"""Pairs between two examinations of the warp in a scene that never tells (fog): 8 minutes."""


class ResidualWatch:
    """Measures the residual of the registration in a thread of its own.

    The inference thread asks :meth:`due` for every pair and hands over a small copy now and then;
    what is not measured yet when the next one comes is replaced.

    Args:
        failed: Told of an error, as text; the watch ends then, the detector goes on.
    """

    def __init__(self, failed: Callable[[str], None]) -> None:
        self._failed = failed
        self._condition = threading.Condition()
        self._waiting: AlignedPair | None = None
        self._running = False
        self._next = 0.0
        self._rate = 0.0
        self._estimator, self._alarm = ResidualEstimator(), ResidualAlarm()
        self._residual: Residual | None = None
        self._implausible: Plausibility | None = None
        self._recent: deque[AlignedPair] = deque(maxlen=LEAST_PAIRS)
        self._unexamined, self._patience = 0, LEAST_PAIRS
        self._thread = threading.Thread(target=self._run, name="residual", daemon=True)

    def start(self) -> None:
        """Start measuring."""
        self._running = True
        self._thread.start()

    def stop(self) -> None:
        """Finish the pair in work and join. Does nothing if never started."""
        with self._condition:
            self._running = False
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def due(self, pair: FramePair, rate: float) -> bool:
        """Whether this pair is to be measured.

        Args:
            pair: The newest pair.
            rate: Pairs per second in Hz; 0 forgets what was measured.
        """
        now = time.monotonic()
        if rate != self._rate:
            self._rate, self._next = rate, now
            if rate == 0:
                self.forget()
        if rate <= 0 or pair.rgb is None or pair.thermal is None or now < self._next:
            return False
        if abs(pair.skew_ns) > MOST_SKEW_NS:
            return False
        self._next = now + 1 / rate
        return True

    def offer(self, pair: AlignedPair | None) -> None:
        """Hand a pair over; returns at once. ``None`` is for pairs that could not be used."""
        if pair is None:
            return
        with self._condition:
            self._waiting = pair
            self._condition.notify()

    def read(self, bound: float) -> tuple[Residual | None, Residual | None]:
        """The newest residual, and the one that tells of a knocked rig, if any.

        Args:
            bound: Pixels of the RGB image from which it does.
        """
        with self._condition:
            return self._residual, self._alarm.update(self._residual, bound)

    def implausible(self) -> Plausibility | None:
        """Evidence that the calibration has the wrong size, if any."""
        with self._condition:
            return self._implausible

    def forget(self) -> None:
        """Start again: what was measured was another registration."""
        with self._condition:
            self._waiting = self._residual = self._implausible = None
            self._alarm.reset()
            self._estimator = ResidualEstimator()
            self._recent = deque(maxlen=LEAST_PAIRS)
            self._unexamined, self._patience = 0, LEAST_PAIRS

    def _run(self) -> None:
        """Measure until stopped."""
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting is not None or not self._running)
                if not self._running:
                    return
                pair, self._waiting = self._waiting, None
                estimator, recent = self._estimator, self._recent
            assert pair is not None
            try:
                estimator.add(pair)
                residual = estimator.estimate()
                recent.append(pair)
                examined = self._is_examination_due(residual)
                implausible = implausible_warp(residual, list(recent)) if examined else None
            except Exception:  # the boundary of the thread: nothing above could catch it
                self._failed(traceback.format_exc().rstrip())
                return
            with self._condition:
                if estimator is self._estimator:  # else it was told to forget meanwhile
                    self._residual = residual
                    if examined or (residual is not None and residual.confident):
                        self._implausible = implausible

    def _is_examination_due(self, residual: Residual | None) -> bool:
        """Whether to try other sizes: costs a second, so ever more rarely while nothing changes."""
        if residual is None or residual.confident:
            self._unexamined, self._patience = 0, LEAST_PAIRS
            return False
        self._unexamined += 1
        if self._unexamined < self._patience:
            return False
        self._unexamined, self._patience = 0, min(2 * self._patience, RARELY)
        return True
