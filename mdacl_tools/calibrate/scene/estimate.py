"""Thermal onto RGB from ordinary frames: a search, then finer and finer pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from mdacl_tools.calibrate.scene.cell_matching import make_cells, match_cells
from mdacl_tools.calibrate.scene.fit import HomographyFit, fit_homography, spread_of
from mdacl_tools.calibrate.scene.pyramid import Level, ScenePairs
from mdacl_tools.calibrate.scene.warp_model import (
    PARAMETERS,
    SIMILARITY,
    Matrix,
    corners,
    transform,
    unit_frame,
)

SEARCH_SCALE = 0.2
SEARCH_FRAMES = 12
_COARSEST = 0.25
_MOST_MAGNIFIED = 2.0  # thermal pixels are not blown up beyond this: nothing is left to see


@dataclass(frozen=True, slots=True)
class _Stage:
    """One pass: scale of the canvas, blur, cells, reach and smoothing of the fit."""

    scale: float
    blur: float
    side: int
    step: int
    reach: int
    smoothing: tuple[float, ...]
    order: int


_STAGES = (
    _Stage(_COARSEST, 1.0, 32, 16, 8, (3.0, 1.5), SIMILARITY),
    _Stage(_COARSEST, 1.0, 32, 16, 8, (3.0, 1.5), SIMILARITY),
    _Stage(0.5, 1.0, 56, 32, 8, (3.0, 1.5), 6),
    _Stage(1.0, 1.0, 96, 60, 6, (3.0, 1.5), PARAMETERS),
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Where thermal lies.

    Attributes:
        to_canvas: ``(3, 3)`` thermal pixels -> canvas pixels.
        spread: ``(4,)`` standard deviation of the thermal image's corners in canvas pixels.
    """

    to_canvas: Matrix
    spread: Matrix


def refine(pairs: ScenePairs, frames: list[int], start: Matrix, guess: Matrix) -> Estimate:
    """Go from a start within a few pixels to the exact place.

    Args:
        pairs: The frames.
        frames: Which of them.
        start: Thermal pixels -> canvas pixels, from :func:`.scene_search.search` or known.
        guess: What stretch, shear and perspective are held against: the user's, or a mere scaling.
    """
    unit = unit_frame(pairs.canvas)
    magnified = pairs.canvas[0] / pairs.thermal_size[0]
    stages = [s for s in _STAGES if s.scale == _COARSEST or s.scale * magnified <= _MOST_MAGNIFIED]
    levels: dict[float, Level] = {}
    matrix, fit = start, None
    for number, stage in enumerate(stages, start=1):
        level = levels.setdefault(stage.scale, Level(pairs, stage.scale, stage.blur, frames))
        order = PARAMETERS if number == len(stages) else stage.order
        matrix, fit = _pass(level, replace(stage, order=order), matrix, guess, unit)
    assert fit is not None  # the coarsest stages are always there
    laid = transform(guess, corners(pairs.thermal_size))
    return Estimate(matrix, spread_of(fit, laid, unit))


def _pass(
    level: Level, stage: _Stage, matrix: Matrix, guess: Matrix, unit: Matrix
) -> tuple[Matrix, HomographyFit]:
    """Match the cells where the matrix lays them and fit anew."""
    cells = make_cells(level.size, stage.side, stage.step)
    surfaces = match_cells(level.thermal(matrix), level.rgb, cells, stage.reach)
    current = unit @ matrix @ np.linalg.inv(unit @ guess)
    fit = fit_homography(
        surfaces,
        cells.centres,
        unit @ np.linalg.inv(level.from_canvas),
        current / current[2, 2],
        stage.smoothing,
        stage.order,
    )
    better = np.linalg.inv(unit) @ fit.matrix @ unit @ guess
    return cast(Matrix, better / better[2, 2]), fit
