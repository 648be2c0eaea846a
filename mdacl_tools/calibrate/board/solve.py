"""From sightings to a calibrated rig: adjust, look again, leave out what does not fit, repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mdacl_ros.types import MODALITIES, BoolArray, Modality
from mdacl_tools.calibrate.board.appearance import BLURS, fit_features
from mdacl_tools.calibrate.board.board import Board, Points
from mdacl_tools.calibrate.board.bundle import Adjusted, Observation, State, adjust
from mdacl_tools.calibrate.board.lens_choice import choose_lenses
from mdacl_tools.calibrate.board.sighting import BoardView, Sighting
from mdacl_tools.calibrate.board.start import first_guess, singular

_LOOKS = 2  # times that features are fitted anew
_ROUGHLY = (0, 2, 3, 4, 5)  # what is adjusted meanwhile: square pixels, two radial coefficients
_RICHEST = (0, 1, 2, 3, 4, 5, 6, 7)  # what outliers are judged by: a lens that can follow the rest
_POINT_LIMIT = 4.0  # standard deviations of a point's error
_VIEW_LIMIT = 3.0  # times the median error of all views
_FEWEST = 3  # views with which outliers are still looked for
_LEAST_ERROR = {"view": 0.25, "sigma": 0.005}  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A calibrated rig and how well it explains what was seen.

    Attributes:
        adjusted: Unknowns, residuals and covariance.
        views: The views used, features fitted and numbered.
        observations: What was adjusted, in the order of the residuals.
        sigma: Standard deviation of a coordinate of each camera, in pixels.
        free: Indices of the unknowns of each lens that the evidence asked for.
        rejected: Name and reason of each view left out.
        dropped: Number of points left out of the views used.
    """

    adjusted: Adjusted
    views: list[BoardView]
    observations: list[Observation]
    sigma: dict[Modality, float]
    free: dict[Modality, tuple[int, ...]]
    rejected: list[tuple[str, str]]
    dropped: int


def solve(
    board: Board, views: Sequence[BoardView], sizes: dict[Modality, tuple[int, int]]
) -> Solution:
    """Calibrate both cameras.

    Args:
        board: The target.
        views: Seen by both cameras, numbered as each camera's detector did.
        sizes: ``(width, height)`` of the cameras' images.

    Raises:
        CalibrationError: The views do not determine the rig.
    """
    try:
        return _solve(board, views, sizes)
    except np.linalg.LinAlgError as error:
        raise singular("rig") from error


def _solve(
    board: Board, views: Sequence[BoardView], sizes: dict[Modality, tuple[int, int]]
) -> Solution:
    start = first_guess(board, views, sizes)
    state, kept, rejected = start.state, start.views, list(start.rejected)
    free: dict[Modality, tuple[int, ...]] = dict.fromkeys(MODALITIES, _ROUGHLY)
    sigma: dict[Modality, float] = dict.fromkeys(MODALITIES, 0.2)
    dropped = 0
    for _ in range(_LOOKS):
        observations = _observations(board, kept)
        adjusted, sigma = _adjust(state, observations, sigma, free)
        state = adjusted.state
        kept, lost = _fitted(board, kept, state)
        dropped += lost
    return _without_outliers(board, state, kept, rejected, dropped)


def _adjust(
    state: State,
    observations: Sequence[Observation],
    sigma: dict[Modality, float],
    free: dict[Modality, tuple[int, ...]],
) -> tuple[Adjusted, dict[Modality, float]]:
    """Adjust twice, errors weighed by what the first time showed."""
    adjusted = adjust(state, observations, sigma, free)
    sigma = _spread(observations, adjusted.residuals)
    adjusted = adjust(adjusted.state, observations, sigma, free)
    return adjusted, _spread(observations, adjusted.residuals)


def _spread(
    observations: Sequence[Observation], residuals: Sequence[Points]
) -> dict[Modality, float]:
    """Robust standard deviation of a coordinate by camera, in pixels."""
    sigma: dict[Modality, float] = {}
    for camera in MODALITIES:
        errors = [r for o, r in zip(observations, residuals, strict=True) if o.camera == camera]
        spread = 1.4826 * float(np.median(np.abs(np.concatenate(errors))))
        sigma[camera] = max(spread, _LEAST_ERROR["sigma"])
    return sigma


def _observations(board: Board, views: Sequence[BoardView]) -> list[Observation]:
    return [
        Observation(i, camera, board.points[seen.ids], seen.pixels)
        for i, view in enumerate(views)
        for camera, seen in view.sightings.items()
    ]


