"""The interpolated map against the exact one, for rigs of all kinds."""

from __future__ import annotations

import numpy as np
import pytest
from exact_warp import exact_warp
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import clutter

from mdacl_ros.sensing.letterbox import Letterbox
from mdacl_ros.sensing.registration.dense_map import exact_thermal_map, thermal_map
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_ros.sensing.registration.thermal_registration import Registration

RGB, THERMAL = (320, 180), (160, 128)
BOX = Letterbox(RGB, (160, 96))
RGB_K = np.array([[228.0, 0, 160], [0, 228.0, 90], [0, 0, 1]])
THERMAL_K = np.array([[140.0, 0, 80], [0, 140.0, 64], [0, 0, 1]])
LENSES = {
    "plumb_bob": (-0.28, 0.1, 0.001, -0.002, 0.01),
    "rational_polynomial": (0.4, -0.1, 0.001, -0.002, 0.02, 0.7, -0.05, 0.03),
    "equidistant": (-0.02, 0.003, -0.001, 0.0004),
}


def rig(model: str, translation: tuple[float, float, float]) -> RigCalibration:
    return RigCalibration(
        "extrinsics",
        CameraModel(RGB, RGB_K, (-0.1, 0.03, 0.0, 0.0, 0.0)),
        CameraModel(THERMAL, THERMAL_K, LENSES[model], model),
        rotation=np.eye(3),
        translation=np.array(translation),
    )


def assert_close(
    some: RigCalibration, distance: float, box: Letterbox = BOX, within: float = 1 / 32
) -> None:
    quick, exact = (build(some, box, distance) for build in (thermal_map, exact_thermal_map))
    with np.errstate(invalid="ignore"):
        inside = ((exact >= -0.5) & (exact <= np.asarray(some.thermal.size) - 0.5)).all(axis=2)
        taken = ((quick >= -0.5) & (quick <= np.asarray(some.thermal.size) - 0.5)).all(axis=2)
    assert inside.any()
    assert (inside != taken).mean() < 1e-3  # pixels on the very rim
    assert np.abs(quick - exact)[inside].max() < within


@pytest.mark.parametrize("model", LENSES)
@given(
    st.tuples(*[st.floats(-0.2, 0.2)] * 3),
    st.floats(1.5, 100.0),
)
@settings(deadline=None, max_examples=8)
def test_the_interpolated_map_is_the_exact_one(model, translation, distance):
    assert_close(rig(model, translation), distance)


@given(st.lists(st.floats(-0.1, 0.1), min_size=8, max_size=8))
@settings(deadline=None, max_examples=10)
def test_homographies_too(noise):
    matrix = np.diag((2.0, 1.4, 1.0)) + np.array([*noise, 0.0]).reshape(3, 3)
    matrix[2, :2] *= 0.01
    some = RigCalibration("homography", CameraModel(RGB), CameraModel(THERMAL), 5.0, matrix)
    assert_close(some, 5.0)


def test_a_lens_that_folds_back_is_as_invisible_as_in_the_exact_map():
    folding = RigCalibration(
        "extrinsics",
        CameraModel(RGB, np.array([[60.0, 0, 160], [0, 60, 90], [0, 0, 1]])),
        CameraModel(THERMAL, THERMAL_K, (-0.5, 0.0, 0.0, 0.0, 0.0)),
        rotation=np.eye(3),
        translation=np.zeros(3),
    )
    box = Letterbox(RGB, (320, 192))
    exact = exact_thermal_map(folding, box, 5.0)
    assert np.isnan(exact).any()
    assert_close(folding, 5.0, box)


@pytest.mark.parametrize("target", [(120, 97), (161, 71), (8, 8), (7, 1)])
def test_targets_that_are_no_multiple_of_the_step(target):
    assert_close(rig("plumb_bob", (0.06, 0.0, 0.0)), 10.0, Letterbox(RGB, target))


def test_the_remap_is_within_half_a_grey_level_of_the_exact_warp():
    some = rig("plumb_bob", (0.06, 0.0, 0.0))
    image = clutter(0, size=THERMAL).astype(np.uint8)
    for target in ((320, 192), RGB):  # network input, and the RGB image itself
        registration = Registration(some, RGB, THERMAL, target, 8.0)
        exact = exact_warp(image, exact_thermal_map(some, registration.letterbox, 8.0))
        error = np.abs(registration.warp(image) - exact)[registration.coverage]
        assert np.isnan(error).mean() < 1e-3  # pixels on the very rim
        assert np.nanmean(error) < 0.5
