"""Where features really are: the board's ideal look, blurred, laid over the image and shifted.

Detectors place a feature by rules of thumb (saddle points, centres of blobs), and a tilted circle's
centre is not where its blob has its own. Once lens and pose are known roughly, the picture around
each feature is known up to blur, brightness and contrast of either sign; a shift of a few tenths of
a pixel is fitted with those. Analysis by synthesis, in the spirit of Datta et al., "Accurate camera
calibration using iterative refinement of control points" (ICCV Workshops 2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdacl_ros.types import BoolArray
from mdacl_tools.calibrate.board.board import Board, Points
from mdacl_tools.calibrate.board.optics import normalised, projected, rotation_of
from mdacl_tools.calibrate.board.sighting import Sighting

BLURS = (0.5, 0.7, 0.9, 1.2, 1.6, 2.2)
"""Point spreads that are tried, in pixels."""

_PATCH = (3, 8)  # least and most half width in pixels
_REACH = 0.42  # of the distance to the nearest neighbour that a patch may reach
_STEPS = 6
_SETTLED = 1e-3  # pixels
_STRIDE = 0.7  # pixels a step may go
_UNLIKE = 0.5  # share of a patch's variance that may stay unexplained
_LOST = 3.0  # pixels of shift beyond which the fit has left the feature
_SLOPE = 1.2  # tanh(1.2 x) is within 0.02 of erf(x)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureFit:
    """Features fitted in one image.

    Attributes:
        pixels: ``(N, 2)``.
        good: ``(N,)`` where the fit settled on the feature.
        misfit: Mean squared error over variance of the patches; less is better.
    """

    pixels: Points
    good: BoolArray
    misfit: float


def fit_features(
    board: Board, sighting: Sighting, lens: Points, pose: Points, blur: float
) -> FeatureFit:
    """Fit the features of one sighting.

    Args:
        board: The target.
        sighting: Where to start, and the image.
        lens: ``(9,)`` see :mod:`.optics`.
        pose: ``(6,)`` board -> camera.
        blur: Standard deviation of the point spread in pixels.
    """
    patches = _patches(board, sighting, lens, pose)
    found = np.zeros((len(sighting.ids), 6))  # shift, contrast, brightness and its slopes
    for _ in range(_STEPS):
        step, misfit = _step(board, patches, found, blur)
        step[:, :2] = np.clip(step[:, :2], -_STRIDE, _STRIDE)
        found = found + step
        if np.abs(step[:, :2]).max() < _SETTLED:
            break
    pixels = patches.predicted + found[:, :2]
    away = np.hypot(*(pixels - sighting.pixels).T)
    good = patches.inside & (away < _LOST) & (misfit < _UNLIKE)
    good &= np.abs(step[:, :2]).max(axis=1) < 20 * _SETTLED
    return FeatureFit(pixels, good, float(np.median(misfit[good])) if good.any() else 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Patches:
    """Square patches around the predicted features.

    Attributes:
        predicted: ``(N, 2)`` pixels.
        pixels: ``(N, P, 2)`` of each patch, whole numbers.
        values: ``(N, P)`` the image there.
        metres: ``(N, 2, 2)`` derivative of the board's plane by pixels.
        offsets: ``(N, P, 2)`` metres on the board from the feature.
        weights: ``(N, P)`` 0 where something else is to be seen.
        inside: ``(N,)`` whether the patch lies in the image.
    """

    predicted: Points
    pixels: Points
    values: Points
    metres: Points
    offsets: Points
    weights: Points
    inside: BoolArray


def _patches(board: Board, sighting: Sighting, lens: Points, pose: Points) -> _Patches:
    points = board.points[sighting.ids]
    predicted, jacobian = _project(points, lens, pose)
    metres = np.asarray(np.linalg.inv(jacobian), np.float64)
    scale = 1 / np.linalg.norm(metres, ord=2, axis=(1, 2)).max()  # px per metre, foreshortened
    around = _window(board, scale, float(np.linalg.norm(jacobian, ord=2, axis=(1, 2)).max()))
    grid = np.stack(np.meshgrid(around, around), axis=-1).reshape(-1, 2)
    pixels = np.round(sighting.pixels)[:, None] + grid  # (N, P, 2)
    height, width = sighting.image.shape
    x, y = pixels[..., 0].astype(np.intp), pixels[..., 1].astype(np.intp)
    inside = ((x >= 0) & (x < width) & (y >= 0) & (y < height)).all(axis=1)
    values = sighting.image[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    plane = _on_board(pixels.reshape(-1, 2), lens, pose).reshape(*pixels.shape)
    offsets = plane - points[:, None, :2]
    weights = _weights(board, offsets, 1.5 / scale)
    return _Patches(predicted, pixels, values.astype(np.float64), metres, offsets, weights, inside)


def _window(board: Board, least: float, most: float) -> Points:
    """Offsets in pixels along a side of a patch, at least and at most so many pixels a metre."""
    reach = _REACH * board.neighbour_distance * least
    if board.kind in ("checkerboard", "charuco"):
        half = int(np.clip(reach, *_PATCH))
        return np.arange(-half, half + 1, dtype=np.float64)
    half = int(np.ceil(board.feature_size / 2 * most)) + _PATCH[0]  # the whole circle and around
    stride = -(-half // _PATCH[1])
    return np.arange(-(half // stride), half // stride + 1, dtype=np.float64) * stride


def _step(board: Board, patches: _Patches, found: Points, blur: float) -> tuple[Points, Points]:
    """One Gauss-Newton step ``(N, 6)``, and the misfit ``(N,)`` before it."""
    moved = patches.offsets - (patches.metres @ found[:, :2, None]).transpose(0, 2, 1)
    ideal, slope = _ideal(board, moved, patches.metres, blur)
    centred = patches.pixels - patches.predicted[:, None]
    look = [ideal, np.ones_like(ideal), centred[..., 0], centred[..., 1]]
    if not found.any():  # contrast and brightness first, without which no shift can be told
        found[:, 2:] = _solve(np.stack(look, axis=1), patches.values, patches.weights)
    gains = found[:, 2:, None]
    error = patches.values - sum(part * gains[:, i] for i, part in enumerate(look))
    moving = [-part * gains[:, 0] for part in slope]
    step = _solve(np.stack(moving + look, axis=1), error, patches.weights)
    weight = patches.weights
    mean = (weight * patches.values).sum(axis=1) / weight.sum(axis=1)
    spread = (weight * (patches.values - mean[:, None]) ** 2).sum(axis=1)
    return step, (weight * error**2).sum(axis=1) / np.maximum(spread, 1e-9)


def _ideal(
    board: Board, offsets: Points, metres: Points, blur: float
) -> tuple[Points, tuple[Points, Points]]:
    """Blurred look ``(N, P)`` in -1..1 and its derivatives by pixels along x and y."""
    sharp = _SLOPE / (2**0.5 * blur)
    x, y = offsets[..., 0], offsets[..., 1]
    (xx, xy), (yx, yy) = metres.transpose(1, 2, 0)[..., None]  # each (N, 1)
    if board.kind in ("checkerboard", "charuco"):
        first, second = sharp / np.hypot(xx, xy), sharp / np.hypot(yx, yy)  # per metre
        along, down = np.tanh(first * x), np.tanh(second * y)
        by_x, by_y = first * (1 - along**2) * down, second * (1 - down**2) * along
        return along * down, (by_x * xx + by_y * yx, by_x * xy + by_y * yy)
    radius = np.hypot(x, y) + 1e-12
    right, below = (x * xx + y * yx) / radius, (x * xy + y * yy) / radius
    length = np.hypot(right, below) + 1e-12  # metres of radius per pixel
    side = np.tanh(sharp * (board.feature_size / 2 - radius) / length)
    steep = -sharp * (1 - side**2) / length
    return side, (steep * right, steep * below)


def _weights(board: Board, offsets: Points, tolerance: float) -> Points:
    """1 on the feature, 0 on neighbours and, for ChArUco, on the markers inside the squares."""
    away = np.abs(offsets)
    near = (away < 0.5 * board.neighbour_distance).all(axis=2)
    if board.kind == "charuco":
        margin = (board.spacing - board.feature_size) / 2
        near &= away.min(axis=2) < max(margin - tolerance, 0.25 * margin)
    return np.asarray(near, np.float64)


def _solve(rows: Points, values: Points, weight: Points) -> Points:
    """Weighed least squares of each patch: ``(N, K, P)`` and ``(N, P)`` -> ``(N, K)``."""
    weighed = rows * weight[:, None]
    normal = weighed @ rows.transpose(0, 2, 1)
    size = np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-12
    normal = normal + 1e-10 * size * np.eye(rows.shape[1])
    return np.asarray(np.linalg.solve(normal, weighed @ values[..., None])[..., 0])


def _project(points: Points, lens: Points, pose: Points) -> tuple[Points, Points]:
    """Pixels ``(N, 2)`` and their derivative ``(N, 2, 2)`` by x and y on the board."""
    pixels, derivatives = projected(points, lens, pose)
    by_place = derivatives[:, 3:6].reshape(-1, 2, 3) @ rotation_of(pose[:3])
    return pixels, by_place[..., :2]


def _on_board(pixels: Points, lens: Points, pose: Points) -> Points:
    """Points of the board's plane, ``(N, 2)`` metres, that are seen at pixels."""
    back = np.linalg.inv(np.column_stack((rotation_of(pose[:3])[:, :2], pose[3:])))
    plane = np.column_stack((normalised(pixels, lens), np.ones(len(pixels)))) @ back.T
    return np.asarray(plane[:, :2] / plane[:, 2:])
