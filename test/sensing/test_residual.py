"""The residual of a registration: known shifts, inverted contrast, and what it must not say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import SIZE, clutter, moved, pair_of

from mdacl_ros.sensing.registration.edge_agreement import edges
from mdacl_ros.sensing.registration.residual import LEAST_PAIRS, Residual, ResidualEstimator
from mdacl_ros.sensing.registration.residual_alarm import ResidualAlarm, knocked_text


def estimate(pairs) -> Residual:
    estimator = ResidualEstimator()
    for pair in pairs:
        estimator.add(pair)
    residual = estimator.estimate()
    assert residual is not None
    return residual


@given(
    st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    st.sampled_from(["equal", "inverted", "partly inverted"]),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=12)
def test_a_known_shift_is_found_whatever_the_contrast(shift, contrast, seed):
    grey = clutter(seed)
    thermal = grey if contrast == "equal" else 255 - grey
    if contrast == "partly inverted":
        thermal[:, :160] = grey[:, :160]
    noise = np.random.default_rng(seed).normal(0, 4, (LEAST_PAIRS, *grey.shape))
    thermal = moved(thermal, shift)
    found = estimate(pair_of(grey, (thermal + n).astype(np.float32)) for n in noise)
    assert found.confident
    assert np.abs(np.array(found.shift) / 2 - shift).max() < 0.4  # cells of two pixels
    assert found.pixels == pytest.approx(np.hypot(*found.shift))
    told = found.regions[np.isfinite(found.regions).all(axis=2)]
    assert len(told) >= 4
    assert np.abs(np.median(told, axis=0) / 2 - shift).max() < 1.0


@given(st.integers(0, 999))
@settings(deadline=None, max_examples=10)
def test_unrelated_pictures_say_nothing(seed):
    found = estimate(pair_of(clutter(seed + i), clutter(-1 - seed - i + 5000)) for i in range(3))
    assert not found.confident


def test_darkness_says_nothing():
    rng = np.random.default_rng(0)
    dark = (rng.normal(3, 1.5, (4, *SIZE[::-1])).clip(0).astype(np.float32) for _ in range(1))
    found = estimate(pair_of(grey, clutter(1)) for grey in next(dark))
    assert not found.confident


def test_one_near_object_among_nothing_says_nothing():
    empty = np.full(SIZE[::-1], 90, np.float32)
    person = empty.copy()
    person[90:150, 130:190] = clutter(2)[90:150, 130:190]
    found = estimate([pair_of(person, moved(255 - person, (9, 0)))] * 5)
    assert not found.confident


def test_one_near_object_in_a_scene_does_not_move_the_whole():
    scene, near = clutter(3), clutter(4)
    thermal = 255 - scene
    scene[80:160, 110:210] = near[80:160, 110:210]
    thermal[80:160, 120:220] = near[80:160, 110:210]  # parallax of ten cells
    found = estimate([pair_of(scene, thermal)] * 3)
    assert found.confident
    assert found.pixels < 1.0


def test_what_thermal_does_not_see_does_not_count():
    grey = clutter(5)
    thermal, covered = moved(255 - grey, (6, 3)), np.zeros(grey.shape, bool)
    covered[40:200, 60:300] = True
    thermal[~covered] = 0  # a rim as strong as any edge
    found = estimate([pair_of(grey, thermal, covered=covered)] * 3)
    assert found.confident
    assert np.abs(np.array(found.shift) / 2 - (6, 3)).max() < 0.5


def test_few_pairs_are_not_enough_and_another_distance_begins_anew():
    estimator, grey = ResidualEstimator(), clutter(6)
    assert estimator.estimate() is None
    for _ in range(LEAST_PAIRS - 1):
        estimator.add(pair_of(grey, grey))
    assert not estimator.estimate().confident
    estimator.add(pair_of(grey, grey))
    assert estimator.estimate().confident
    estimator.add(pair_of(grey, moved(grey, (8, 0)), distance=3.0))
    assert estimator.estimate().pairs == 1
    assert estimator.estimate().shift[0] == pytest.approx(16, abs=0.5)
    estimator.reset()
    assert estimator.estimate() is None


@given(st.integers(0, 99), st.floats(0.3, 1.0))
@settings(deadline=None, max_examples=10)
def test_edges_are_those_of_the_negative(seed, gain):
    grey, seen = clutter(seed), np.ones(SIZE[::-1], bool)
    ours = edges(grey, seen)
    assert np.abs(edges(255 - grey, seen) - ours).max() < 1e-3
    assert np.linalg.norm(ours, axis=2).max() <= 3.0 + 1e-4
    assert (edges(grey, ~seen) == 0).all()
    weaker = edges(np.float32(gain) * grey, seen)
    assert np.abs(weaker - ours).mean() < 0.1  # local contrast counts, not its strength


def residual(pixels: float, confidence: float = 1.0) -> Residual:
    return Residual((pixels, 0.0), confidence, 9, np.zeros((3, 3, 2), np.float32), (640, 480))


def test_the_alarm_has_hysteresis_and_ignores_what_is_not_sure():
    alarm = ResidualAlarm()
    steps = [
        (residual(5.9), False),
        (residual(20.0, 0.3), False),  # not sure
        (residual(6.0), True),
        (residual(5.0), True),  # above three quarters of the bound
        (None, True),
        (residual(0.0, 0.3), True),  # darkness: the rig is as knocked as before
        (residual(4.4), False),
        (residual(5.0), False),
    ]
    for given_now, raised in steps:
        assert (alarm.update(given_now, 6.0) is not None) == raised
    alarm.update(residual(9.0), 6.0)
    alarm.reset()
    assert alarm.cause is None


def test_the_message_names_pixels_and_direction():
    found = Residual((7.6, -3.2), 1.0, 9, np.zeros((3, 3, 2), np.float32), (640, 480))
    assert knocked_text(found, calibrated=True) == (
        "rig seems misaligned: thermal off by about 8 px (+8, -3); calibrate again"
    )
    alone = knocked_text(found, calibrated=False)
    assert "off by about 8 px (+8, -3)" in alone
    assert "knocked" not in alone


def test_a_blow_is_noticed_although_the_pairs_before_it_count():
    estimator, alarm, scene = ResidualEstimator(), ResidualAlarm(), clutter(8)
    for _ in range(20):
        estimator.add(pair_of(scene, scene))
    for _ in range(8):  # 40 s at the default rate
        estimator.add(pair_of(scene, moved(scene, (5, 2))))  # cells of two pixels
        alarm.update(estimator.estimate(), 6.0)
    assert alarm.cause is not None
    assert alarm.cause.shift == pytest.approx((10, 4), abs=0.7)
