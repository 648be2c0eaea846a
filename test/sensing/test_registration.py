"""Registration: the cached map equals a slow exact reference, and points land within a pixel."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.errors import CalibrationError, ImageError
from mdacl_ros.sensing.registration.geometry import distort, rgb_from_thermal, thermal_from_rgb
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_ros.sensing.registration.thermal_registration import Registration

RGB, THERMAL, OUTPUT = (1280, 720), (320, 240), (320, 192)
RGB_K = np.array([[900.0, 0, 642.0], [0, 905.0, 355.0], [0, 0, 1]])
THERMAL_K = np.array([[300.0, 0, 158.0], [0, 301.0, 121.0], [0, 0, 1]])
FISHEYE_D = (-0.02, 0.003, -0.001, 0.0004)
RGB_D = (-0.28, 0.09, 0.001, -0.0005, -0.01)
THERMAL_D = (-0.35, 0.12, -0.0008, 0.0012, 0.0)


def rotation(x: float, y: float, z: float) -> np.ndarray:
    """Rotation by small angles in radians about x, then y, then z."""
    sines, cosines = np.sin((x, y, z)), np.cos((x, y, z))
    about_x = np.array([[1, 0, 0], [0, cosines[0], -sines[0]], [0, sines[0], cosines[0]]])
    about_y = np.array([[cosines[1], 0, sines[1]], [0, 1, 0], [-sines[1], 0, cosines[1]]])
    about_z = np.array([[cosines[2], -sines[2], 0], [sines[2], cosines[2], 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def extrinsic_rig(distance: float = 10.0) -> RigCalibration:
    return RigCalibration(
        "extrinsics",
        CameraModel(RGB, RGB_K, RGB_D),
        CameraModel(THERMAL, THERMAL_K, THERMAL_D),
        reference_distance=distance,
        rotation=rotation(0.01, -0.02, 0.005),
        translation=np.array([0.12, -0.03, 0.01]),
    )


def homography_rig() -> RigCalibration:
    matrix = np.array([[3.1, 0.05, 140.0], [-0.04, 3.05, 12.0], [2e-5, -1e-5, 1.0]])
    return RigCalibration("homography", CameraModel(RGB), CameraModel(THERMAL), 10.0, matrix)


RIGS = {"extrinsics": extrinsic_rig(), "homography": homography_rig()}
REGISTRATIONS = {kind: Registration(rig, RGB, THERMAL, OUTPUT) for kind, rig in RIGS.items()}


def brown_conrady(x: float, y: float, d: tuple[float, ...]) -> tuple[float, float]:
    """Brown-Conrady, written out: the reference for the lens model."""
    r2 = x * x + y * y
    radial = 1 + d[0] * r2 + d[1] * r2**2 + d[4] * r2**3
    return (
        x * radial + 2 * d[2] * x * y + d[3] * (r2 + 2 * x * x),
        y * radial + d[2] * (r2 + 2 * y * y) + 2 * d[3] * x * y,
    )


def slow_thermal_from_rgb(rig: RigCalibration, u: float, v: float) -> tuple[float, float]:
    """One pixel, scalar arithmetic: RGB pixel -> undistort -> plane -> thermal -> distort."""
    if rig.kind == "homography":
        x, y, w = np.linalg.solve(rig.homography, (u, v, 1.0))
        return x / w, y / w
    target = ((u - RGB_K[0, 2]) / RGB_K[0, 0], (v - RGB_K[1, 2]) / RGB_K[1, 1])
    x, y = target
    for _ in range(200):
        dx, dy = brown_conrady(x, y, RGB_D)
        x, y = x + target[0] - dx, y + target[1] - dy
    point = np.array([x, y, 1.0]) * rig.reference_distance
    point = rig.rotation.T @ (point - rig.translation)
    x, y = brown_conrady(point[0] / point[2], point[1] / point[2], THERMAL_D)
    return x * THERMAL_K[0, 0] + THERMAL_K[0, 2], y * THERMAL_K[1, 1] + THERMAL_K[1, 2]


@pytest.mark.parametrize("kind", RIGS)
def test_the_fixed_point_map_equals_the_slow_float_reference(kind):
    rig = RIGS[kind]
    registration = Registration(rig, RGB, THERMAL, OUTPUT)
    # A plane image reads back the map: bilinear interpolation of x is x itself.
    columns, rows = np.meshgrid(np.arange(320, dtype=np.float32), np.arange(240, dtype=np.float32))
    warped = np.stack((registration.warp(columns), registration.warp(rows)), axis=2)
    y, x = np.nonzero(registration.coverage)
    picked = np.random.default_rng(3).choice(len(x), 400, replace=False)
    scale = registration.letterbox.scale
    for i, j in zip(y[picked], x[picked], strict=True):
        exact = slow_thermal_from_rgb(rig, (j + 0.5) / scale[0] - 0.5, (i + 0.5) / scale[1] - 0.5)
        exact = np.clip(exact, 0, (319, 239))  # the outermost half pixel is held
        assert np.abs(warped[i, j] - exact).max() <= 1 / 32  # the map's fixed-point step


@pytest.mark.parametrize("kind", RIGS)
@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=50)
def test_geometry_inverts_itself(kind, x, y):
    rig = RIGS[kind]
    thermal = np.array([[x * 320, y * 240]])
    rgb = rgb_from_thermal(rig, thermal, 10.0)
    assert np.abs(thermal_from_rgb(rig, rgb, 10.0) - thermal).max() <= 1e-3


@pytest.mark.parametrize("kind", RIGS)
@given(st.integers(20, 280), st.integers(20, 200), st.integers(6, 20), st.integers(8, 30))
@settings(deadline=None, max_examples=25)
def test_a_hot_box_lands_within_one_pixel_of_the_inverse_transform(kind, x, y, width, height):
    rig = RIGS[kind]
    registration = REGISTRATIONS[kind]
    thermal = np.zeros((240, 320), np.float32)
    thermal[y : y + height, x : x + width] = 1.0
    warped = registration.warp(thermal)
    total = warped.sum()
    rows, columns = np.mgrid[:192, :320] + 0.5
    found = np.array([[(warped * columns).sum() / total, (warped * rows).sum() / total]])
    in_rgb = registration.letterbox.inverse(found)  # corner-based pixels, as boxes are
    # The centroid of the box's exact image in RGB, by mapping a fine grid of its points.
    across, down = np.meshgrid((np.arange(64) + 0.5) / 64, (np.arange(64) + 0.5) / 64)
    inside = np.column_stack((x - 0.5 + across.ravel() * width, y - 0.5 + down.ravel() * height))
    exact = rgb_from_thermal(rig, inside, rig.reference_distance) + 0.5
    hull = (exact >= 0).all() and (exact <= RGB).all()
    if hull:
        assert np.abs(in_rgb[0] - exact.mean(axis=0)).max() <= 1.0


@pytest.mark.parametrize("rgb", [(640, 480), (641, 481), (1280, 960), (333, 250)])
def test_without_a_rig_the_same_view_is_scaled(rgb):
    registration = Registration(None, rgb, (320, 240), (320, 256))
    assert registration.assumed_identity
    thermal = np.zeros((240, 320), np.float32)
    thermal[60:120, 80:160] = 1.0  # the second quarter of both sides
    rows, columns = np.nonzero(registration.warp(thermal) > 0.5)
    box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
    wanted = np.array([rgb[0] / 4, rgb[1] / 4, rgb[0] / 2, rgb[1] / 2])
    pixel = 1 / np.array(registration.letterbox.scale).min()
    assert np.abs(registration.letterbox.inverse(box)[0] - wanted).max() <= pixel


def test_equal_sizes_keep_every_pixel():
    thermal = np.random.default_rng(0).integers(0, 255, (480, 640)).astype(np.uint8)
    registration = Registration(None, (640, 480), (640, 480), (640, 480))
    assert (registration.warp(thermal) == thermal).all()
    assert registration.coverage.all()
    assert (registration.warp_to_rgb(thermal) == thermal).all()


def test_a_fine_thermal_image_is_averaged_not_sampled():
    thermal = np.zeros((960, 1280), np.float32)
    thermal[::4] = 1.0  # a quarter of the rows: sampling would see all or nothing
    warped = Registration(None, (1280, 960), (1280, 960), (320, 256)).warp(thermal)
    assert warped[:240].min() == pytest.approx(0.25)
    assert warped[:240].max() == pytest.approx(0.25)


def test_what_thermal_does_not_see_is_zero_and_not_present():
    registration = REGISTRATIONS["homography"]
    warped = registration.warp(np.ones((240, 320), np.float32))
    assert (warped > 0.999)[registration.coverage].all()
    assert (warped[~registration.coverage] == 0).all()
    cells = registration.present_cells()
    assert cells.shape == (6, 10)
    assert cells[2, 5] == 1
    assert cells[:, -1].sum() == 0


def test_the_display_warp_is_as_large_as_the_rgb_image():
    warped = REGISTRATIONS["homography"].warp_to_rgb(np.full((240, 320), 77, np.uint8))
    assert warped.shape == (720, 1280)
    assert warped.dtype == np.uint8
    assert set(np.unique(warped)) == {0, 77}


def test_a_far_scene_has_no_parallax_and_a_near_one_has():
    centre = np.array([[640.0, 360.0]])
    near, far, infinite = (
        thermal_from_rgb(extrinsic_rig(), centre, d) for d in (2.0, 1e6, math.inf)
    )
    assert np.abs(far - infinite).max() < 0.01
    baseline_px = 0.12 / 2.0 * 300  # baseline / distance * focal length
    assert abs(abs(near[0, 0] - infinite[0, 0]) - baseline_px) < 2.0


def test_strong_barrel_distortion_does_not_fold_the_outside_in():
    rig = RigCalibration(
        "extrinsics",
        CameraModel(RGB, np.array([[400.0, 0, 640], [0, 400.0, 360], [0, 0, 1]])),
        CameraModel(THERMAL, THERMAL_K, (-0.5, 0.0, 0.0, 0.0, 0.0)),
        rotation=np.eye(3),
        translation=np.zeros(3),
    )
    coverage = Registration(rig, RGB, THERMAL, OUTPUT).coverage
    assert coverage[90, 160]
    assert not coverage[:, :10].any()
    assert not coverage[:, -10:].any()


def test_fisheye_cameras_are_supported():
    fisheye = CameraModel(THERMAL, THERMAL_K, (-0.02, 0.003, -0.001, 0.0), "equidistant")
    rig = RigCalibration(
        "extrinsics",
        CameraModel(RGB, RGB_K, RGB_D),
        fisheye,
        rotation=np.eye(3),
        translation=np.zeros(3),
    )
    points = np.array([[640.0, 360.0], [500.0, 300.0]])
    there = thermal_from_rgb(rig, points, 5.0)
    assert np.abs(rgb_from_thermal(rig, there, 5.0) - points).max() < 1e-3


def beside_pinhole(camera: CameraModel) -> RigCalibration:
    """The camera and, in its place, a pinhole of 500 px around (2000, 2000) that shows its rays."""
    matrix = np.array([[500.0, 0, 2e3], [0, 500, 2e3], [0, 0, 1]])
    rgb = CameraModel((4000, 4000), matrix)
    return RigCalibration("extrinsics", rgb, camera, rotation=np.eye(3), translation=np.zeros(3))


@pytest.mark.parametrize("coefficients", [(0.0,) * 4, (-0.01, 0.002, 0.0, 0.0), FISHEYE_D])
def test_fisheye_angles_are_those_of_opencv_up_to_75_degrees(coefficients):
    camera = CameraModel(THERMAL, THERMAL_K, coefficients, "equidistant")
    rig = beside_pinhole(camera)
    angle, around = np.meshgrid(np.radians([0, 10, 40, 63, 70, 75]), np.arange(0, 6.0, 0.7))
    radius = np.tan(angle.ravel())
    plane = np.column_stack((radius * np.cos(around.ravel()), radius * np.sin(around.ravel())))
    pixels = cv2.fisheye.distortPoints(plane[:, None], THERMAL_K, np.array(coefficients))[:, 0]
    rays = (rgb_from_thermal(rig, pixels, math.inf) - 2000) / 500
    assert np.abs(rays - plane).max() < 1e-6
    inside = ((pixels > 0) & (pixels < THERMAL)).all(axis=1)
    back = thermal_from_rgb(rig, plane[inside] * 500 + 2000, math.inf)
    assert np.abs(back - pixels[inside]).max() < 1e-6


@pytest.mark.parametrize("coefficients", [(0.0,) * 4, (-0.01, 0.002, 0.0, 0.0)])
def test_two_equal_wide_fisheyes_see_every_pixel(coefficients):
    focal = 320 / math.radians(75)  # 150 degrees across a row of 640 pixels
    matrix = np.array([[focal, 0, 319.5], [0, focal, 239.5], [0, 0, 1]])
    camera = CameraModel((640, 480), matrix, coefficients, "equidistant")
    rig = RigCalibration("extrinsics", camera, camera, rotation=np.eye(3), translation=np.zeros(3))
    x, y = np.meshgrid(np.linspace(0, 639, 65), np.linspace(0, 479, 49))
    points = np.column_stack((x.ravel(), y.ravel()))
    within = np.hypot(*(points - (319.5, 239.5)).T) / focal < math.radians(88)
    assert np.abs(thermal_from_rgb(rig, points[within], math.inf) - points[within]).max() < 1e-6
    assert Registration(rig, (640, 480), (640, 480), (640, 480)).coverage.mean() > 0.9


def test_a_fisheye_shows_nothing_beyond_its_turning_point():
    matrix = np.array([[150.0, 0, 159.5], [0, 150, 119.5], [0, 0, 1]])
    folding = CameraModel(THERMAL, matrix, (-0.3, 0.0, 0.0, 0.0), "equidistant")  # at 60.4 degrees
    angles = np.radians([50.0, 60.0, 62.0, 75.0])
    pixels = np.column_stack((np.tan(angles) * 500 + 2000, np.full(4, 2000.0)))
    thermal = thermal_from_rgb(beside_pinhole(folding), pixels, math.inf)
    assert np.isfinite(thermal[:2]).all()
    assert np.isnan(thermal[2:]).all()


def test_different_aspect_ratios_need_a_rig():
    with pytest.raises(CalibrationError, match=r"1280x720 and thermal 320x240.*'calibration'"):
        Registration(None, RGB, THERMAL, OUTPUT)


def test_a_rig_for_other_sizes_is_refused():
    with pytest.raises(CalibrationError, match=r"thermal images are 640x512.*made for 320x240"):
        Registration(extrinsic_rig(), RGB, (640, 512), OUTPUT)


def test_a_homography_cannot_be_moved_to_another_distance():
    with pytest.raises(CalibrationError, match=r"got 5.0 m.*10.0 m only"):
        Registration(homography_rig(), RGB, THERMAL, OUTPUT, reference_distance=5.0)
    assert Registration(extrinsic_rig(), RGB, THERMAL, OUTPUT, reference_distance=5.0)


def test_cameras_that_see_nothing_in_common_are_refused():
    matrix = np.array([[1.0, 0, 5000], [0, 1, 0], [0, 0, 1]])
    rig = RigCalibration("homography", CameraModel(RGB), CameraModel(THERMAL), 10.0, matrix)
    with pytest.raises(CalibrationError, match="covers no pixel"):
        Registration(rig, RGB, THERMAL, OUTPUT)


def test_a_changed_resolution_is_refused_by_the_warp():
    with pytest.raises(ImageError, match="rebuild the registration"):
        REGISTRATIONS["homography"].warp(np.zeros((120, 160), np.float32))


@pytest.mark.parametrize(
    ("model", "coefficients"),
    [
        ("plumb_bob", (-0.3, 0.1, 0.001, -0.002, 0.02)),
        ("rational_polynomial", (0.4, -0.1, 0.001, -0.002, 0.02, 0.7, -0.05, 0.03)),
        ("equidistant", (-0.02, 0.003, -0.001, 0.0004)),
    ],
)
def test_lens_models_are_those_of_opencv(model, coefficients):
    plane = np.random.default_rng(0).uniform(-0.8, 0.8, (100, 2))
    ours = distort(CameraModel(RGB, RGB_K, coefficients, model), plane)
    if model == "equidistant":
        theirs = cv2.fisheye.distortPoints(plane[:, None], np.eye(3), np.array(coefficients))
    else:
        rays = np.column_stack((plane, np.ones(100)))
        zero = np.zeros(3)
        theirs, _ = cv2.projectPoints(rays, zero, zero, np.eye(3), np.array(coefficients))
    assert np.abs(ours - theirs[:, 0]).max() < 1e-12
