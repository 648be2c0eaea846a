"""One homography that suits all cells best, no more bent than the evidence bears.

The sum of the cells' correlation surfaces is climbed with Levenberg-Marquardt steps. A similarity
is free; stretch, shear and perspective have to earn their place: a Gaussian prior holds them, with
a weight set by how much the cells contradict each other. So a scene with structure everywhere gives
a homography, and a scene with little gives a similarity, with all degrees in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from mdacl_ros.types import FloatArray
from mdacl_tools.calibrate.scene.warp_model import (
    PARAMETERS,
    SIMILARITY,
    Matrix,
    homography_of,
    parameters_of,
    transform,
)

PRIOR = 0.05
"""Standard deviation expected of stretch, shear and perspective, in units of half the width.

Cameras side by side that are turned towards each other by 4 degrees show about 0.03.
"""

_STEPS = 30
_SETTLED = 0.003  # pixels
_DIFFERENCE = 1e-6  # of parameters, for derivatives
_OVERLAP = 2.0  # cells share half their pixels with the next: each contradiction counts twice


@dataclass(frozen=True, slots=True)
class HomographyFit:
    """The homography that suits best.

    Attributes:
        matrix: ``(3, 3)`` float64 in unit coordinates.
        covariance: ``(8, 8)`` of its parameters, from the cells' contradictions and the prior.
    """

    matrix: Matrix
    covariance: Matrix


@dataclass(frozen=True, slots=True)
class _Slopes:
    """Gradient and curvature of the agreement at one homography."""

    jacobian: Matrix  # (C, 2, P) pixels per parameter
    pull: Matrix  # (C, P) gradient of each cell
    hessian: Matrix  # (P, P) negated and made positive


class _Climb:
    """The agreement as a function of the parameters."""

    def __init__(
        self, surfaces: FloatArray, centres: Matrix, unit: Matrix, current: Matrix, count: int
    ) -> None:
        self._reach = surfaces.shape[1] // 2
        self._centres, self._count = centres, count
        self._from_unit = np.linalg.inv(unit)
        self._unit_points = transform(np.linalg.inv(current) @ unit, centres)
        self._maps = _derivatives(surfaces)

    def shifts(self, parameters: Matrix) -> Matrix:
        """How far a homography moves each cell from where it lies, ``(C, 2)`` pixels."""
        moved = transform(self._from_unit @ homography_of(parameters), self._unit_points)
        return moved - self._centres

    def value(self, parameters: Matrix) -> float:
        """Agreement of all cells."""
        return float(self._sample(self.shifts(parameters))[:, 0].sum())

    def slopes(self, parameters: Matrix) -> _Slopes:
        """Gradient of each cell, curvature of all."""
        here = self.shifts(parameters)
        steps = _DIFFERENCE * np.eye(PARAMETERS)[: self._count]
        jacobian = np.stack(
            [(self.shifts(parameters + step) - here) / _DIFFERENCE for step in steps], axis=-1
        )
        inside = (np.abs(here) < self._reach).all(axis=1)[:, None]
        values = self._sample(here)
        bend = -values[:, [3, 4, 4, 5]].reshape(-1, 2, 2)
        strength, axes = np.linalg.eigh(bend)
        strength = np.maximum(strength, 0) * inside  # a cell beside its peak has no say on width
        bend = (axes * strength[:, None]) @ axes.transpose(0, 2, 1)
        hessian = np.einsum("cip,cij,cjq->pq", jacobian, bend, jacobian)
        pull = np.einsum("cip,ci->cp", jacobian, values[:, 1:3] * inside)
        return _Slopes(jacobian, pull, hessian)

    def _sample(self, shifts: Matrix) -> Matrix:
        """Value, gradient and second derivatives ``(C, 6)`` between the pixels of the surfaces."""
        place = np.clip(shifts + self._reach, 0, 2 * self._reach - 1e-6)
        corner = place.astype(int)
        (x, y), rest = corner.T, place - corner
        fx, fy = rest[:, :1], rest[:, 1:]
        maps, cell = self._maps, np.arange(len(corner))
        upper = maps[cell, y, x] * (1 - fx) + maps[cell, y, x + 1] * fx
        lower = maps[cell, y + 1, x] * (1 - fx) + maps[cell, y + 1, x + 1] * fx
        return cast(Matrix, upper * (1 - fy) + lower * fy)


def fit_homography(
    surfaces: FloatArray,
    centres: Matrix,
    unit: Matrix,
    current: Matrix,
    blurs: tuple[float, ...],
    order: int = PARAMETERS,
) -> HomographyFit:
    """Find the homography on which the cells agree.

    Args:
        surfaces: ``(C, 2 reach + 1, 2 reach + 1)`` of :func:`.cell_matching.match_cells`.
        centres: ``(C, 2)`` cells' centres in pixels of the level.
        unit: Pixels of the level -> unit coordinates (:func:`.warp_model.unit_frame`).
        current: The homography, in unit coordinates, that lays thermal where it was matched.
        blurs: Smoothing of the surfaces in pixels, widest first: far off, then exact.
        order: Parameters that may change: 4 a similarity, 8 a homography.
    """
    parameters = parameters_of(current)
    noise, damped = 0.0, np.zeros((order, order))
    slopes = None
    for blur in blurs:
        smoothed = np.stack([cv2.GaussianBlur(s, (0, 0), blur) for s in surfaces])
        climb = _Climb(smoothed, centres, unit, current, order)
        for _ in range(2):  # the second time with the noise that the first one saw
            prior = noise * _prior_weight(order)
            parameters = _climb(climb, parameters, prior)
            slopes = climb.slopes(parameters)
            damped = slopes.hessian + 1e-9 * np.eye(order) * (np.trace(slopes.hessian) + 1e-9)
            spread = slopes.pull.T @ slopes.pull * _OVERLAP
            noise = float(np.trace(np.linalg.solve(damped, spread))) / order
    weight = damped / max(noise, 1e-12) + np.diag(_prior_weight(order))
    covariance = np.zeros((PARAMETERS, PARAMETERS))
    covariance[:order, :order] = np.linalg.inv(weight)
    return HomographyFit(homography_of(parameters), covariance)


def spread_of(fit: HomographyFit, points: Matrix, unit: Matrix) -> Matrix:
    """Standard deviation of where a fit maps points.

    Args:
        fit: The fit.
        points: ``(N, 2)`` pixels, before the homography.
        unit: Pixels -> unit coordinates.

    Returns:
        ``(N,)`` pixels.
    """
    parameters = parameters_of(fit.matrix)

    def place(p: Matrix) -> Matrix:
        return transform(np.linalg.inv(unit) @ homography_of(p) @ unit, points)

    steps = _DIFFERENCE * np.eye(PARAMETERS)
    jacobian = np.stack(
        [(place(parameters + step) - place(parameters)) / _DIFFERENCE for step in steps], axis=-1
    )
    variance = np.einsum("nip,pq,niq->n", jacobian, fit.covariance, jacobian)
    return cast(Matrix, np.sqrt(variance))


def _climb(climb: _Climb, parameters: Matrix, prior: Matrix) -> Matrix:
    """Levenberg-Marquardt steps to the nearest maximum."""
    order, damping = len(prior), 1e-3

    def goal(p: Matrix) -> float:
        return climb.value(p) - float(prior @ p[:order] ** 2) / 2

    best = goal(parameters)
    for _ in range(_STEPS):
        slopes = climb.slopes(parameters)
        gradient = slopes.pull.sum(axis=0) - prior * parameters[:order]
        scale = (float(np.diag(slopes.hessian).max()) + 1e-9) * np.eye(order)
        for _ in range(6):
            step = np.zeros(PARAMETERS)
            hessian = slopes.hessian + np.diag(prior) + damping * scale
            step[:order] = np.linalg.solve(hessian, gradient)
            reached = goal(parameters + step)
            if reached > best:
                break
            damping *= 5
        else:
            return parameters
        moved = np.abs(slopes.jacobian @ step[:order]).max()
        parameters, best, damping = parameters + step, reached, max(damping / 5, 1e-8)
        if moved < _SETTLED:
            break
    return parameters


def _prior_weight(order: int) -> Matrix:
    """Inverse variance of each parameter; 0 for those of a similarity."""
    weight = np.zeros(order)
    weight[SIMILARITY:] = PRIOR**-2
    return weight


def _derivatives(surfaces: FloatArray) -> Matrix:
    """Value, gradient x, y, second derivatives xx, xy, yy: ``(C, N, N, 6)``."""
    y, x = np.gradient(surfaces, axis=(1, 2))
    yy = np.gradient(y, axis=1)
    xy, xx = np.gradient(x, axis=(1, 2))
    return np.stack((surfaces, x, y, xx, xy, yy), axis=-1)
