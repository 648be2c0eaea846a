"""Whether a camera comes much slower than until lately, or always too slow for the parameters."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Sequence

from mdacl_ros.health.statistics import RATE_WINDOW
from mdacl_ros.types import Modality

WINDOW_S, PERIODS = 0.6, 8
"""Seconds, and usual periods, of which the longer is the time over which frames are counted."""

LOW_SHARE, HOLES = 0.7, 3
"""Share of the usual rate below which it is low, and fewest intervals longer than usual lately: a
machine that stops once, or twice, loses frames as well, but has fewer holes."""

HOLES_S = 0.8
"""Seconds in which those are counted. Where chance decides which frames are lost, it decides how
soon that is told: of half the frames at 20 Hz within 0.6 s half of the time, within 0.9 s nineteen
times of twenty."""

LONG = 1.5
"""Usual periods from which an interval is a hole."""

USUAL_S, SAMPLE_S, FEWEST = 20.0, 0.5, 3
"""Seconds whose median rate is the usual one, so that another rate is usual after half of them;
seconds between two samples of it; fewest samples that tell what is usual."""

SETTLED_S, SAMPLED_S = 1.5, 1.0
"""Seconds after a camera's first frame before which it only starts; seconds that a sample is of."""

HOLD_S = 1.0
"""Seconds for which a low rate is told at least."""


class RateWatch:
    """Compares one camera's rate with its own recent median, and that with ``partner_timeout``.

    Args:
        camera: Which camera.
    """

    def __init__(self, camera: Modality) -> None:
        self._camera = camera
        self._samples: deque[tuple[float, float]] = deque()
        self._low_at, self._low_rate = -math.inf, 0.0

    def remark(self, times: Sequence[float], now: float, partner_timeout: float) -> str | None:
        """Look at the arrivals, several times a second.

        Args:
            times: Monotonic seconds of the frames of the last :data:`RATE_WINDOW` seconds.
            now: Monotonic seconds.
            partner_timeout: Seconds after which a camera without a new frame counts as dead.

        Returns:
            What is wrong and what to look at; ``None`` also while nothing comes, which is told
            elsewhere.
        """
        usual = self._usual(now)
        self._sample(times, now)
        if usual is None or not times:
            return None
        if usual * partner_timeout < 1:
            return (
                f"{self._camera} sends every {1 / usual:.2f} s and counts as dead in between: "
                f"partner_timeout is {partner_timeout:g} s, set it to {2 / usual:.1f} or more, or "
                "make the camera faster"
            )
        window = min(max(WINDOW_S, PERIODS / usual), RATE_WINDOW)
        if _holes(times, now, max(window, HOLES_S), LONG / usual) >= HOLES:
            rate = sum(time > now - window for time in times) / window
            if rate < LOW_SHARE * usual:
                self._low_at, self._low_rate = now, rate
        if now - self._low_at > HOLD_S:
            return None
        return (
            f"{self._camera} sends at {self._low_rate:.1f} Hz, {usual:.1f} Hz until lately: frames "
            "are lost or the camera is slower; check the link, the exposure and the machine's load"
        )

    def _usual(self, now: float) -> float | None:
        """The median rate in Hz of the last while; ``None`` before it is known."""
        while self._samples and now - self._samples[0][0] > USUAL_S:
            self._samples.popleft()
        if len(self._samples) < FEWEST:
            return None
        return statistics.median(rate for _, rate in self._samples)

    def _sample(self, times: Sequence[float], now: float) -> None:
        """Note the rate now and then, not while a camera starts or nothing comes."""
        if self._samples and now - self._samples[-1][0] < SAMPLE_S:
            return
        if not times or times[-1] - times[0] < SETTLED_S or now - times[-1] > SAMPLE_S:
            return
        lately = [time for time in times if times[-1] - time <= SAMPLED_S]
        if len(lately) < 2:
            lately = list(times)
        self._samples.append((now, (len(lately) - 1) / (lately[-1] - lately[0])))


def _holes(times: Sequence[float], now: float, window: float, longest: float) -> int:
    """Intervals longer than that which end within the window; the open one counts as well."""
    ends = [*times[1:], now]
    return sum(
        end - begin > longest for begin, end in zip(times, ends, strict=True) if end > now - window
    )
