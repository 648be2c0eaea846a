from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.boxes import iou_matrix
from mdacl_ros.pipeline.reliance import (
    LEAST_EVIDENCE,
    HeldReliance,
    Reliance,
    evidence,
    exact_rgb_shares,
    hold_s,
    measure_reliance,
    reliance_of,
)
from mdacl_ros.types import Predictions

BOTH = (True, True)
PLACES = np.array([[0, 0, 20, 40], [100, 0, 140, 40]], np.float32)
amounts = st.floats(0, 50)


def predictions(
    both: list[float], rgb: list[float] | None = None, thermal: list[float] | None = None
) -> Predictions:
    """Two objects with their scores in each mode; the probe ran if single cameras are given."""
    levels = np.ones((1, 2, 3), np.float32)
    probed = rgb is not None and thermal is not None
    return Predictions(
        boxes=PLACES[None],
        scores=np.array([both], np.float32),
        labels=np.zeros((1, 2), np.int64),
        gates=levels,
        entropies=levels,
        energies=levels,
        alone_boxes=np.stack([PLACES, PLACES])[None] if probed else None,
        alone_scores=np.array([[rgb, thermal]], np.float32) if probed else None,
        alone_labels=np.zeros((1, 2, 2), np.int64) if probed else None,
    )


def test_known_reliance() -> None:
    """S = 1.3, 0.8 and 0.2: (0.8 - 0.2) / 1.3."""
    raw = predictions([0.9, 0.6], [0.9, 0.1], [0.05, 0.3])
    measured = measure_reliance(raw, BOTH, 0.7)
    assert measured is not None
    assert measured.evidence == pytest.approx((1.3, 0.8, 0.2))
    assert measured.value == pytest.approx(0.6 / 1.3)


@given(amounts, amounts, amounts)
@settings(max_examples=60, deadline=None)
def test_it_is_the_shapley_share(both: float, rgb: float, thermal: float) -> None:
    ours = reliance_of(both, rgb, thermal)
    if both < LEAST_EVIDENCE:
        assert ours is None
        return
    phi_rgb, phi_thermal = (both - thermal + rgb) / 2, (both - rgb + thermal) / 2
    wanted = np.clip((phi_rgb - phi_thermal) / (phi_rgb + phi_thermal), -1, 1)
    assert ours == pytest.approx(wanted, abs=1e-9)
    mirrored = reliance_of(both, thermal, rgb)
    assert mirrored is not None
    assert ours == pytest.approx(-mirrored)


@pytest.mark.parametrize(("present", "value"), [((True, False), 1.0), ((False, True), -1.0)])
def test_one_camera_needs_no_measurement(present: tuple[bool, bool], value: float) -> None:
    measured = measure_reliance(predictions([0.9, 0.05]), present, 0.7)
    assert measured is not None
    assert measured.value == value
    nothing = measure_reliance(predictions([0.2, 0.1]), present, 0.7)
    assert nothing is not None
    assert nothing.value is None


def test_two_cameras_need_the_probe() -> None:
    assert measure_reliance(predictions([0.9, 0.8]), BOTH, 0.7) is None


def test_duplicates_and_noise_are_no_evidence() -> None:
    boxes = np.array([[0, 0, 20, 40], [0, 0, 20, 39], *np.tile([50, 50, 60, 60], (98, 1))])
    scores = np.array([0.6, 0.5, *[0.08] * 98], np.float32)
    labels = np.zeros(100, np.int64)
    assert evidence(boxes.astype(np.float32), scores, labels, 0.7) == pytest.approx(0.5)


def test_shares_of_boxes_follow_the_fall_of_their_own_scores() -> None:
    raw = predictions([0.8, 0.8], [0.8, 0.2], [0.0, 0.6])
    assert exact_rgb_shares(raw) == pytest.approx([1.0, 0.25])
    assert exact_rgb_shares(predictions([0.8, 0.8])) is None


def test_overlap() -> None:
    other = np.array([[0, 0, 20, 20], [100, 0, 140, 40], [300, 0, 340, 40]], np.float32)
    assert iou_matrix(PLACES, other) == pytest.approx(np.array([[0.5, 0, 0], [0, 1, 0]]))


def test_a_measurement_holds_until_it_is_old_or_another_camera_takes_part() -> None:
    held, thermal = HeldReliance(), (False, True)
    assert held.update(None, BOTH, 0) is None
    assert held.update(Reliance(0.4, (1, 1, 0)), BOTH, 10) == 0.4
    assert held.update(None, BOTH, 10 + 1_000_000_000) == 0.4
    assert held.update(None, BOTH, 11 + 1_000_000_000) is None
    held.update(Reliance(0.4, (1, 1, 0)), BOTH, 10)
    assert held.update(Reliance(-1.0, (1, 0, 1)), thermal, 20) == -1.0
    assert held.update(None, BOTH, 30) is None
    assert held.update(Reliance(None, (0, 0, 0)), BOTH, 40) is None


@pytest.mark.parametrize(("rate", "seconds"), [(0.0, 1.0), (0.5, 5.0), (1.0, 2.5), (30.0, 1.0)])
def test_a_measurement_holds_until_two_did_not_arrive(rate: float, seconds: float) -> None:
    assert hold_s(rate) == seconds
    held, between = HeldReliance(), round(seconds * 1e9)
    held.update(Reliance(0.4, (1, 1, 0)), BOTH, 0, seconds)
    assert held.update(None, BOTH, between, seconds) == 0.4
    assert held.update(None, BOTH, between + 1, seconds) is None
