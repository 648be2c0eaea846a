from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.pipeline.dominance_reading import estimated_sensitivity, read_dominance, rgb_shares
from mdacl_ros.types import Predictions

values = st.tuples(st.floats(0.01, 1), st.floats(0.01, 1))
FEW = settings(max_examples=60, deadline=None)


def measured(
    entropy: tuple[float, float] = (0.8, 0.8),
    energy: tuple[float, float] = (1.0, 1.0),
    sensitivity: tuple[float, float] | None = None,
) -> Predictions:
    def levels(pair: tuple[float, float]) -> np.ndarray:
        return np.repeat(np.array(pair, np.float32)[None, :, None], 3, axis=2)

    exact = None if sensitivity is None else np.array([sensitivity], np.float32)
    return Predictions(
        boxes=np.zeros((1, 1, 4), np.float32),
        scores=np.zeros((1, 1), np.float32),
        labels=np.zeros((1, 1), np.int64),
        gates=levels((1.2, 0.7)),
        entropies=levels(entropy),
        energies=levels(energy),
        sensitivities=exact,
    )


BOTH = (True, True)


def test_balanced_cameras_read_zero() -> None:
    reading = read_dominance(measured(), BOTH)
    assert reading.mdi == pytest.approx(0, abs=1e-6)
    assert reading.dominance == pytest.approx((0.5, 0.5))
    assert reading.entropy == pytest.approx((0.8, 0.8))
    assert reading.gates == pytest.approx((1.2, 0.7))
    assert reading.exact_mdi is None


def test_known_reading() -> None:
    """Energies 9 : 1 and equal entropies give D = 3 : 1, so MDI = 0.5."""
    reading = read_dominance(measured(energy=(9, 1), sensitivity=(1, 4)), BOTH)
    assert reading.sensitivity == pytest.approx((0.9, 0.1))
    assert reading.mdi == pytest.approx(0.5, abs=1e-5)
    assert reading.exact_mdi == pytest.approx(-1 / 3, abs=1e-5)


@given(values, values)
@FEW
def test_range_and_antisymmetry(h: tuple[float, float], e: tuple[float, float]) -> None:
    ours = read_dominance(measured(h, e, e), BOTH)
    swapped = read_dominance(measured(h[::-1], e[::-1], e[::-1]), BOTH)
    assert -1 <= ours.mdi <= 1
    assert sum(ours.dominance) == pytest.approx(1)
    assert sum(ours.sensitivity) == pytest.approx(1)
    assert ours.mdi == pytest.approx(-swapped.mdi, abs=1e-5)
    assert ours.exact_mdi == pytest.approx(ours.mdi, abs=1e-4)  # slope 1: energy is sensitivity


@pytest.mark.parametrize(("present", "mdi"), [((True, False), 1.0), ((False, True), -1.0)])
def test_absent_camera_has_no_share(present: tuple[bool, bool], mdi: float) -> None:
    """Whatever was measured in the place of the absent camera."""
    reading = read_dominance(measured(energy=(1, 3), sensitivity=(2, 5)), present)
    assert reading.mdi == mdi
    assert reading.exact_mdi == mdi
    absent = present.index(False)
    assert reading.dominance[absent] == reading.entropy[absent] == reading.sensitivity[absent] == 0
    assert reading.sensitivity[1 - absent] == pytest.approx(1)


@given(values, st.floats(-2, 2), st.floats(-3, 3))
@FEW
def test_estimate_is_the_fitted_relation(
    e: tuple[float, float], slope: float, offset: float
) -> None:
    rgb, thermal = estimated_sensitivity(np.array(e), (slope, offset))
    assert rgb + thermal == pytest.approx(1)
    assert math.log(rgb / thermal) == pytest.approx(
        slope * math.log(e[0] / e[1]) + offset, abs=1e-5
    )


def test_dark_scene_without_any_energy_is_finite() -> None:
    reading = read_dominance(measured(entropy=(0, 0), energy=(0, 0), sensitivity=(0, 0)), BOTH)
    assert reading.mdi == pytest.approx(0, abs=1e-6)
    assert reading.exact_mdi == pytest.approx(0, abs=1e-6)


def boxes(rgb: list[float], thermal: list[float]) -> np.ndarray:
    return np.array([[rgb, thermal]], np.float32)


def test_a_box_rests_on_a_camera_by_its_share() -> None:
    raw = replace(measured(), box_energies=boxes([3, 0, 0], [1, 2, 0]))
    assert rgb_shares(raw, BOTH) == pytest.approx([0.75, 0.0, 0.5])


def test_leaving_out_a_camera_is_preferred_to_the_estimate() -> None:
    raw = replace(
        measured(),
        scores=np.full((1, 1), 0.8, np.float32),
        box_energies=boxes([3], [1]),
        alone_boxes=np.zeros((1, 2, 1, 4), np.float32),
        alone_scores=np.full((1, 2, 1), 0.8, np.float32),
        alone_labels=np.array([[[0], [1]]]),  # thermal alone takes it for something else
    )
    square = np.array([0, 0, 10, 10], np.float32)
    raw.boxes[:], raw.alone_boxes[:] = square, square
    assert rgb_shares(raw, BOTH) == pytest.approx([1.0])


@pytest.mark.parametrize(("present", "share"), [((True, False), 1.0), ((False, True), 0.0)])
def test_every_box_rests_on_the_only_camera(present: tuple[bool, bool], share: float) -> None:
    raw = replace(measured(), box_energies=boxes([1], [3]))
    assert rgb_shares(raw, present) == pytest.approx([share])


def test_an_engine_that_does_not_measure_boxes_has_no_shares() -> None:
    assert rgb_shares(measured(), BOTH) is None