def _fitted(board: Board, views: Sequence[BoardView], state: State) -> tuple[list[BoardView], int]:
    """The views with their features fitted to the images, and how many were lost."""
    blur = {camera: _blur(board, views, state, camera) for camera in MODALITIES}
    fitted, lost = [], 0
    for i, view in enumerate(views):
        sightings: dict[Modality, Sighting] = {}
        for camera, seen in view.sightings.items():
            pose = state.board_in(camera, i)
            fit = fit_features(board, seen, state.lenses[camera], pose, blur[camera])
            good = fit.good if fit.good.sum() >= max(6, 0.5 * len(fit.good)) else ~fit.good
            if good is fit.good:
                seen = replace(seen, ids=seen.ids[good], pixels=fit.pixels[good])
                lost += int((~good).sum())
            sightings[camera] = seen
        fitted.append(replace(view, sightings=sightings))
    return fitted, lost


def _blur(board: Board, views: Sequence[BoardView], state: State, camera: Modality) -> float:
    """The point spread under which some of the views look most as they do."""
    seen = [i for i, view in enumerate(views) if camera in view.sightings]
    some = seen[:: max(1, len(seen) // 3)]
    misfits = []
    for blur in BLURS:
        fits = [
            fit_features(
                board,
                views[i].sightings[camera],
                state.lenses[camera],
                state.board_in(camera, i),
                blur,
            )
            for i in some
        ]
        misfits.append(float(np.median([fit.misfit for fit in fits])))
    return BLURS[int(np.argmin(misfits))]


def _without_outliers(
    board: Board,
    state: State,
    views: list[BoardView],
    rejected: list[tuple[str, str]],
    dropped: int,
) -> Solution:
    """Adjust until no view and no point stands out."""
    sigma: dict[Modality, float] = dict.fromkeys(MODALITIES, 0.1)
    free: dict[Modality, tuple[int, ...]] = dict.fromkeys(MODALITIES, _RICHEST)
    while True:
        observations = _observations(board, views)
        adjusted, sigma = _adjust(state, observations, sigma, free)
        bad = _bad_views(views, observations, adjusted.residuals)
        trimmed, lost = _trim(views, observations, adjusted.residuals, sigma)
        if not (bad or lost) or len(views) - len(bad) < _FEWEST:
            free, state = choose_lenses(adjusted.state, observations, sigma)
            adjusted, sigma = _adjust(state, observations, sigma, free)
            return Solution(adjusted, views, observations, sigma, free, rejected, dropped)
        rejected += [(views[i].name, reason) for i, reason in bad.items()]
        stay = [i for i in range(len(views)) if i not in bad]
        views = [trimmed[i] if not bad else views[i] for i in stay]
        dropped += lost if not bad else 0
        state = replace(adjusted.state, poses=adjusted.state.poses[stay])


def _bad_views(
    views: Sequence[BoardView], observations: Sequence[Observation], residuals: Sequence[Points]
) -> dict[int, str]:
    """Views whose error stands out, with the reason."""
    bad: dict[int, str] = {}
    for camera in MODALITIES:
        errors = {
            o.view: float(np.sqrt((r**2).sum(axis=1).mean()))
            for o, r in zip(observations, residuals, strict=True)
            if o.camera == camera
        }
        limit = max(_LEAST_ERROR["view"], _VIEW_LIMIT * float(np.median(list(errors.values()))))
        bad |= {i: f"{camera} error {e:.2f} px" for i, e in errors.items() if e > limit}
    return bad


def _trim(
    views: Sequence[BoardView],
    observations: Sequence[Observation],
    residuals: Sequence[Points],
    sigma: dict[Modality, float],
) -> tuple[list[BoardView], int]:
    """The views without the points whose error stands out, and how many those were."""
    sightings: list[dict[Modality, Sighting]] = [dict(view.sightings) for view in views]
    lost = 0
    for seen, residual in zip(observations, residuals, strict=True):
        good: BoolArray = np.hypot(*residual.T) <= _POINT_LIMIT * sigma[seen.camera] + 0.02
        if good.all():
            continue
        lost += int((~good).sum())
        old = sightings[seen.view][seen.camera]
        sightings[seen.view][seen.camera] = replace(old, ids=old.ids[good], pixels=old.pixels[good])
    return [replace(v, sightings=s) for v, s in zip(views, sightings, strict=True)], lost
