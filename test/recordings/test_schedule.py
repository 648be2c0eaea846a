"""Frames fall due when they should, with the stamps they should carry."""

from __future__ import annotations

import threading
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import Frame
from mdacl_tools.recordings.recording import Event
from mdacl_tools.recordings.schedule import ReadAhead, loop_length_ns, make_schedule
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording

START = 1_700_000_000_123_456_789
PIXEL = np.zeros((1, 1, 3), np.uint8)


def event(time_ns: int, stamp_ns: int | None = None, camera="rgb") -> Event:
    return Event(camera, time_ns, Frame(PIXEL, time_ns if stamp_ns is None else stamp_ns))


@given(st.lists(st.integers(0, 10**19), min_size=1, max_size=20))
def test_at_rate_1_the_map_is_exact(times):
    times = sorted(times)
    schedule = make_schedule([event(times[0])], START)
    for time_ns in times:
        assert schedule.stamp(event(time_ns)) == START + time_ns - times[0]
        assert schedule.due_ns(event(time_ns)) == START + time_ns - times[0]


def test_the_first_rgb_frame_is_the_origin_and_offsets_stay():
    head = [event(1000, 960, "thermal"), event(1010, 1005)]
    schedule = make_schedule(head, START)
    assert schedule.due_ns(head[1]) == schedule.stamp(head[1]) == START
    assert schedule.due_ns(head[0]) == START - 10
    assert schedule.stamp(head[0]) == START - 45


@pytest.mark.parametrize("rate", [0.5, 2.0, 3.3])
def test_the_rate_scales_time(rate):
    schedule = make_schedule([event(0)], START, rate)
    late = event(3_300_000_000)
    assert schedule.due_ns(late) - START == pytest.approx(3.3e9 / rate, abs=1)
    assert schedule.stamp(late) == schedule.due_ns(late)


def test_recorded_stamps_can_be_kept():
    schedule = make_schedule([event(5, 7)], START, restamp=False)
    assert schedule.stamp(event(50, 70)) == 70


def test_the_next_loop_starts_one_frame_after_the_last():
    recording = SyntheticRecording(RigFaults(duration_s=1.0, freeze_s=None))
    events = [e for e in recording if e.camera == "rgb"]
    schedule = make_schedule(events[:1], START)
    again = schedule.next_loop(loop_length_ns(recording))
    gap = again.stamp(events[0]) - schedule.stamp(events[-1])
    assert 0 < gap < 100_000_000


def test_read_ahead_gives_all_events_in_order_and_no_thread_stays():
    recording = SyntheticRecording(RigFaults(duration_s=2.0))
    want = [(e.camera, e.time_ns) for e in recording]
    with closing(ReadAhead(recording, depth=3)) as ahead:
        head, events = ahead.peek()
        assert head[-1].camera == "rgb"
        assert [(e.camera, e.time_ns) for e in events] == want
    assert not [t for t in threading.enumerate() if t.name == "read_ahead"]


def test_read_ahead_can_be_left_early():
    with closing(ReadAhead(SyntheticRecording(), depth=2)) as ahead:
        next(iter(ahead))
    assert not [t for t in threading.enumerate() if t.name == "read_ahead"]


def test_an_error_of_the_recording_arrives_where_the_frame_would_be():
    class Broken(SyntheticRecording):
        def __iter__(self):
            yield from list(super().__iter__())[:2]
            raise RecordingError("bag x: cut off")

    with closing(ReadAhead(Broken())) as ahead:
        events = iter(ahead)
        assert [next(events).camera, next(events).camera] == ["rgb", "thermal"]
        with pytest.raises(RecordingError, match="cut off"):
            next(events)
