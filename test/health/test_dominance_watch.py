from __future__ import annotations

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from mdacl_ros.health.dominance_watch import STUCK_S, GateWatch, MdiAlarm

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
BOTH = (True, True)


def levels(*values: float | None, hysteresis: float = 0.05) -> list[bytes]:
    alarm = MdiAlarm()
    return [alarm.update(value, 0.8, 0.95, hysteresis) for value in values]


def test_the_level_rises_at_its_bound_and_falls_below_it() -> None:
    assert levels(0.79, 0.8, 0.76, 0.74) == [OK, WARN, WARN, OK]
    assert levels(-0.95, -0.91, -0.89, -0.76, -0.7) == [ERROR, ERROR, WARN, WARN, OK]


def test_without_hysteresis_the_bounds_alone_count() -> None:
    assert levels(0.8, 0.79, 0.96, 0.94, hysteresis=0.0) == [WARN, OK, ERROR, WARN]


def test_noise_around_a_bound_does_not_flap() -> None:
    assert levels(*[0.81, 0.79] * 10) == [WARN] * 20


def test_no_recent_answers_clear_the_alarm() -> None:
    assert levels(1.0, None, 0.79) == [ERROR, OK, OK]


@pytest.mark.parametrize(
    ("gates", "present", "stuck"),
    [
        ((1.0, 0.9), BOTH, []),
        ((1.0, 0.02), BOTH, ["thermal"]),
        ((1.97, 0.9), BOTH, ["rgb"]),
        ((1.95, 0.0), (True, False), ["rgb"]),
        ((1.0, 0.0), (True, False), []),
    ],
)
def test_a_gate_at_an_end_of_its_range_is_stuck_after_a_while(
    gates: tuple[float, float], present: tuple[bool, bool], stuck: list[str]
) -> None:
    watch = GateWatch()
    watch.update(gates, present, 0.0)
    watch.update(gates, present, STUCK_S)
    assert watch.part(STUCK_S - 0.1)[0] == OK
    level, message, values = watch.part(STUCK_S)
    assert level == (WARN if stuck else OK)
    assert all(f"the {camera} gate" in message for camera in stuck)
    named = [c for c in ("rgb", "thermal") if f"gate_stuck_{c}_s" in values]
    assert named == stuck


def test_a_gate_that_moves_is_not_stuck() -> None:
    watch = GateWatch()
    for second in range(10):
        watch.update((1.0, 0.02 if second % 3 else 0.5), BOTH, float(second))
    assert watch.part(9.0)[0] == OK
