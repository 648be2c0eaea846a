from __future__ import annotations

from mdacl_ros.health.clock_watch import ClockWatch


def test_a_clock_that_stands_still_is_told_until_it_moves() -> None:
    watch = ClockWatch()
    assert watch.remark(5, 10.0) is None
    assert watch.remark(5, 10.9) is None
    assert "/clock stands still" in str(watch.remark(5, 11.0))
    assert watch.remark(6, 11.1) is None
    assert watch.remark(6, 12.0) is None
    assert watch.remark(6, 12.2) is not None
