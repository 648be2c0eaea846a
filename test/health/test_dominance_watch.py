from __future__ import annotations

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from mdacl_ros.health.dominance_watch import STUCK_S, GateWatch, RelianceWatch
from mdacl_ros.pipeline.reliance import hold_s
from mdacl_ros.types import DominanceReading, Modality

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
BOTH = (True, True)


EVEN = (0.5, 0.5)
WARN_AT, HYSTERESIS = 0.8, 0.1
Evidence = tuple[float, float, float]


def reading(evidence: Evidence | None) -> DominanceReading:
    return DominanceReading(0.0, EVEN, EVEN, EVEN, (1.0, 1.0), evidence=evidence)


def levels(*measured: Evidence, troubles: dict[Modality, str] | None = None) -> list[bytes]:
    """The level after each measurement, two seconds apart."""
    watch, found = RelianceWatch(), []
    for number, evidence in enumerate(measured):
        watch.update(reading(evidence), BOTH, 2.0 * number)
        found.append(watch.part(2.0 * number, WARN_AT, HYSTERESIS, troubles or {})[0])
    return found


def thermal(reliance: float) -> Evidence:
    return (2.0, 0.0, 2.0 * reliance)


def test_the_level_rises_at_its_bound_and_falls_below_it() -> None:
    assert levels(*map(thermal, (0.79, 0.81, 0.71, 0.69, 0.79))) == [OK, WARN, WARN, OK, OK]
    assert levels((2.0, 1.8, 0.0)) == [WARN]


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0])
def test_a_slow_measurement_keeps_the_alarm_until_the_next(rate: float) -> None:
    watch, found = RelianceWatch(), []
    for tick in range(40):  # statuses between measurements as well, which come a little late
        now = tick / 4
        if now % (1 / rate) == 0:
            watch.update(reading(thermal(0.95)), BOTH, now - 0.05)
        found.append(watch.part(now, WARN_AT, HYSTERESIS, {}, hold_s(rate))[0])
    assert set(found) == {WARN}


def test_it_is_an_error_when_the_camera_relied_on_is_bad_as_well() -> None:
    assert levels(thermal(1.0), troubles={"thermal": "thermal is saturated"}) == [ERROR]
    assert levels(thermal(1.0), troubles={"rgb": "RGB is dark"}) == [WARN]


def test_little_evidence_raises_no_alarm() -> None:
    assert levels((0.6, 0.0, 0.6)) == [OK]


def test_measurements_of_a_second_are_averaged_by_evidence() -> None:
    watch = RelianceWatch()
    watch.update(reading((0.0, 9.0, 0.0)), BOTH, 0.0)
    watch.update(reading((3.0, 0.0, 3.0)), BOTH, 2.0)
    watch.update(reading((1.0, 1.0, 0.0)), BOTH, 2.5)
    watch.update(reading(None), BOTH, 2.9)
    level, message, values = watch.part(3.0, WARN_AT, HYSTERESIS, {})
    assert (level, message) == (OK, "reliance -0.50")
    assert values["reliance"] == pytest.approx(-0.5)
    assert values["evidence"] == 2.0


def test_nothing_is_said_without_a_measurement_with_both_cameras() -> None:
    watch = RelianceWatch()
    assert watch.part(0.0, WARN_AT, HYSTERESIS, {})[:2] == (OK, "not measured with both cameras")
    watch.update(reading((3.0, 0.0, 3.0)), BOTH, 0.0)
    watch.update(reading((3.0, 0.0, 3.0)), (False, True), 0.1)
    assert "reliance" not in watch.part(0.1, WARN_AT, HYSTERESIS, {})[2]
    watch.update(reading((0.1, 0.0, 0.1)), BOTH, 0.2)
    assert watch.part(0.2, WARN_AT, HYSTERESIS, {})[1] == "nothing seen"


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
