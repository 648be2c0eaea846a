"""The threads that must not die: the heartbeat, and the outbox of the fault injector."""

from __future__ import annotations

import threading
import time

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from mdacl_ros.nodes import heartbeat
from mdacl_ros.nodes.health_reporter import gist
from mdacl_ros.nodes.heartbeat import Heartbeat
from mdacl_tools.live.outbox import Outbox

from .bench import wait_until


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "WATCH_PERIOD", 0.001)
    monkeypatch.setattr(heartbeat, "PERIOD", 1000.0)


def test_it_beats_at_once_when_the_watch_asks_for_it() -> None:
    beats: list[float] = []
    asked = threading.Event()
    beating = Heartbeat(lambda: beats.append(time.monotonic()), asked.is_set, lambda _error: None)
    time.sleep(0.02)
    assert beats == []
    asked.set()
    wait_until(lambda: len(beats) > 2, "beats out of turn")
    beating.stop()


def test_it_beats_once_in_a_period_without_being_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PERIOD", 0.01)
    beats: list[int] = []
    beating = Heartbeat(lambda: beats.append(1), lambda: False, lambda _error: None)
    wait_until(lambda: len(beats) > 2, "regular beats")
    beating.stop()


def test_an_error_is_told_and_the_next_beat_comes() -> None:
    failures: list[Exception] = []
    beats: list[int] = []

    def beat() -> None:
        beats.append(1)
        if len(beats) < 3:
            raise ValueError("no number")

    beating = Heartbeat(beat, lambda: True, failures.append)
    wait_until(lambda: len(beats) > 4, "beats after the errors")
    beating.stop()
    assert [str(error) for error in failures] == ["no number"] * 2


def test_only_what_statuses_say_counts_not_their_numbers() -> None:
    def judged(message: str, level: bytes = DiagnosticStatus.OK) -> tuple[bytes, str]:
        return level, message

    assert gist([judged("29.9 Hz")]) == gist([judged("30.1 Hz")])
    assert gist([judged("29.9 Hz")]) != gist([judged("29.9 Hz", DiagnosticStatus.WARN)])
    assert gist([judged("rgb is dead")]) != gist([judged("thermal is dead")])


def test_the_outbox_keeps_to_the_times_and_to_the_order() -> None:
    out: list[str] = []
    outbox = Outbox()
    now = time.monotonic()
    for due, name in ((0.05, "late"), (0.0, "first"), (0.0, "second"), (1000.0, "never")):
        outbox.put(now + due, lambda name=name: out.append(name))
    wait_until(lambda: len(out) == 3, "what is due")
    outbox.stop()
    assert out == ["first", "second", "late"]
    assert time.monotonic() - now >= 0.05


def test_a_watch_that_fails_holds_up_no_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PERIOD", 0.01)
    beats: list[int] = []
    failures: list[Exception] = []

    def watch() -> bool:
        raise ValueError("no number")

    beating = Heartbeat(lambda: beats.append(1), watch, failures.append)
    wait_until(lambda: len(beats) > 2, "regular beats")
    beating.stop()
    assert failures
