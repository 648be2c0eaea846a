"""Thermal of the wrong size: what is reported, and what must not be."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pictures import SIZE, clutter, moved, pair_of

from mdacl_ros.sensing.registration.aligned_pair import AlignedPair
from mdacl_ros.sensing.registration.residual import ResidualEstimator
from mdacl_ros.sensing.registration.warp_plausibility import (
    LEAST_PAIRS,
    Plausibility,
    examine,
    implausible_text,
    implausible_warp,
)


def resized(image: np.ndarray, sx: float, sy: float) -> np.ndarray:
    """The image made larger or smaller about its middle."""
    x, y = (SIZE[0] - 1) / 2, (SIZE[1] - 1) / 2
    matrix = np.array([[sx, 0, x - sx * x], [0, sy, y - sy * y]])
    return cv2.warpAffine(image, matrix, SIZE, borderMode=cv2.BORDER_REPLICATE)


def pairs(sx: float, sy: float, shift: tuple[float, float] = (0, 0)) -> list[AlignedPair]:
    """Scenes whose thermal image has sx, sy times its right size."""
    scenes = [clutter(seed) for seed in range(LEAST_PAIRS)]
    return [pair_of(grey, moved(resized(255 - grey, sx, sy), shift)) for grey in scenes]


def reported(given: list[AlignedPair]) -> Plausibility | None:
    estimator = ResidualEstimator()
    for pair in given:
        estimator.add(pair)
    return implausible_warp(estimator.estimate(), given)


@pytest.mark.parametrize(
    ("sx", "sy", "shift"), [(1.1, 0.78, (0, 0)), (1.42, 1.42, (5, -3)), (0.75, 0.75, (0, 6))]
)
def test_a_wrong_size_is_reported_with_what_would_fit(sx, sy, shift) -> None:
    found = reported(pairs(sx, sy, shift))
    assert found is not None
    assert found.gain > 1.2
    assert np.log(found.size) == pytest.approx(-np.log((sx, sy)), abs=0.13)  # the grid's step


@pytest.mark.parametrize("shift", [(0, 0), (12, -8)])
def test_the_right_size_is_not_reported_whether_displaced_or_not(shift) -> None:
    given = pairs(1.0, 1.0, shift)
    assert reported(given) is None
    assert not examine(given).implausible


def test_images_that_do_not_belong_together_are_not_reported() -> None:
    given = [pair_of(clutter(k), clutter(900 + k)) for k in range(LEAST_PAIRS)]
    assert reported(given) is None


def test_darkness_is_not_reported() -> None:
    rng = np.random.default_rng(0)
    dark = rng.normal(3, 1.5, (LEAST_PAIRS, *SIZE[::-1])).clip(0).astype(np.float32)
    assert reported([pair_of(grey, clutter(k)) for k, grey in enumerate(dark)]) is None


def test_few_pairs_or_pairs_of_another_size_say_nothing() -> None:
    given = pairs(1.42, 1.42)
    assert reported(given[:-1]) is None
    other = pair_of(clutter(1), clutter(1), cell=4.0)
    residual = ResidualEstimator()
    residual.add(other)
    assert implausible_warp(residual.estimate(), [*given[:-1], other]) is None
    assert implausible_warp(None, given) is None


def test_the_text_says_what_to_do() -> None:
    found = Plausibility(0.1, 0.25, 0.09, (0.91, 1.28))
    assert implausible_text(found, calibrated=True) == (
        "calibration does not fit these images: edges agree 2.5 times better with thermal at 0.91"
        " of its width and 1.28 of its height; calibrate again (docs/calibration.md)"
    )
    assert "; calibrate (docs" in implausible_text(found, calibrated=False)
