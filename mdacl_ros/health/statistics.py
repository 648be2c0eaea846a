"""What the node counts and times: counters, rates, latency percentiles. Safe across threads."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping

import numpy as np

RATE_WINDOW = 2.0
"""Seconds over which rates are taken."""

LATENCY_SAMPLES = 1000
"""Newest samples kept for percentiles: half a minute at 30 Hz."""


class RateMeter:
    """Events per second over the last :data:`RATE_WINDOW` seconds."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def tick(self, now: float) -> None:
        """Note one event at monotonic time ``now`` in seconds."""
        self._times.append(now)
        self._forget(now)

    def rate(self, now: float) -> float:
        """Events per second in Hz, seen from monotonic time ``now``."""
        self._forget(now)
        if len(self._times) < 2:
            return 0.0
        # Intervals, not events, so that a short history does not read low; measured up to now once
        # the next event is overdue, so that a stalled stream's rate falls at once.
        period = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
        if now - self._times[-1] > 2 * period:
            return (len(self._times) - 1) / (now - self._times[0])
        return 1 / period if period > 0 else 0.0

    def times(self, now: float) -> tuple[float, ...]:
        """Monotonic seconds of the events in the window, oldest first."""
        self._forget(now)
        return tuple(self._times)

    def _forget(self, now: float) -> None:
        """Drop events older than the window."""
        while self._times and now - self._times[0] > RATE_WINDOW:
            self._times.popleft()


class Statistics:
    """Counters, rates and timings since activation; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._meters: dict[str, RateMeter] = {}
        self._samples: dict[str, deque[float]] = {}
        self._facts: dict[str, tuple[float, str]] = {}

    def count(self, name: str) -> int:
        """Add one to a counter and return its new value."""
        with self._lock:
            self._counts[name] += 1
            return self._counts[name]

    def tick(self, name: str) -> None:
        """Count one event and note it for the rate of that name."""
        now = time.monotonic()
        with self._lock:
            self._counts[name] += 1
            self._meters.setdefault(name, RateMeter()).tick(now)

    def sample(self, name: str, value: float) -> None:
        """Keep one measured value, for percentiles and means."""
        with self._lock:
            self._samples.setdefault(name, deque(maxlen=LATENCY_SAMPLES)).append(value)

    def note(self, name: str, text: str) -> None:
        """Keep the newest text under a name, e.g. the last error."""
        with self._lock:
            self._facts[name] = (time.monotonic(), text)

    def counts(self) -> Counter[str]:
        """All counters; missing names read 0."""
        with self._lock:
            return Counter(self._counts)

    def rate(self, name: str) -> float:
        """Events per second in Hz."""
        now = time.monotonic()
        with self._lock:
            meter = self._meters.get(name)
            return meter.rate(now) if meter else 0.0

    def times(self, name: str) -> tuple[float, ...]:
        """Monotonic seconds of the events of the last :data:`RATE_WINDOW`, oldest first."""
        now = time.monotonic()
        with self._lock:
            meter = self._meters.get(name)
            return meter.times(now) if meter else ()

    def percentiles(self, name: str) -> dict[str, float]:
        """``p50``, ``p95`` and ``p99`` of the newest samples; empty without samples."""
        with self._lock:
            values = np.array(self._samples.get(name, ()))
        if values.size == 0:
            return {}
        p50, p95, p99 = np.percentile(values, [50, 95, 99])
        return {"p50": float(p50), "p95": float(p95), "p99": float(p99)}

    def mean(self, name: str, newest: int) -> float | None:
        """Mean of the newest samples, or ``None`` without samples."""
        with self._lock:
            values = list(self._samples.get(name, ()))[-newest:]
        return float(np.mean(values)) if values else None

    def sample_names(self, prefix: str) -> list[str]:
        """Names of sampled values that start with ``prefix``, sorted."""
        with self._lock:
            return sorted(name for name in self._samples if name.startswith(prefix))

    def facts(self, max_age: float = float("inf")) -> Mapping[str, str]:
        """The noted texts by name that are at most ``max_age`` seconds old."""
        oldest = time.monotonic() - max_age
        with self._lock:
            return {name: text for name, (when, text) in self._facts.items() if when >= oldest}
