"""How far an estimate is to be trusted, and when it is not one.

Three witnesses: two disjoint halves of the frames, estimated apart from the start on, have to put
the corners at one place; the real pictures have to agree clearly better than mirrored ones, which
have the same edges at places where they cannot fit; and the parts of the image must not contradict
each other by more than the corner error that is reported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mdacl_ros.errors import CalibrationError
from mdacl_tools.calibrate.scene.estimate import (
    SEARCH_FRAMES,
    SEARCH_SCALE,
    Estimate,
    refine,
)
from mdacl_tools.calibrate.scene.placement import REACH_TEXT, placement
from mdacl_tools.calibrate.scene.pyramid import Level, ScenePairs
from mdacl_tools.calibrate.scene.search import SearchResult, search
from mdacl_tools.calibrate.scene.warp_model import Matrix, corners, transform

FEWEST_FRAMES = 10
"""Pairs below which nothing is estimated: two halves of five."""

LARGEST_ERROR = 8.0
"""Estimated corner error, in pixels of a 640 pixel wide image, beyond which a result is refused."""

LEAST_MARGIN = 1.15
"""Agreement of the true pictures against that of mirrored ones."""

_DEEPEST = 0.25  # perspective in units of half the width: no rig's horizon is as near as 4 halves


@dataclass(frozen=True, slots=True)
class SceneResult:
    """A calibration from ordinary frames, with what speaks for it.

    Attributes:
        homography: ``(3, 3)`` float64, thermal pixels -> RGB pixels.
        confidence: In [0, 1]; 0 where refused.
        corner_error: Estimated error of the thermal image's corners in RGB pixels (root mean
            square).
        halves_differ: ``(4,)`` distance in RGB pixels between the two halves' corners.
        spread: ``(4,)`` standard deviation of the corners by the cells' contradictions, RGB pixels.
        agreement: Of edges in [-1, 1], all frames together, at the start of the search.
        chance: The same with mirrored thermal pictures.
        refusal: Why this must not be used; empty if it may.
    """

    homography: Matrix
    confidence: float
    corner_error: float
    halves_differ: Matrix
    spread: Matrix
    agreement: float
    chance: float
    refusal: str


def estimate_scene(pairs: ScenePairs, guess: Matrix) -> SceneResult:
    """Estimate from all frames and from two halves, and judge.

    Args:
        pairs: Frames of an ordinary scene.
        guess: Thermal pixels -> RGB pixels, right to 56 pixels, 7 degrees and 20 percent of size
            (of a 640 pixel wide image).

    Returns:
        The result; look at its ``refusal`` before using it.

    Raises:
        CalibrationError: Too few frames, or a geometry that cannot be computed with.
    """
    count = len(pairs.rgb)
    if count < FEWEST_FRAMES:
        raise CalibrationError(
            f"scene calibration: got {count} pairs of frames, wanted {FEWEST_FRAMES} or more;"
            " record for longer"
        )
    laid = pairs.to_canvas @ guess
    everything = list(range(count))
    halves = everything[: count // 2], everything[count // 2 :]
    starts, chance = _starts(pairs, laid)
    try:
        whole, *parts = (
            refine(pairs, frames, start.to_canvas, laid)
            for frames, start in zip((everything, *halves), starts, strict=True)
        )
        return _judge(pairs, laid, whole, parts, starts, chance)
    except np.linalg.LinAlgError as error:
        raise CalibrationError(
            "scene calibration: the geometry found is singular, no camera sees like that; record"
            " where both cameras see edges (buildings, trees, people)"
        ) from error


def _starts(pairs: ScenePairs, laid: Matrix) -> tuple[list[SearchResult], float]:
    """Starts of all frames and of each half, and the agreement of mirrored pictures."""
    count = len(pairs.rgb)
    picked = sorted({round(k) for k in np.linspace(0, count - 1, min(count, SEARCH_FRAMES))})
    level = Level(pairs, SEARCH_SCALE, 1.0, picked)
    first = [place for place, k in enumerate(picked) if k < count // 2]
    second = [place for place in range(len(picked)) if place not in first]
    groups = [first + second, first, second]
    return search(level, pairs.canvas, laid, groups)


def _judge(
    pairs: ScenePairs,
    laid: Matrix,
    whole: Estimate,
    parts: list[Estimate],
    starts: list[SearchResult],
    chance: float,
) -> SceneResult:
    """Put numbers on the evidence, then decide."""
    points = corners(pairs.thermal_size)
    enlarged = pairs.rgb_size[0] / pairs.canvas[0]  # canvas pixel -> RGB pixels
    one, two = (transform(part.to_canvas, points) for part in parts)
    differ = np.linalg.norm(one - two, axis=1)
    # Half of two halves' difference is the error of the whole, if they erred independently.
    error = math.hypot(
        float(np.sqrt(np.mean((differ / 2) ** 2))), float(np.sqrt(np.mean(whole.spread**2)))
    )
    margin = starts[0].score / max(chance, 1e-6)
    refusal = (
        _impossible(pairs, whole)
        or _unlikely(margin)
        or _uncertain(error, float(differ.max()), enlarged)
        or _too_far(pairs, laid, whole)
    )
    sure = math.exp(-((error / LARGEST_ERROR) ** 2)) * (1 - math.exp(-4 * max(margin - 1, 0)))
    return SceneResult(
        homography=_normalised(np.linalg.inv(pairs.to_canvas) @ whole.to_canvas),
        confidence=0.0 if refusal else sure,
        corner_error=error * enlarged,
        halves_differ=differ * enlarged,
        spread=whole.spread * enlarged,
        agreement=starts[0].score,
        chance=chance,
        refusal=refusal,
    )


def _impossible(pairs: ScenePairs, whole: Estimate) -> str:
    """A geometry that no rig has."""
    points = corners(pairs.thermal_size)
    depth = np.column_stack((points, np.ones(4))) @ whole.to_canvas[2]
    if np.isfinite(whole.to_canvas).all() and depth.min() >= 1 - _DEEPEST:
        return ""
    return "the geometry found is singular: no camera sees like that"


def _unlikely(margin: float) -> str:
    if margin >= LEAST_MARGIN:
        return ""
    return (
        f"the images agree no better ({margin:.2f} times) than mirrored ones, wanted"
        f" {LEAST_MARGIN} times; record where both cameras see edges (buildings, trees, people),"
        f" and give --initial if the views differ by more than {REACH_TEXT}"
    )


def _too_far(pairs: ScenePairs, laid: Matrix, whole: Estimate) -> str:
    """A clear result, but one that was found outside what is searched thoroughly."""
    place = placement(whole.to_canvas, laid, pairs.canvas)
    if place.within_reach:
        return ""
    return (
        f"the views differ by {place.shift:.0f} pixels, {place.rotation:.1f} degrees and"
        f" {abs(place.scale - 1):.1%} of size, wanted {REACH_TEXT} at most; give a rough"
        " calibration with --initial"
    )


def _uncertain(error: float, differ: float, enlarged: float) -> str:
    if error <= LARGEST_ERROR and differ <= 2 * LARGEST_ERROR:
        return ""
    return (
        f"two halves of the recording put the corners {differ * enlarged:.1f} pixels apart, and"
        f" their estimated error is {error * enlarged:.1f}, wanted {LARGEST_ERROR * enlarged:.0f}"
        " or less; record longer, with structure all over the image"
    )


def _normalised(matrix: Matrix) -> Matrix:
    return np.asarray(matrix / matrix[2, 2], np.float64)
