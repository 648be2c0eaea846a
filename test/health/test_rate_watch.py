"""A camera slower than it was is told; one that is slow, starts, jitters or stops once is not."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest

from mdacl_ros.health.rate_watch import USUAL_S, RateWatch
from mdacl_ros.health.statistics import RATE_WINDOW
from mdacl_ros.types import Array

LOOK_S = 0.1


def at(rate: float, begin: float, end: float) -> Array:
    """Arrivals of an even camera."""
    return np.arange(begin, end, 1 / rate)


def told(arrivals: Array, end: float, partner_timeout: float = 2.0) -> list[float]:
    """Times of the looks at which the rate was complained of."""
    watch = RateWatch("rgb")
    complaints = []
    for now in np.arange(0.0, end, LOOK_S):
        seen = arrivals[(arrivals <= now) & (arrivals > now - RATE_WINDOW)]
        if watch.remark(seen.tolist(), float(now), partner_timeout):
            complaints.append(float(now))
    return complaints


def loaded(rate: float, seconds: float, seed: int) -> Array:
    """Arrivals on a busy machine: late by some milliseconds, now and then by 0.05 to 0.2 s.

    What came meanwhile is lost but for the newest frame, as in a queue of depth one.
    """
    random = np.random.default_rng(seed)
    arrivals = np.sort(at(rate, 0, seconds) + random.exponential(0.004, round(rate * seconds)))
    for begin in accumulate(random.uniform(1, 4, round(seconds / 4))):
        end = begin + random.uniform(0.05, 0.2)
        if (caught := (arrivals >= begin) & (arrivals < end)).any():
            arrivals = np.append(arrivals[~caught], end)
    return np.sort(arrivals)


@pytest.mark.parametrize("rate", [9, 20, 30, 60])
def test_half_the_rate_is_told_and_forgotten_once_it_lasts(rate: float) -> None:
    changed = np.append(at(rate, 0, 30), at(rate / 2, 30, 60))
    complaints = told(changed, 60)
    assert 30 < complaints[0] < (30.9 if rate > 9 else 31.2)
    assert 38 < complaints[-1] < 30 + USUAL_S / 2 + 3


@pytest.mark.parametrize("rate", [20, 30])
def test_frames_lost_at_random_are_told_and_forgotten_when_they_come_again(rate: float) -> None:
    random = np.random.default_rng(0)
    late = 0
    for _ in range(20):
        arrivals = at(rate, 0, 20)
        lost = (arrivals > 10) & (arrivals < 13) & (random.random(arrivals.size) < 0.5)
        complaints = told(arrivals[~lost], 20)
        assert 10 < complaints[0] < 12
        assert complaints[-1] < 14.7
        late += complaints[0] > 11
    assert late <= 2


@pytest.mark.parametrize("rate", [2, 5, 9, 30, 60])
def test_a_slow_camera_and_a_start_are_no_remark(rate: float) -> None:
    assert told(at(rate, 3, 40), 40) == []


def test_a_camera_that_settles_in_its_first_second_is_no_remark() -> None:
    assert told(np.append(at(60, 0, 1), at(20, 1, 30)), 30) == []


def test_a_silence_and_a_return_are_no_remark() -> None:
    assert told(np.append(at(30, 0, 10), at(30, 14, 30)), 30) == []


def test_a_single_stop_is_no_remark() -> None:
    arrivals = at(30, 0, 20)
    assert told(arrivals[(arrivals < 10) | (arrivals > 10.4)], 20) == []


@pytest.mark.parametrize("rate", [9, 30])
@pytest.mark.parametrize("seed", range(10))
def test_a_loaded_machine_is_no_remark(rate: float, seed: int) -> None:
    assert told(loaded(rate, 60, seed), 60) == []


@pytest.mark.parametrize("rate", [2.0, 3.0])
def test_a_camera_slower_than_partner_timeout_is_told_with_the_remedy(rate: float) -> None:
    watch, remarks = RateWatch("thermal"), []
    arrivals = at(rate, 0, 30)
    for now in np.arange(0.0, 30, LOOK_S):
        seen = arrivals[(arrivals <= now) & (arrivals > now - RATE_WINDOW)]
        remarks.append(watch.remark(seen.tolist(), float(now), 0.3))
    assert all(remarks[100:])
    assert f"set it to {2 / rate:.1f} or more" in str(remarks[-1])
    assert not told(arrivals, 30, partner_timeout=1.0)
