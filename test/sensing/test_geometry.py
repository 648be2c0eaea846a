"""Invariants of the geometry, for rigs drawn at random."""

from __future__ import annotations

import math

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.sensing.registration.geometry import rgb_from_thermal, thermal_from_rgb
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration

RGB, THERMAL = (1280, 720), (640, 512)
RGB_K = np.array([[910.0, 0, 640], [0, 905, 360], [0, 0, 1]])
THERMAL_K = np.array([[560.0, 0, 320], [0, 565, 256], [0, 0, 1]])
LENSES = st.sampled_from(
    [
        ("plumb_bob", ()),
        ("plumb_bob", (-0.28, 0.1, 0.001, -0.0005, 0.0)),
        ("rational_polynomial", (0.4, -0.1, 0.001, -0.002, 0.02, 0.7, -0.05, 0.03)),
        ("equidistant", (-0.02, 0.003, -0.001, 0.0004)),
    ]
)
ANGLES = st.tuples(*[st.floats(-0.08, 0.08)] * 3)
OFFSETS = st.tuples(*[st.floats(-0.15, 0.15)] * 3)
DISTANCES = st.one_of(st.floats(1.5, 200.0), st.just(math.inf))
X, Y = np.meshgrid(np.linspace(0, 1279, 9), np.linspace(0, 719, 7))
GRID = np.column_stack((X.ravel(), Y.ravel()))


def rig(angles, offset, rgb=("plumb_bob", ()), thermal=("plumb_bob", ())) -> RigCalibration:
    return RigCalibration(
        "extrinsics",
        CameraModel(RGB, RGB_K, rgb[1], rgb[0]),
        CameraModel(THERMAL, THERMAL_K, thermal[1], thermal[0]),
        rotation=cv2.Rodrigues(np.array(angles, float))[0],
        translation=np.array(offset),
    )


@given(ANGLES, OFFSETS, DISTANCES, LENSES, LENSES)
@settings(deadline=None, max_examples=40)
def test_there_and_back_is_where_it_was(angles, offset, distance, rgb, thermal):
    some = rig(angles, offset, rgb, thermal)
    there = thermal_from_rgb(some, GRID, distance)
    inside = ((there >= 0) & (there <= (639, 511))).all(axis=1)
    assert inside.any()
    back = rgb_from_thermal(some, there[inside], distance)
    assert np.abs(back - GRID[inside]).max() < 1e-3


@given(ANGLES, OFFSETS, DISTANCES)
@settings(deadline=None, max_examples=40)
def test_without_distortion_it_is_the_homography_of_the_plane(angles, offset, distance):
    """H = K_t R^T (I - t n^T / d) K_rgb^-1, n along the RGB axis (Hartley, Zisserman, ch. 13)."""
    some = rig(angles, offset)
    plane = np.outer(offset, (0, 0, 1)) / distance
    rotation = np.asarray(some.rotation)
    matrix = THERMAL_K @ rotation.T @ (np.eye(3) - plane) @ np.linalg.inv(RGB_K)
    expected = np.column_stack((GRID, np.ones(len(GRID)))) @ matrix.T
    expected = expected[:, :2] / expected[:, 2:]
    assert np.abs(thermal_from_rgb(some, GRID, distance) - expected).max() < 1e-6


@given(st.floats(-0.2, 0.2), st.floats(1.5, 50), st.floats(1.5, 50))
@settings(deadline=None, max_examples=40)
def test_parallax_is_baseline_times_focal_length_over_distance(baseline, near, far):
    some = rig((0, 0, 0), (baseline, 0, 0))
    moved = thermal_from_rgb(some, GRID, near) - thermal_from_rgb(some, GRID, far)
    assert np.abs(moved[:, 0] + baseline * 560 * (1 / near - 1 / far)).max() < 1e-6
    assert np.abs(moved[:, 1]).max() < 1e-9


@given(st.floats(0.5, 200.0), LENSES)
@settings(deadline=None, max_examples=20)
def test_one_camera_twice_is_the_identity(distance, lens):
    camera = CameraModel(RGB, RGB_K, lens[1], lens[0])
    same = RigCalibration("extrinsics", camera, camera, rotation=np.eye(3), translation=np.zeros(3))
    mapped = thermal_from_rgb(same, GRID, distance)
    assert np.abs(mapped - GRID).max() < 1e-3
