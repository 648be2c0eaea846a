import re
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdacl_ros.errors import CalibrationError
from mdacl_tools.calibrate.scene.evidence import SceneResult, estimate_scene
from mdacl_tools.calibrate.scene.placement import placement
from mdacl_tools.calibrate.scene.pyramid import ScenePairs
from mdacl_tools.calibrate.scene.warp_model import (
    corners,
    homography_of,
    parameters_of,
    resize_matrix,
    transform,
    unit_frame,
)

from ..scenes import SIZE, displaced, scene_pairs


@given(st.lists(st.floats(-0.2, 0.2), min_size=8, max_size=8))
def test_parameters_and_matrix_say_the_same(parameters):
    again = parameters_of(3.0 * homography_of(np.array(parameters)))
    assert np.allclose(again, parameters, atol=1e-12)


def test_resizing_keeps_the_image_corners_not_the_pixel_centres():
    matrix = resize_matrix((640, 480), (320, 240))
    outer = np.array([(-0.5, -0.5), (639.5, 479.5)])
    assert np.allclose(transform(matrix, outer), [(-0.5, -0.5), (319.5, 239.5)])


@cache
def _result() -> SceneResult:
    return estimate_scene(scene_pairs(1, 1, displaced()), np.eye(3))


def test_a_displaced_rig_is_found_in_spite_of_inverted_contrast():
    result = _result()
    found, true = (transform(m, corners(SIZE)) for m in (result.homography, displaced()))
    error = np.linalg.norm(found - true, axis=1)
    start = np.linalg.norm(corners(SIZE) - true, axis=1)
    assert start.max() > 15
    assert np.median(error) < 1.0
    assert error.max() < 2.0
    assert result.refusal == ""
    assert result.confidence > 0.8


@pytest.mark.parametrize("size", [-0.19, -0.122, 0.122, 0.19])
def test_other_fields_of_view_are_found_up_to_the_reach(size: float) -> None:
    result = estimate_scene(scene_pairs(1, 1, displaced(size)), np.eye(3))
    found, true = (transform(m, corners(SIZE)) for m in (result.homography, displaced(size)))
    assert result.refusal == ""
    assert np.median(np.linalg.norm(found - true, axis=1)) < 1.5


@pytest.mark.parametrize("size", [-0.26, 0.28])
def test_what_lies_beyond_the_reach_is_refused_with_its_measure(size: float) -> None:
    result = estimate_scene(scene_pairs(1, 1, displaced(size)), np.eye(3))
    assert re.search(
        r"differ by .* 2[4-9]\.\d% of size, wanted 56 pixels, 7 degrees, 20% of", result.refusal
    )
    assert "--initial" in result.refusal
    assert result.confidence == 0


def test_placement_measures_shift_rotation_and_size_of_the_middle() -> None:
    unit = unit_frame(SIZE)
    turn = homography_of(
        np.array((0.1, -0.05, 1.1 * np.cos(0.05) - 1, 1.1 * np.sin(0.05), 0, 0, 0, 0))
    )
    place = placement(np.linalg.inv(unit) @ turn @ unit, np.eye(3), SIZE)
    assert place.shift == pytest.approx(16)
    assert place.rotation == pytest.approx(np.degrees(0.05))
    assert place.scale == pytest.approx(1.1)
    assert place.within_reach


def test_the_reported_error_covers_the_true_one():
    result = _result()
    true = transform(displaced(), corners(SIZE))
    error = np.linalg.norm(transform(result.homography, corners(SIZE)) - true, axis=1)
    assert np.sqrt(np.mean(error**2)) < 3 * result.corner_error


def test_pictures_of_different_places_are_refused():
    result = estimate_scene(scene_pairs(1, 2, displaced()), np.eye(3))
    assert result.refusal
    assert result.confidence == 0


def test_flat_pictures_are_refused():
    rng = np.random.default_rng(0)
    rgb, thermal = rng.normal(0.5, 0.01, (2, 10, SIZE[1], SIZE[0])).astype(np.float32)
    flat = ScenePairs(rgb, thermal, np.ones(thermal.shape[1:], np.uint8), SIZE)
    assert estimate_scene(flat, np.eye(3)).refusal


def test_too_few_frames_are_an_error():
    pairs = scene_pairs(1, 1, displaced())
    few = ScenePairs(pairs.rgb[:5], pairs.thermal[:5], pairs.picture, SIZE)
    with pytest.raises(CalibrationError, match="got 5 pairs of frames, wanted 10"):
        estimate_scene(few, np.eye(3))
