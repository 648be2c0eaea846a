"""Whether the views carry a calibration, and what is missing where they do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mdacl_ros.errors import CalibrationError
from mdacl_ros.types import MODALITIES, BoolArray, Modality
from mdacl_tools.calibrate.board.board import Board, Points
from mdacl_tools.calibrate.board.bundle import LENS, SHARED
from mdacl_tools.calibrate.board.optics import rotation_of
from mdacl_tools.calibrate.board.sighting import BoardView
from mdacl_tools.calibrate.board.solve import Solution

LEAST_VIEWS = 8
"""Views of both cameras without which nothing is calculated."""

CELLS = (8, 6)
"""Columns and rows into which an image is divided to see where the board has been."""

_COVERED = 0.35, 0.6  # share of cells: refused below, warned below
_TILT = 5.0, 10.0  # degrees, spread of the board's tilt: refused below, warned below
_FOCAL = 0.02, 0.005  # standard deviation over focal length: refused above, warned above

Size = tuple[int, int]


def check_found(board: Board, looked: int, views: Sequence[BoardView], source: str) -> None:
    """Refuse too few sightings, and say what may be wrong.

    Args:
        board: What was looked for.
        looked: Pairs of images that were looked at.
        views: Where it was found by a camera at least.
        source: What was read, for the message.

    Raises:
        CalibrationError: Fewer than :data:`LEAST_VIEWS` show the board to both cameras.
    """
    found = {c: sum(c in view.sightings for view in views) for c in MODALITIES}
    both = sum(len(view.sightings) == len(MODALITIES) for view in views)
    if both >= LEAST_VIEWS:
        return
    seen = (
        f"got the {board} in {found['rgb']} rgb and {found['thermal']} thermal images of {looked}"
    )
    if not any(found.values()):
        remedy = (
            "check --board and --size (inner corners of a checkerboard, circles of a grid,"
            " squares of a ChArUco board) and that the whole board is in the image"
        )
    elif min(found.values()) < LEAST_VIEWS <= max(found.values()):
        camera = min(found, key=lambda c: found[c])
        remedy = f"make the board plain to see in {camera}: " + (
            "warm it again, hold it nearer" if camera == "thermal" else "light it, hold it still"
        )
    else:
        remedy = "record more positions, held still for a second each, in view of both cameras"
    raise CalibrationError(
        f"{source}: {seen}, {both} in both, wanted {LEAST_VIEWS} at least (30 are better); {remedy}"
    )


def check_solution(solution: Solution, sizes: dict[Modality, Size]) -> list[str]:
    """Refuse a calibration that the views do not carry.

    Returns:
        Warnings about what they carry only just.

    Raises:
        CalibrationError: Too few views agree, too little tilt, too small a part of the image, or
            a focal length that is not determined.
    """
    both = sum(len(view.sightings) == len(MODALITIES) for view in solution.views)
    if both < LEAST_VIEWS:
        raise CalibrationError(
            f"calibrate target: {both} views of both cameras agree with each other, wanted"
            f" {LEAST_VIEWS} at least; {_reasons(solution)}; hold the board still, check that it"
            " is flat and that --thermal-clock-offset fits"
        )
    warnings = [_judge_tilt(solution)]
    for camera in MODALITIES:
        warnings += [
            _judge_coverage(solution, camera, sizes[camera]),
            _judge_focal(solution, camera),
        ]
    return [warning for warning in warnings if warning]


def covered(solution: Solution, camera: Modality, size: Size) -> BoolArray:
    """Which cells of an image the board has been in, ``(rows, columns)``."""
    cells = np.zeros(CELLS[::-1], bool)
    for view in solution.views:
        if camera in view.sightings:
            place = view.sightings[camera].pixels / size * CELLS
            column, row = np.clip(place.astype(int), 0, np.array(CELLS) - 1).T
            cells[row, column] = True
    return cells


def _judge_tilt(solution: Solution) -> str:
    """Spread of the direction in which the board faces, in its narrower direction."""
    turns = [rotation_of(pose[:3]) for pose in solution.adjusted.state.poses]
    normals = np.array([turn[:, 2] for turn in turns])
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(normals[:, :2].T)), 0))
    narrow, wide = np.degrees(np.arcsin(np.minimum(values, 1)))
    if wide < _TILT[0]:
        raise CalibrationError(
            f"calibrate target: the board's tilt varies by {wide:.1f} deg only (all views nearly"
            f" parallel), wanted {_TILT[0]:.0f} at least: focal length and distance cannot be"
            " separated; record it tilted 20 to 45 degrees to the left, right, up and down"
        )
    if narrow < _TILT[1]:
        return f"the board's tilt varies by {narrow:.0f} deg in one direction; tilt it both ways"
    return ""


def _judge_coverage(solution: Solution, camera: Modality, size: Size) -> str:
    cells = covered(solution, camera, size)
    share = float(cells.mean())
    halves = {
        "left": cells[:, : CELLS[0] // 3],
        "right": cells[:, -(CELLS[0] // 3) :],
        "top": cells[:1],
        "bottom": cells[-1:],
    }
    empty = [name for name, part in halves.items() if part.mean() < 0.5] or ["corners"]
    text = f"{camera}: the board was in {share:.0%} of the image"
    if share < _COVERED[0]:
        raise CalibrationError(
            f"calibrate target: {text}, wanted {_COVERED[0]:.0%} at least; record it also at the"
            f" {', '.join(empty)}"
        )
    return f"{text}; record it also at the {', '.join(empty)}" if share < _COVERED[1] else ""


def _judge_focal(solution: Solution, camera: Modality) -> str:
    deviation = standard_deviations(solution)[camera][0]
    share = deviation / float(solution.adjusted.state.lenses[camera][0])
    text = f"{camera}: the focal length is known to {share:.2%} only"
    remedy = "record more views, nearer and more tilted"
    if not share <= _FOCAL[0]:
        raise CalibrationError(
            f"calibrate target: {text}, wanted {_FOCAL[0]:.0%} at least; {remedy}"
        )
    return f"{text}; {remedy}" if share > _FOCAL[1] else ""


def standard_deviations(solution: Solution) -> dict[str, Points]:
    """One standard deviation of each camera's nine numbers and of ``relative``, in their units."""
    values = np.sqrt(np.maximum(np.diag(solution.adjusted.covariance), 0))
    return {
        "rgb": values[:LENS],
        "thermal": values[LENS : 2 * LENS],
        "relative": values[2 * LENS : SHARED],
    }


def _reasons(solution: Solution) -> str:
    """What most of the views left out have in common."""
    if not solution.rejected:
        return "none was left out"
    name, reason = solution.rejected[0]
    return f"{len(solution.rejected)} were left out (first: {name}, {reason})"
