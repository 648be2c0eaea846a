"""The pair contract: only pairs while both live, alone while one is dead, every frame counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from camera_streams import IMAGE, MS, SECOND, Event, play, stream, two_loops
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer, SyncConfig
from mdacl_ros.types import MODALITIES, Frame

OFFSET = SyncConfig(thermal_clock_offset_ns=40 * MS)


def frame(stamp_ms: float, value: int = 0) -> Frame:
    return Frame(np.full((32, 32), value, np.uint8), round(stamp_ms * MS))


def assert_every_frame_is_counted_once(synchronizer: PairSynchronizer) -> None:
    counters = synchronizer.counters
    for camera in MODALITIES:
        placed = counters.paired[camera] + counters.single[camera]
        placed += sum(counters.dropped[camera].values()) + synchronizer.pending(camera)
        assert counters.received[camera] == placed
    assert counters.paired["rgb"] == counters.pairs


@pytest.mark.parametrize("reuse", [True, False])
def test_both_loops_of_a_bag_give_the_same_pairs_through_a_thermal_freeze(reuse):
    first, second = two_loops(replace(OFFSET, partner_timeout_ns=300 * MS, reuse_partner=reuse))
    assert first == second
    assert first.pairs >= (170 if reuse else 65)
    assert first.single_thermal == 0
    assert first.recovery_rgb_frames == 0  # the first RGB frame after the return is in a pair
    # Alone from the timeout after the last thermal frame until its return.
    assert 3.0 < first.single_from_s < 3.3
    assert 5.4 < first.single_to_s < 5.6
    assert first.single_rgb >= 65


def test_cameras_of_one_rate_pair_the_same_instant_whichever_message_is_first():
    for rgb_delay, thermal_delay in ((2, 20), (20, 2)):
        synchronizer = PairSynchronizer()
        events = stream("rgb", 30, 2, delay_ms=rgb_delay, jitter_ms=3)
        events += stream("thermal", 30, 2, delay_ms=thermal_delay, jitter_ms=3, seed=1)
        pairs = [pair for _, pair in play(synchronizer, events)]
        assert len(pairs) == 60
        assert {pair.skew_ns for pair in pairs} == {0}


def test_a_fast_camera_is_held_back_by_max_wait_at_most():
    synchronizer = PairSynchronizer(OFFSET)
    events = stream("rgb", 30, 4, jitter_ms=4)
    events += stream("thermal", 9, 4, jitter_ms=4, clock_error_ms=-40, seed=1)
    arrivals = {event.stamp_ns: event.arrival_ns for event in events if event.camera == "rgb"}
    out = list(play(synchronizer, events))
    usable = [
        now - arrivals[pair.stamp_ns] for now, pair in out if pair.thermal and pair.skew_ns <= 0
    ]
    poll = 5 * MS
    assert max(usable) <= OFFSET.max_wait_ns + poll
    assert len(out) > 85  # of 120: the rest waits for thermal and is superseded


def test_the_offset_is_added_to_thermal_stamps():
    synchronizer = PairSynchronizer(OFFSET)
    assert synchronizer.push("thermal", frame(1000), 1 * MS) is None
    pair = synchronizer.push("rgb", frame(1038), 2 * MS)
    assert pair is not None
    assert pair.stamp_ns == 1038 * MS
    assert pair.skew_ns == synchronizer.last_skew_ns == 2 * MS
    assert pair.thermal is not None
    assert pair.thermal.stamp_ns == 1000 * MS  # the frame itself is untouched


@pytest.mark.parametrize("offset_ms", [-3000, -90, 90, 3000])
def test_another_clock_offset_is_no_clock_that_jumped(offset_ms):
    synchronizer = PairSynchronizer()
    for step in range(6):
        if step == 3:  # somebody sets right what was wrong until now
            synchronizer.configure(SyncConfig(thermal_clock_offset_ns=offset_ms * MS))
        stamp, now = 1000 + 100 * step, 100 * step * MS
        synchronizer.push("thermal", frame(stamp - offset_ms), now)
        pair = synchronizer.push("rgb", frame(stamp), now + MS)
        assert step < 3 or (pair is not None and pair.skew_ns == 0)
    counters = synchronizer.counters
    assert counters.clock_resets == counters.dropped["thermal"]["late"] == 0
    assert_every_frame_is_counted_once(synchronizer)


def test_the_skew_that_was_told_moves_with_the_offset():
    synchronizer = PairSynchronizer()
    synchronizer.push("thermal", frame(1400), 0)
    synchronizer.push("rgb", frame(1000), 1 * MS)
    assert synchronizer.last_unpaired_skew_ns == 401 * MS
    synchronizer.configure(SyncConfig(thermal_clock_offset_ns=-300 * MS))
    assert synchronizer.last_unpaired_skew_ns == 101 * MS


def test_a_dead_thermal_camera_lets_rgb_go_alone_at_once_and_returns_at_once():
    synchronizer = PairSynchronizer(SyncConfig(partner_timeout_ns=300 * MS))
    synchronizer.push("thermal", frame(0), 0)
    assert synchronizer.push("rgb", frame(0), 0) is not None
    assert synchronizer.push("rgb", frame(200), 200 * MS) is None  # alive: only pairs
    assert synchronizer.poll(299 * MS) is None
    alone = synchronizer.poll(300 * MS)
    assert alone is not None
    assert alone.thermal is None
    assert not synchronizer.alive("thermal", 300 * MS)
    at_once = synchronizer.push("rgb", frame(333), 333 * MS)
    assert at_once is not None
    assert at_once.thermal is None
    assert synchronizer.push("thermal", frame(360), 361 * MS) is None
    back = synchronizer.push("rgb", frame(366), 367 * MS)
    assert back is not None
    assert back.thermal is not None


def test_a_dead_rgb_camera_lets_thermal_go_alone_on_the_rgb_clock():
    synchronizer = PairSynchronizer(replace(OFFSET, partner_timeout_ns=300 * MS))
    assert synchronizer.push("thermal", frame(0), 0) is None  # RGB has its time to appear
    alone = synchronizer.poll(300 * MS)
    assert alone is not None
    assert alone.rgb is None
    assert alone.stamp_ns == 40 * MS
    assert synchronizer.push("thermal", frame(311), 311 * MS) is not None
    back = synchronizer.push("rgb", frame(355), 356 * MS)
    assert back is not None
    assert back.rgb is not None
    assert back.thermal is not None


def test_a_repeated_stamp_does_not_keep_a_camera_alive():
    synchronizer = PairSynchronizer()
    for step in range(10):
        synchronizer.push("thermal", frame(0), step * 100 * MS)
    assert not synchronizer.alive("thermal", 900 * MS)
    assert synchronizer.counters.dropped["thermal"]["duplicate_stamp"] == 9


def push_frozen_thermal(synchronizer, picture, steps):
    """Thermal repeats a picture at 5 Hz, RGB changes."""
    for step in range(steps):
        synchronizer.push("rgb", Frame(noise(step), step * 200 * MS), step * 200 * MS)
        synchronizer.push("thermal", Frame(picture.copy(), step * 200 * MS), step * 200 * MS)


def noise(seed):
    return np.random.default_rng(seed).integers(0, 255, (24, 32), np.uint8)


def test_repeated_pixels_are_a_frozen_camera():
    synchronizer = PairSynchronizer(SyncConfig(frozen_after=3, thermal_shutter_ns=0))
    push_frozen_thermal(synchronizer, noise(99), 5)
    assert synchronizer.frozen("thermal", 840 * MS)
    assert not synchronizer.alive("thermal", 840 * MS)
    alone = synchronizer.push("rgb", Frame(noise(7), 840 * MS), 840 * MS)
    assert alone is not None
    assert alone.thermal is None
    assert synchronizer.counters.dropped["thermal"]["frozen"] >= 2
    synchronizer.push("thermal", Frame(noise(8), 870 * MS), 870 * MS)
    assert synchronizer.alive("thermal", 870 * MS)
    assert_every_frame_is_counted_once(synchronizer)


def test_a_frozen_camera_that_falls_silent_is_silent():
    synchronizer = PairSynchronizer(SyncConfig(frozen_after=3, thermal_shutter_ns=0))
    push_frozen_thermal(synchronizer, noise(99), 5)  # the last frame at 800 ms
    timeout = synchronizer.config.partner_timeout_ns
    for now, frozen in ((800 * MS + timeout - 1, True), (800 * MS + timeout, False)):
        assert synchronizer.frozen("thermal", now) is frozen
        assert (synchronizer.still_ns("thermal", now) > 0) is frozen
        assert not synchronizer.alive("thermal", now)
    alone = synchronizer.push("rgb", Frame(noise(7), 1200 * MS), 1200 * MS)
    assert alone is not None
    assert alone.thermal is None


def test_repeated_files_are_a_frozen_camera_before_they_are_decoded():
    synchronizer = PairSynchronizer(SyncConfig(frozen_after=2, thermal_shutter_ns=0))
    push_frozen_thermal(synchronizer, np.arange(1000, dtype=np.uint8), 4)
    assert not synchronizer.alive("thermal", 600 * MS)
    file = np.arange(1000, dtype=np.uint8)[::-1].copy()
    synchronizer.push("thermal", Frame(file, 670 * MS), 670 * MS)
    assert synchronizer.alive("thermal", 670 * MS)


def test_a_frozen_camera_is_used_on_where_that_is_switched_off():
    synchronizer = PairSynchronizer(SyncConfig(frozen_after=0))
    push_frozen_thermal(synchronizer, noise(99), 9)
    assert synchronizer.alive("thermal", 1600 * MS)
    assert synchronizer.still_ns("thermal", 1600 * MS) == 1600 * MS
    assert synchronizer.counters.freezes == {"rgb": 0, "thermal": 1}


def through_a_shutter(synchronizer, closed_s):
    """What goes out of 30 Hz RGB and 9 Hz thermal while thermal repeats its picture."""
    closed = noise(999)
    for number in range(round(30 * (closed_s + 1))):
        now = number * SECOND // 30
        if number % 10 in (0, 3, 7):  # 9 Hz
            shut = now < closed_s * SECOND
            image = closed.copy() if shut else noise(500 + number)
            synchronizer.push("thermal", Frame(image, now), now)
        pair = synchronizer.push("rgb", Frame(noise(number), now), now) or synchronizer.poll(now)
        yield now, pair


def test_a_shutter_of_a_second_is_no_frozen_camera():
    synchronizer = PairSynchronizer()
    for now, pair in through_a_shutter(synchronizer, 1.0):
        assert synchronizer.alive("thermal", now)
        assert pair is None or pair.thermal is not None
    assert synchronizer.counters.freezes["thermal"] == 1
    assert synchronizer.counters.dropped["thermal"]["frozen"] == 0


def test_longer_than_a_shutter_is_a_frozen_camera_until_it_moves():
    synchronizer = PairSynchronizer()
    out = list(through_a_shutter(synchronizer, 4.0))
    alone = [now / SECOND for now, pair in out if pair is not None and pair.thermal is None]
    assert alone[0] == pytest.approx(1.5, abs=0.12)
    assert alone[-1] == pytest.approx(4.0, abs=0.12)
    assert len(alone) > 70


@pytest.mark.parametrize("slow", MODALITIES)
def test_a_driver_that_doubles_the_frames_of_a_slow_camera_is_never_frozen(slow):
    synchronizer = PairSynchronizer()
    pictures = [noise(seed) for seed in range(360)]
    for number in range(360):  # 60 Hz messages; 9 Hz pictures
        now = number * SECOND // 60
        for camera in MODALITIES:
            image = pictures[number * 9 // 60 if camera == slow else number].copy()
            synchronizer.push(camera, Frame(image, now), now)
        assert not synchronizer.frozen(slow, now)
        assert synchronizer.alive(slow, now)
    assert synchronizer.counters.freezes[slow] == 0


def test_a_frame_out_of_reach_is_dropped_and_its_skew_reported():
    synchronizer = PairSynchronizer()
    synchronizer.push("thermal", frame(500), 0)
    assert synchronizer.push("rgb", frame(100), 1 * MS) is None
    assert synchronizer.counters.dropped["rgb"]["unpaired_skew"] == 1
    assert synchronizer.last_unpaired_skew_ns == 401 * MS


@pytest.mark.parametrize("clock_error_ms", [200, -200, 700, -700, 60_000])
def test_cameras_that_never_meet_starve_and_say_by_how_much(clock_error_ms):
    synchronizer = PairSynchronizer()
    events = stream("rgb", 30, 2) + stream("thermal", 30, 2, clock_error_ms=clock_error_ms)
    end = max(event.arrival_ns for event in events)
    timeout = synchronizer.config.partner_timeout_ns
    out = [(now, pair) for now, pair in play(synchronizer, events) if now <= end]
    # A wrong clock does not silence the detector: soon RGB goes out alone, every frame once.
    assert all(pair.thermal is None for _, pair in out)
    first = out[0][0] - min(event.arrival_ns for event in events)
    assert timeout <= first <= timeout + 250 * MS
    assert len(out) >= 0.9 * 30 * (end - out[0][0]) / SECOND
    stamps = [pair.stamp_ns for _, pair in out]
    assert stamps == sorted(set(stamps))
    counters = synchronizer.counters
    lost = counters.paired["rgb"] + counters.single["rgb"] + sum(counters.dropped["rgb"].values())
    assert counters.received["rgb"] == lost + synchronizer.pending("rgb")
    synchronizer = PairSynchronizer()
    for event in sorted(events, key=lambda event: event.arrival_ns):
        synchronizer.push(event.camera, event.frame, event.arrival_ns)
    assert synchronizer.starvation.since_ns is not None
    assert end - synchronizer.starvation.since_ns > 1.5 * SECOND
    assert synchronizer.last_unpaired_skew_ns is not None
    assert abs(synchronizer.last_unpaired_skew_ns - clock_error_ms * MS) <= 2 * MS
    # The skew it tells, as an offset, mends it.
    synchronizer.config = SyncConfig(thermal_clock_offset_ns=-synchronizer.last_unpaired_skew_ns)
    later = stream("rgb", 30, 1, start_ns=end)
    later += stream("thermal", 30, 1, clock_error_ms=clock_error_ms, start_ns=end)
    later = [Event(e.arrival_ns, e.camera, e.stamp_ns + end) for e in later]
    out = [pair for now, pair in play(synchronizer, later) if now <= end + SECOND]
    assert sum(pair.thermal is not None for pair in out) >= 25
    assert synchronizer.starvation.since_ns is None


@pytest.mark.parametrize("ahead_ms", [700, 60_000])
def test_rgb_that_dies_with_a_clock_ahead_does_not_hold_thermal_up(ahead_ms):
    synchronizer = PairSynchronizer()
    events = stream("thermal", 30, 4)
    events += [
        Event(e.arrival_ns, e.camera, e.stamp_ns + ahead_ms * MS) for e in stream("rgb", 30, 2)
    ]
    last_rgb = max(e.arrival_ns for e in events if e.camera == "rgb")
    alone = [now for now, pair in play(synchronizer, events) if pair.rgb is None]
    assert alone[0] - last_rgb <= synchronizer.config.partner_timeout_ns + 40 * MS
    assert len(alone) >= 40  # of the 60 thermal frames of the last two seconds
    assert synchronizer.pending("rgb") == 0


any_stamps = st.lists(
    st.tuples(
        st.integers(0, 700),  # arrival step, ms
        st.one_of(st.integers(-50, 150), st.integers(-5000, 5000), st.integers(-(10**7), 10**7)),
    ),
    max_size=40,
)


@pytest.mark.parametrize("wild", MODALITIES)
@given(events=any_stamps)
@settings(deadline=None, max_examples=150)
def test_whatever_one_camera_stamps_the_other_ones_frames_are_answered(wild, events):
    other = next(camera for camera in MODALITIES if camera != wild)
    arrivals, now_ms = [], 0
    for step_ms, error_ms in events:
        now_ms += step_ms
        arrivals.append((now_ms, wild, now_ms + error_ms))
    arrivals += [(step * 30, other, step * 30) for step in range(200)]
    config = SyncConfig(frozen_after=0, partner_timeout_ns=300 * MS)
    synchronizer, last = PairSynchronizer(config), 0
    for now_ms, camera, stamp_ms in sorted(arrivals):
        if now_ms > 5970:
            break
        now = now_ms * MS
        pushed = synchronizer.push(camera, frame(10**8 + stamp_ms), now)
        if pushed is not None or synchronizer.poll(now) is not None:
            last = now
        assert now - last <= 2200 * MS  # some timeouts, however often time is set back


@pytest.mark.parametrize(
    ("rate", "delay_ms", "least"), [(9, 12, 90), (9, 40, 86), (30, 15, 90), (30, 100, 86)]
)
def test_the_default_limits_pair_usual_cameras_whose_images_arrive_late(rate, delay_ms, least):
    synchronizer = PairSynchronizer()
    events = stream("rgb", 30, 3) + stream("thermal", rate, 3, delay_ms=delay_ms)
    end = max(event.arrival_ns for event in events)
    out = [pair for now, pair in play(synchronizer, events) if now <= end]
    assert sum(pair.thermal is not None for pair in out) >= least


def test_late_frames_are_dropped_but_a_small_clock_step_is_followed():
    synchronizer = PairSynchronizer()
    synchronizer.push("rgb", frame(1000), 0)
    synchronizer.push("rgb", frame(990), 1 * MS)
    assert synchronizer.counters.dropped["rgb"]["late"] == 1
    for step in range(5):
        synchronizer.push("rgb", frame(700 + step * 33), (2 + step) * MS)
    assert synchronizer.counters.clock_resets == 1
    assert synchronizer.counters.dropped["rgb"]["late"] == 5
    assert_every_frame_is_counted_once(synchronizer)


def test_stragglers_of_the_last_loop_do_not_disturb_the_next():
    synchronizer = PairSynchronizer()
    synchronizer.push("thermal", frame(9900), 0)
    synchronizer.push("rgb", frame(9900), 1 * MS)
    assert synchronizer.push("rgb", frame(0), 40 * MS) is None  # the bag starts again
    assert synchronizer.push("thermal", frame(9990), 41 * MS) is None
    assert synchronizer.counters.dropped["thermal"]["clock_reset"] == 1
    pair = synchronizer.push("thermal", frame(0), 45 * MS)
    assert pair is not None
    assert pair.skew_ns == 0
    assert synchronizer.counters.clock_resets == 1


def starvation(events: list[Event]) -> dict[int, int]:
    """How long pairs have been missing, by the time of each look, a hundred a second; in ms."""
    synchronizer = PairSynchronizer(SyncConfig(partner_timeout_ns=500 * MS))
    waiting, told = sorted(events, key=lambda event: -event.arrival_ns), {}
    for now in range(0, 6000, 10):
        while waiting and waiting[-1].arrival_ns <= now * MS:
            event = waiting.pop()
            synchronizer.push(event.camera, event.frame, event.arrival_ns)
        while synchronizer.poll(now * MS) is not None:
            pass
        told[now] = synchronizer.starved_ns(now * MS) // MS
    return told


@pytest.mark.parametrize("phase_ms", range(0, 111, 10))
@pytest.mark.parametrize("delay_ms", [250, 350, 400, 450])
def test_a_thermal_camera_that_comes_late_starves_within_a_second(phase_ms, delay_ms):
    prompt = stream("thermal", 9, 6, phase_ms=phase_ms)
    late = stream("thermal", 9, 6, phase_ms=phase_ms, delay_ms=delay_ms)
    thermal = [e for e in prompt if e.stamp_ns < 3 * SECOND]
    thermal += [e for e in late if e.stamp_ns >= 3 * SECOND]
    told = starvation(thermal + stream("rgb", 20, 6, jitter_ms=5))
    assert max(ms for now, ms in told.items() if now < 3000) == 0
    assert min(now for now, ms in told.items() if ms > 300) < 3850


@pytest.mark.parametrize("phase_ms", range(0, 111, 10))
@pytest.mark.parametrize("delay_ms", [5, 40, 80])
def test_a_camera_that_comes_back_is_not_taken_for_one_out_of_step(phase_ms, delay_ms):
    thermal = stream(
        "thermal", 9, 6, phase_ms=phase_ms, delay_ms=delay_ms, jitter_ms=20, freeze_s=(2, 4)
    )
    told = starvation(thermal + stream("rgb", 30, 6, jitter_ms=20, seed=1))
    assert max(ms for now, ms in told.items() if now < 2000 or 3900 < now < 5900) < 300


@pytest.mark.parametrize(("camera", "other"), [("rgb", "thermal"), ("thermal", "rgb")])
def test_the_camera_that_jumped_back_is_named_and_the_other_one_is_not_dead(camera, other):
    synchronizer = PairSynchronizer()
    timeout = synchronizer.config.partner_timeout_ns
    for now in range(0, 1000, 50):
        synchronizer.push(other, frame(5000 + now), now * MS)
        synchronizer.push(camera, frame(5000 + now - 3000 * (now >= 500)), now * MS)
        if now >= 500:
            assert synchronizer.went_back == (camera,)
            waits = now * MS < 500 * MS + timeout
            assert synchronizer.held_out(other, now * MS) == waits
            assert synchronizer.alive(other, now * MS) != waits
    assert synchronizer.counters.clock_resets == 1
    assert not synchronizer.held_out(camera, 1000 * MS)
    assert_every_frame_is_counted_once(synchronizer)


def test_a_camera_that_falls_silent_at_the_others_jump_is_told_after_the_timeout():
    synchronizer = PairSynchronizer()
    synchronizer.push("thermal", frame(5000), 0)
    synchronizer.push("rgb", frame(5000), 0)
    synchronizer.push("rgb", frame(2000), 50 * MS)
    assert synchronizer.held_out("thermal", 100 * MS)
    assert not synchronizer.held_out("thermal", synchronizer.config.partner_timeout_ns)


def test_both_cameras_of_a_bag_that_loops_are_named():
    synchronizer = PairSynchronizer()
    for stamp, now in ((9000, 0), (0, 50)):
        synchronizer.push("rgb", frame(stamp), now * MS)
        synchronizer.push("thermal", frame(stamp), (now + 1) * MS)
    assert synchronizer.went_back == ("rgb", "thermal")


def test_a_clock_that_comes_back_to_the_others_is_named_alone():
    synchronizer = PairSynchronizer()
    for rgb, thermal, now in ((5000, 2000, 0), (5050, 2050, 50), (2100, 2100, 100)):
        synchronizer.push("rgb", frame(rgb), now * MS)
        synchronizer.push("thermal", frame(thermal), (now + 1) * MS)
    assert synchronizer.went_back == ("rgb",)


def test_a_clock_of_the_caller_that_goes_back_restarts():
    synchronizer = PairSynchronizer()
    synchronizer.push("rgb", frame(5000), 5 * SECOND)
    synchronizer.push("rgb", frame(0), 0)
    assert synchronizer.counters.clock_resets == 1
    assert synchronizer.counters.dropped["rgb"]["clock_reset"] == 1
    assert synchronizer.went_back == ()
    assert synchronizer.push("thermal", frame(0), 1 * MS) is not None


def test_without_reuse_a_thermal_frame_serves_its_nearest_rgb_frame_once():
    synchronizer = PairSynchronizer(SyncConfig(reuse_partner=False))
    events = stream("rgb", 30, 3, delay_ms=5) + stream("thermal", 9, 3, delay_ms=5)
    pairs = [pair for _, pair in play(synchronizer, events) if pair.thermal and pair.rgb]
    assert len({pair.thermal.stamp_ns for pair in pairs}) == len(pairs)
    assert max(abs(pair.skew_ns) for pair in pairs) <= 34 * MS
    assert len(pairs) >= 25


def test_the_nearest_of_two_thermal_frames_is_taken_when_rgb_is_late():
    synchronizer = PairSynchronizer()
    synchronizer.push("thermal", frame(90), 0)
    synchronizer.push("thermal", frame(123), 1 * MS)
    pair = synchronizer.push("rgb", frame(100), 2 * MS)
    assert pair is not None
    assert pair.skew_ns == -10 * MS


def test_the_deadline_says_when_polling_gives_something():
    synchronizer = PairSynchronizer()
    assert synchronizer.deadline_ns is None
    synchronizer.push("thermal", frame(0), 0)
    synchronizer.push("thermal", frame(33), 33 * MS)
    assert synchronizer.push("rgb", frame(64), 64 * MS) is None  # thermal 66 is due
    deadline = synchronizer.deadline_ns
    assert deadline == 94 * MS
    assert synchronizer.poll(deadline - 1) is None
    overdue = synchronizer.poll(deadline)
    assert overdue is not None
    assert overdue.skew_ns == -31 * MS


events_of_any_kind = st.lists(
    st.tuples(
        st.sampled_from(MODALITIES),
        st.integers(0, 400),  # arrival step, ms
        st.one_of(st.integers(0, 120), st.integers(-2000, 2000)),  # stamp step, ms
        st.integers(0, 1),  # pixels
    ),
    max_size=60,
)


@given(
    events_of_any_kind,
    st.booleans(),
    st.sampled_from((0, 20, 60)),
    st.sampled_from((0, 30)),
    st.sampled_from((0, 2)),
)
@settings(deadline=None, max_examples=150)
def test_invariants_hold_for_any_input(events, reuse, skew_ms, wait_ms, frozen_after):
    config = SyncConfig(
        max_skew_ns=skew_ms * MS,
        max_wait_ns=wait_ms * MS,
        reuse_partner=reuse,
        thermal_clock_offset_ns=7 * MS,
        frozen_after=frozen_after,
    )
    runs = [_run(config, events), _run(config, events)]
    assert runs[0] == runs[1]  # deterministic


def _run(config, events):
    synchronizer = PairSynchronizer(config)
    now, stamps, out = 0, dict.fromkeys(MODALITIES, 5_000), []
    for camera, arrival_step, stamp_step, value in events:
        now += arrival_step * MS
        stamps[camera] += stamp_step
        answers = [
            synchronizer.poll(now),
            synchronizer.push(camera, frame(stamps[camera], value), now),
            synchronizer.poll(now),
        ]
        for pair in filter(None, answers):
            assert pair.rgb is not None or pair.thermal is not None
            assert abs(pair.skew_ns) <= config.max_skew_ns
            if pair.rgb is not None:
                assert pair.stamp_ns == pair.rgb.stamp_ns
            out.append((now, pair.stamp_ns, pair.skew_ns, pair.rgb is None, pair.thermal is None))
        assert synchronizer.pending("rgb") <= 1
        assert synchronizer.pending("thermal") <= 2
        assert_every_frame_is_counted_once(synchronizer)
    return out


@given(st.integers(0, 1000), st.floats(0, 30), st.floats(0, 111), st.booleans())
@settings(deadline=None, max_examples=25)
def test_any_phase_and_jitter_of_a_30_and_9_hz_rig_gives_pairs_only(seed, jitter, phase, reuse):
    config = SyncConfig(reuse_partner=reuse)
    synchronizer = PairSynchronizer(config)
    rgb = stream("rgb", 30, 3, jitter_ms=min(jitter, 30), seed=seed)
    thermal = stream("thermal", 9, 3, jitter_ms=jitter, phase_ms=phase, seed=seed + 1)
    # Up to the last thermal frame; RGB frames of one topic arrive in order.
    end = max(event.arrival_ns for event in thermal)
    events = _in_order([event for event in rgb if event.arrival_ns < end]) + _in_order(thermal)
    out = [pair for now, pair in play(synchronizer, events) if now <= end]
    assert all(pair.rgb is not None and pair.thermal is not None for pair in out)
    assert len(out) >= (55 if reuse else 22)
    stamps = [pair.stamp_ns for pair in out]
    assert stamps == sorted(set(stamps))


def _in_order(events: list[Event]) -> list[Event]:
    arrivals = np.maximum.accumulate([event.arrival_ns for event in events])
    return [
        Event(int(arrival), event.camera, event.stamp_ns)
        for arrival, event in zip(arrivals, events, strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_skew_ns", -1),
        ("partner_timeout_ns", 0),
        ("frozen_after", -2),
        ("thermal_shutter_ns", -1),
    ],
)
def test_impossible_limits_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}: got {value}, wanted >="):
        SyncConfig(**{name: value})


def test_a_snapshot_does_not_change():
    synchronizer = PairSynchronizer()
    before = synchronizer.counters.snapshot()
    synchronizer.push("rgb", Frame(IMAGE, 0), 0)
    assert before.received["rgb"] == 0
    assert synchronizer.counters.received["rgb"] == 1


def test_a_camera_that_dies_is_not_taken_for_one_out_of_step():
    synchronizer = PairSynchronizer()
    events = stream("rgb", 30, 3) + [
        event for event in stream("thermal", 9, 3) if event.arrival_ns < SECOND
    ]
    for event in sorted(events, key=lambda event: event.arrival_ns):
        synchronizer.push(event.camera, event.frame, event.arrival_ns)
        assert synchronizer.starved_ns(event.arrival_ns) == 0


@pytest.mark.parametrize("rate", [1.0, 1.6])
def test_a_slow_rgb_camera_is_paired_with_thermal_that_arrives_late(rate):
    synchronizer = PairSynchronizer()
    events = stream("rgb", rate, 20) + stream("thermal", 9, 20, delay_ms=600)
    paired = [pair for _, pair in play(synchronizer, events) if pair.rgb and pair.thermal]
    assert len(paired) >= 0.9 * 20 * rate


def test_the_skew_after_a_clock_has_jumped_is_the_new_one_at_once():
    synchronizer = PairSynchronizer()
    events = stream("rgb", 30, 3) + [
        Event(e.arrival_ns, e.camera, e.stamp_ns + 5 * SECOND * (e.stamp_ns > SECOND))
        for e in stream("thermal", 9, 3)
    ]
    told = []
    for event in sorted(events, key=lambda event: event.arrival_ns):
        synchronizer.push(event.camera, event.frame, event.arrival_ns)
        if synchronizer.starved_ns(event.arrival_ns):
            told.append(synchronizer.last_unpaired_skew_ns)
    assert told
    assert all(abs(skew - 5 * SECOND) < 5 * MS for skew in told)
