from __future__ import annotations

import threading

import pytest

from mdacl_ros.health.statistics import RateMeter, Statistics


def test_rate_of_a_steady_stream() -> None:
    meter = RateMeter()
    for i in range(60):
        meter.tick(i / 30)
    assert meter.rate(59 / 30) == pytest.approx(30)


def test_rate_of_a_stalled_stream_falls_to_nothing() -> None:
    meter = RateMeter()
    for i in range(10):
        meter.tick(i / 10)
    assert meter.rate(1.5) < 7
    assert meter.rate(10) == 0


def test_rate_needs_two_events() -> None:
    meter = RateMeter()
    assert meter.rate(0) == 0
    meter.tick(0)
    assert meter.rate(0) == 0


def test_percentiles_and_means() -> None:
    statistics = Statistics()
    assert statistics.percentiles("x") == {}
    assert statistics.mean("x", 1) is None
    for value in range(101):
        statistics.sample("x", value)
    assert statistics.percentiles("x") == {"p50": 50, "p95": 95, "p99": 99}
    assert statistics.mean("x", 2) == 99.5


def test_no_count_is_lost_between_threads() -> None:
    statistics = Statistics()
    threads = [
        threading.Thread(target=lambda: [statistics.count("n") for _ in range(1000)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statistics.counts()["n"] == 4000


def test_facts_age() -> None:
    statistics = Statistics()
    statistics.note("failed", "why")
    assert statistics.facts() == {"failed": "why"}
    assert statistics.facts(max_age=60) == {"failed": "why"}
    assert statistics.facts(max_age=-1) == {}
