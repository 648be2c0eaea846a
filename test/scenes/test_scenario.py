"""The demo clip: phases, stamps, gaps, continuity."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from mdacl_ros.errors import ParameterError
from mdacl_tools.scenes import Scenario, SceneConfig, demo_scenario
from mdacl_tools.scenes.scenario import SECOND
from mdacl_tools.scenes.traffic import Track


def test_phases_follow_each_other_and_span_the_clip():
    clip = demo_scenario()
    assert [p.name for p in clip.phases] == ["day", "night", "smoke", "thermal_freeze", "recovery"]
    assert clip.phases[0].start_s == 0
    assert clip.phases[-1].end_s == clip.duration_s
    assert all(a.end_s == b.start_s for a, b in pairwise(clip.phases))
    assert clip.phase_at(0.0) == "day"
    assert clip.phase_at(19.0) == "thermal_freeze"
    assert clip.phase_at(clip.duration_s) == "recovery"


def test_conditions_match_the_phase_names():
    clip = demo_scenario()
    assert clip.conditions(2.0) == clip.conditions(0.0)
    assert clip.conditions(2.0).darkness == 0
    assert clip.conditions(9.0).darkness == 1
    assert clip.conditions(15.0).smoke > 0.8
    assert clip.conditions(20.0).smoke == 0


@pytest.mark.parametrize(("thermal_hz", "thermal_frames"), [(30.0, 720 - 75), (9.0, 216 - 22)])
def test_schedule_has_every_frame_but_the_frozen_ones(thermal_hz, thermal_frames):
    schedule = demo_scenario(thermal_hz=thermal_hz)._schedule()
    times = {c: [at for at, camera in schedule if camera == c] for c in ("rgb", "thermal")}
    assert len(times["rgb"]) == 720
    assert len(times["thermal"]) == thermal_frames
    assert not [t for t in times["thermal"] if 18.5 * SECOND <= t < 21.0 * SECOND]
    assert schedule == sorted(schedule)


def test_events_carry_stamps_encodings_and_truth():
    offset = 40_000_000
    clip = demo_scenario(thermal_clock_offset_ns=offset, thermal_size=(160, 120))
    clip = replace(clip, config=replace(clip.config, size=(320, 240)), duration_s=0.1)
    events = list(clip)
    assert [e.camera for e in events] == ["rgb", "thermal"] * 3
    for rgb, thermal in zip(events[::2], events[1::2], strict=True):
        assert thermal.stamp_ns - rgb.stamp_ns == offset
        assert thermal.arrival_ns == rgb.arrival_ns
        assert (rgb.encoding, thermal.encoding) == ("rgb8", "16UC1")
        assert thermal.image.shape == (120, 160)
        assert thermal.truth is None
        assert rgb.truth is not None
        assert rgb.truth.rgb is rgb.image
    again = list(clip)
    assert all(np.array_equal(a.image, b.image) for a, b in zip(events, again, strict=True))


def test_a_hung_camera_repeats_its_last_image_with_new_stamps():
    clip = demo_scenario(thermal_size=(80, 60))
    small = replace(clip.config, size=(160, 120), people=(2, 2))
    hung = replace(
        clip, config=small, duration_s=0.2, thermal_gaps=((0.1, 0.2),), repeats_in_gaps=True
    )
    thermal = [e for e in hung if e.camera == "thermal"]
    assert len(thermal) == 6
    assert all(np.array_equal(e.image, thermal[2].image) for e in thermal[3:])
    assert not np.array_equal(thermal[1].image, thermal[2].image)
    assert len({e.stamp_ns for e in thermal}) == 6


def test_clip_moves_smoothly():
    clip = demo_scenario()
    scene_config = replace(clip.config, size=(160, 120), thermal_size=(160, 120))
    few = replace(clip, config=scene_config, duration_s=0.2, thermal_hz=1.0)
    pictures = [e.image.astype(float) for e in few if e.camera == "rgb"]
    steps = [np.abs(a - b).mean() for a, b in pairwise(pictures)]
    assert max(steps) < 8


def test_nonpositive_rates_are_rejected():
    with pytest.raises(ParameterError, match="rgb_hz"):
        Scenario(config=SceneConfig(), phases=(), duration_s=1.0, rgb_hz=0.0)


def test_walkers_never_jump():
    track = Track((0.0, 4.0), (6.0, 9.0), 1.4, 2.0, True)
    spots = np.array([track.at(k / 30)[:2] for k in range(900)])
    assert np.linalg.norm(np.diff(spots, axis=0), axis=1).max() < 1.5 * 1.4 / 30
    headings = np.array([track.at(k / 30)[2] for k in range(900)])
    turns = np.abs(np.angle(np.exp(1j * np.diff(headings))))
    assert turns.max() < 0.2
