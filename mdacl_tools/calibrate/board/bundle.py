"""Both cameras, their relative pose and every position of the board, adjusted together.

Levenberg-Marquardt on reprojection errors with Huber weights; derivatives are OpenCV's exact ones.
The layout of the unknowns: 9 of each camera (fx, fy, cx, cy, k1, k2, p1, p2, k3), the pose of the
RGB frame in the thermal camera (rotation vector, translation), then each view's board in the RGB
frame. Units are pixels, radians and metres.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_ros.types import MODALITIES, Modality
from mdacl_tools.calibrate.board.board import Indices, Points
from mdacl_tools.calibrate.board.optics import projected

LENS = 9
SHARED = 2 * LENS + 6
_START = {"rgb": 0, "thermal": LENS}
_POSE = 6
_STEPS = 40
_SETTLED = 1e-7  # relative change of the cost
_HUBER = 2.0  # standard deviations up to which an error counts squared


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """A board seen by one camera in one view.

    Attributes:
        view: Index of the view.
        camera: Which camera.
        points: ``(N, 3)`` metres in the board's frame.
        pixels: ``(N, 2)`` where they were seen.
    """

    view: int
    camera: Modality
    points: Points
    pixels: Points


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """All unknowns.

    Attributes:
        lenses: ``(9,)`` of each camera.
        relative: ``(6,)`` RGB frame -> thermal frame.
        poses: ``(V, 6)`` board -> RGB frame.
    """

    lenses: dict[Modality, Points]
    relative: Points
    poses: Points

    def moved(self, step: Points) -> State:
        """The state after adding a step in the layout of the unknowns."""
        lenses = {c: self.lenses[c] + step[_START[c] : _START[c] + LENS] for c in MODALITIES}
        poses = self.poses + step[SHARED:].reshape(-1, _POSE)
        return State(lenses, self.relative + step[2 * LENS : SHARED], poses)

    def board_in(self, camera: Modality, view: int) -> Points:
        """Pose ``(6,)`` of a view's board in a camera's frame."""
        pose = self.poses[view]
        if camera == "rgb":
            return pose
        return _composed(pose, self.relative)[0]


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """An adjustment that has settled.

    Attributes:
        state: The unknowns.
        residuals: ``(N, 2)`` seen minus predicted pixels of each observation.
        cost: Sum of Huber losses of the errors in standard deviations.
        covariance: Of all unknowns in their layout; zero for those held fixed.
    """

    state: State
    residuals: list[Points]
    cost: float
    covariance: Points


def adjust(
    state: State,
    observations: Sequence[Observation],
    sigma: Mapping[Modality, float],
    free: Mapping[Modality, Sequence[int]],
) -> Adjusted:
    """Find the unknowns that explain the observations best.

    Args:
        state: Where to start.
        observations: Errors are weighed by the cameras' ``sigma``.
        sigma: Standard deviation of a coordinate in pixels.
        free: Indices of each camera's unknowns that may change; without 1 (fy), fy moves with fx.

    Returns:
        The optimum.

    Raises:
        numpy.linalg.LinAlgError: The unknowns are not determined by the observations.
    """
    basis = _basis(free, len(state.poses))
    damping, hessian, gradient, cost, residuals = 1e-4, *_linearise(state, observations, sigma)
    for _ in range(_STEPS):
        reduced = basis.T @ hessian @ basis
        step = basis @ np.linalg.solve(
            reduced + damping * np.diag(np.diag(reduced)), basis.T @ gradient
        )
        trial = _linearise(candidate := state.moved(step), observations, sigma)
        if not trial[2] < cost:
            damping *= 10
            if damping > 1e8:
                break
            continue
        settled = cost - trial[2] < _SETTLED * cost
        state, (hessian, gradient, cost, residuals) = candidate, trial
        damping = max(damping / 10, 1e-9)
        if settled:
            break
    covariance = basis @ np.linalg.inv(basis.T @ hessian @ basis) @ basis.T
    return Adjusted(state, residuals, cost, covariance)


def _basis(free: Mapping[Modality, Sequence[int]], views: int) -> Points:
    """Columns span the changes that are allowed."""
    total = SHARED + _POSE * views
    columns = []
    for camera in MODALITIES:
        for index in free[camera]:
            column = np.zeros(total)
            column[_START[camera] + index] = 1
            if index == 0 and 1 not in free[camera]:
                column[_START[camera] + 1] = 1
            columns.append(column)
    lenses = np.column_stack(columns)
    return np.hstack((lenses, np.eye(total)[:, 2 * LENS :]))


def _linearise(
    state: State, observations: Sequence[Observation], sigma: Mapping[Modality, float]
) -> tuple[Points, Points, float, list[Points]]:
    """Weighed normal equations, cost and residuals at a state."""
    total = SHARED + _POSE * len(state.poses)
    hessian, gradient, cost = np.zeros((total, total)), np.zeros(total), 0.0
    residuals = []
    for seen in observations:
        predicted, jacobian, columns = _project(state, seen)
        residual = seen.pixels - predicted
        residuals.append(residual)
        size = np.hypot(*residual.T) / sigma[seen.camera]
        inside = size <= _HUBER
        cost += float(np.where(inside, size**2, 2 * _HUBER * size - _HUBER**2).sum())
        weight = np.where(inside, 1.0, _HUBER / np.maximum(size, _HUBER)) / sigma[seen.camera] ** 2
        weighed = jacobian * np.repeat(weight, 2)[:, None]
        hessian[np.ix_(columns, columns)] += weighed.T @ jacobian
        gradient[columns] += weighed.T @ residual.ravel()
    if not np.isfinite(cost):
        cost = float("inf")
    return hessian, gradient, cost, residuals


def _project(state: State, seen: Observation) -> tuple[Points, Points, Indices]:
    """Predicted pixels ``(N, 2)``, their derivatives ``(2N, C)`` and the columns' unknowns."""
    pose, start = state.poses[seen.view], SHARED + _POSE * seen.view
    lens_columns = np.arange(LENS) + _START[seen.camera]
    pose_columns = np.arange(start, start + _POSE)
    if seen.camera == "rgb":
        pixels, jacobian = projected(seen.points, state.lenses["rgb"], pose)
        return pixels, jacobian, np.concatenate((pose_columns, lens_columns))
    in_thermal, derivative = _composed(pose, state.relative)
    pixels, jacobian = projected(seen.points, state.lenses["thermal"], in_thermal)
    jacobian = np.hstack((jacobian[:, :_POSE] @ derivative, jacobian[:, _POSE:]))
    shared = np.arange(2 * LENS, SHARED)
    return pixels, jacobian, np.concatenate((pose_columns, shared, lens_columns))


def _composed(first: Points, second: Points) -> tuple[Points, Points]:
    """One motion ``(6,)`` after another, and its derivative ``(6, 12)`` by both."""
    turn, shift, *parts = cv2.composeRT(first[:3], first[3:], second[:3], second[3:])
    motion = np.concatenate((np.ravel(np.asarray(turn)), np.ravel(np.asarray(shift))))
    return np.asarray(motion, np.float64), np.asarray(np.block([parts[:4], parts[4:]]))
