"""Where a pixel of one camera lies in the other: exact, slow, used to build the cached maps.

Pixel coordinates are OpenCV's (integers are pixel centres) in the images as delivered, with their
distortion. Points that the other camera cannot see are NaN.
"""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import numpy.typing as npt

from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration

Points = npt.NDArray[np.float64]

_ITERATIONS = 50
_SETTLED = 1e-9  # normalised units, far below a thousandth of a pixel
_DIVERGED = 1e-5  # a point that does not come back to here lies beyond the lens model
_SETTLED_ANGLE = 1e-13  # radians; its tangent is still exact to 1e-8 at the widest angle
_WIDEST = math.radians(89.8)  # a fisheye's rays reach z = 1 only in front of the camera
_ANGLE = np.polynomial.Polynomial((0.0, 1.0))
_SQUARE = _ANGLE**2


def thermal_from_rgb(rig: RigCalibration, points: Points, distance: float) -> Points:
    """Map RGB pixels to thermal pixels.

    Args:
        rig: The calibration.
        points: ``(N, 2)`` float64 RGB pixels.
        distance: Metres along the RGB optical axis at which the plane of the scene is assumed,
            ``math.inf`` for far away; used by extrinsics only.

    Returns:
        ``(N, 2)`` float64 thermal pixels, NaN where not visible.
    """
    if rig.kind == "identity":
        return _rescale(points, rig.rgb.size, rig.thermal.size)
    if rig.homography is not None:
        return _project(cast(Points, np.linalg.inv(_homography(rig))), points)
    rays = _rays(rig.rgb, points)  # (N, 3), z = 1 in the RGB frame
    rotation, translation = _pose(rig)
    offset = np.zeros(3) if math.isinf(distance) else translation / distance
    return _pixels(rig.thermal, (rays - offset) @ rotation)  # rows: R^T (ray - t / d)


def rgb_from_thermal(rig: RigCalibration, points: Points, distance: float) -> Points:
    """Map thermal pixels to RGB pixels; the inverse of :func:`thermal_from_rgb`.

    Args:
        rig: The calibration.
        points: ``(N, 2)`` float64 thermal pixels.
        distance: As for :func:`thermal_from_rgb`.

    Returns:
        ``(N, 2)`` float64 RGB pixels, NaN where not visible.
    """
    if rig.kind == "identity":
        return _rescale(points, rig.thermal.size, rig.rgb.size)
    if rig.homography is not None:
        return _project(_homography(rig), points)
    rotation, translation = _pose(rig)
    rays = _rays(rig.thermal, points) @ rotation.T  # (N, 3) in the RGB frame
    if not math.isinf(distance):
        depth = (distance - translation[2]) / rays[:, 2:]
        rays = np.where(depth > 0, rays * depth + translation, np.nan)
    return _pixels(rig.rgb, rays)


def _pose(rig: RigCalibration) -> tuple[Points, Points]:
    return np.asarray(rig.rotation, np.float64), np.asarray(rig.translation, np.float64)


def _homography(rig: RigCalibration) -> Points:
    """The matrix with its arbitrary sign set so that the thermal image lies in front."""
    matrix = np.asarray(rig.homography, np.float64)
    width, height = rig.thermal.size
    return matrix * np.sign(matrix[2] @ (width / 2, height / 2, 1.0))


def _rescale(points: Points, source: tuple[int, int], target: tuple[int, int]) -> Points:
    """Same view, other resolution; the images' corners coincide, not their corner pixels."""
    return (points + 0.5) * (np.asarray(target) / np.asarray(source)) - 0.5


def _project(matrix: Points, points: Points) -> Points:
    """Apply a homography; NaN where the result lies behind the image plane."""
    mapped = np.column_stack((points, np.ones(len(points)))) @ matrix.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(mapped[:, 2:] > 0, mapped[:, :2] / mapped[:, 2:], np.nan)


def _rays(camera: CameraModel, pixels: Points) -> Points:
    """Undistort pixels to rays with z = 1, ``(N, 3)``; NaN beyond the lens model."""
    distorted = _normalized(np.asarray(camera.matrix, np.float64), pixels)
    if camera.model == "equidistant":
        distorted = _undistort_equidistant(camera, distorted)
    elif any(camera.distortion):
        distorted = _undistort(camera, distorted)
    return np.column_stack((distorted, np.ones(len(distorted))))


def _undistort(camera: CameraModel, distorted: Points) -> Points:
    """Invert a perspective lens model by fixed-point steps; NaN where there is no inverse.

    They converge to rounding within a lens's field of view; what does not converge has no ray.
    OpenCV's undistortPoints stops early and reports neither.
    """
    plane, error = distorted.copy(), np.full_like(distorted, np.inf)
    active = np.arange(len(plane))
    with np.errstate(invalid="ignore", over="ignore"):
        for _ in range(_ITERATIONS):
            error[active] = distorted[active] - distort(camera, plane[active])
            plane[active] += error[active]
            active = active[np.abs(error[active]).max(axis=1) > _SETTLED]
            if active.size == 0:
                break
        plane[~(np.abs(error).max(axis=1) < _DIVERGED)] = np.nan
    return plane


def _undistort_equidistant(camera: CameraModel, distorted: Points) -> Points:
    """Invert a fisheye lens: Newton's method for the angle, kept inside a bracket by bisection.

    NaN at 90 degrees from the axis and beyond, which has no place on the plane z = 1, and where
    the lens polynomial has turned back.
    """
    radius = np.hypot(distorted[:, 0], distorted[:, 1])
    lens = np.polynomial.Polynomial((1.0, *camera.distortion))(_SQUARE) * _ANGLE
    slope = lens.deriv()
    high = np.full_like(radius, _last_angle(slope))
    known = radius <= lens(high)
    low, angle = np.zeros_like(radius), np.minimum(radius, high)
    for _ in range(_ITERATIONS):
        error = lens(angle) - radius
        low, high = np.where(error < 0, angle, low), np.where(error > 0, angle, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = angle - error / slope(angle)
        settled = angle
        angle = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        if (np.abs(angle - settled)[known] < _SETTLED_ANGLE).all():
            break
    ratio = np.divide(np.tan(angle), radius, out=np.ones_like(radius), where=radius > 0)
    return distorted * np.where(known, ratio, np.nan)[:, None]


def _last_angle(slope: np.polynomial.Polynomial) -> float:
    """The angle up to which a fisheye's image grows outward, below 90 degrees, in radians."""
    angles = np.linspace(0.0, _WIDEST, 2000)
    turned = np.flatnonzero(slope(angles) <= 0)
    return float(angles[turned[0] - 1]) if turned.size else _WIDEST


def _pixels(camera: CameraModel, points: Points) -> Points:
    """Project points of the camera's frame to its distorted image; NaN where not visible."""
    with np.errstate(divide="ignore", invalid="ignore"):
        plane = np.where(points[:, 2:] > 1e-9, points[:, :2] / points[:, 2:], np.nan)
    matrix = np.asarray(camera.matrix, np.float64)
    if camera.model != "equidistant" and not any(camera.distortion):
        return _denormalized(matrix, plane)
    pixels = _denormalized(matrix, distort(camera, plane))
    # Far outside the field of view a lens polynomial folds back into the image: only points that
    # undistort to where they came from are real.
    width, height = camera.size
    inside = (pixels > -1).all(axis=1) & (pixels[:, 0] < width) & (pixels[:, 1] < height)
    back = np.full_like(plane, np.nan)
    back[inside] = _rays(camera, pixels[inside])[:, :2]
    folded = ~(np.abs(back - plane).max(axis=1) < 1e-3)
    pixels[inside & folded] = np.nan
    return pixels


def distort(camera: CameraModel, plane: Points) -> Points:
    """Apply a lens model, as OpenCV's projectPoints and fisheye do, several times faster.

    Args:
        camera: Model and coefficients (OpenCV's order: k1, k2, p1, p2, k3, k4, k5, k6).
        plane: ``(N, 2)`` normalised coordinates.

    Returns:
        ``(N, 2)`` distorted normalised coordinates.
    """
    if camera.model == "equidistant":
        radius = np.hypot(plane[:, 0], plane[:, 1])
        theta = np.arctan(radius)
        powers = np.polynomial.polynomial.polyval(theta**2, (1.0, *camera.distortion))
        ratio = np.divide(theta * powers, radius, out=np.ones_like(radius), where=radius > 0)
        return plane * ratio[:, None]
    k1, k2, p1, p2, k3, k4, k5, k6 = (*camera.distortion, *[0.0] * (8 - len(camera.distortion)))
    x, y = plane[:, 0], plane[:, 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    if k4 or k5 or k6:
        radial /= 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
    xy = 2 * x * y
    return np.column_stack(
        (
            x * radial + p1 * xy + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + p2 * xy,
        )
    )


def _normalized(matrix: Points, pixels: Points) -> Points:
    """Pixels -> normalised image plane, undoing K (skew included)."""
    y = (pixels[:, 1] - matrix[1, 2]) / matrix[1, 1]
    x = (pixels[:, 0] - matrix[0, 2] - matrix[0, 1] * y) / matrix[0, 0]
    return np.column_stack((x, y))


def _denormalized(matrix: Points, plane: Points) -> Points:
    """Normalised image plane -> pixels, applying K."""
    return plane @ matrix[:2, :2].T + matrix[:2, 2]
