"""First guesses: each camera by itself, then their relative pose, with bad views left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mdacl_ros.errors import CalibrationError
from mdacl_ros.types import MODALITIES, BoolArray, Modality
from mdacl_tools.calibrate.board.board import Board, Points
from mdacl_tools.calibrate.board.bundle import State
from mdacl_tools.calibrate.board.numbering import agree_on_pose, board_pose, renumbered
from mdacl_tools.calibrate.board.optics import lens_of, projected, rotation_of, vector_of
from mdacl_tools.calibrate.board.sighting import BoardView, Sighting

_ROUNDS = 4
_BAD = 4.0  # times the median error of a view
_FLOOR = 0.5  # pixels; never bad below
_WILD = 3.0  # times a bad view's error: a point that was taken for another
_LEAST_POINTS = 6
_FLAGS = cv2.CALIB_FIX_ASPECT_RATIO | cv2.CALIB_ZERO_TANGENT_DIST
_FLAGS |= cv2.CALIB_FIX_K2 | cv2.CALIB_FIX_K3


@dataclass(frozen=True, slots=True, eq=False)
class FirstGuess:
    """Where the adjustment begins.

    Attributes:
        state: Lenses, relative pose, and the board's pose in each view that is kept.
        views: The views kept, their thermal features numbered as the RGB ones.
        rejected: Name and reason of each view left out.
    """

    state: State
    views: list[BoardView]
    rejected: list[tuple[str, str]]


def first_guess(
    board: Board, views: Sequence[BoardView], sizes: dict[Modality, tuple[int, int]]
) -> FirstGuess:
    """Guess all unknowns.

    Args:
        board: The target.
        views: Seen by both cameras, or by one.
        sizes: ``(width, height)`` of the cameras' images.

    Raises:
        CalibrationError: The views do not determine a camera, or no two views agree on how the
            cameras stand to each other.
    """
    rejected: dict[str, str] = {}
    lenses: dict[Modality, Points] = {}
    for camera in MODALITIES:
        lenses[camera], views, bad = _camera(board, views, camera, sizes[camera])
        rejected.update(bad)
    kept = [view for view in views if view.name not in rejected]
    pairs = [view for view in kept if len(view.sightings) == len(MODALITIES)]
    alone = [view for view in kept if len(view.sightings) < len(MODALITIES)]
    poses = {
        c: [board_pose(board, view.sightings[c], lenses[c]) for view in pairs] for c in MODALITIES
    }
    turns, relative, agreeing = agree_on_pose(board, pairs, poses, lenses["thermal"])
    for view, agrees in zip(pairs, agreeing, strict=True):
        if not agrees:
            rejected[view.name] = "the two cameras disagree on where the board is"
    chosen = [i for i, agrees in enumerate(agreeing) if agrees]
    numbered = [renumbered(pairs[i], turns[i]) for i in chosen] + alone
    first = [poses["rgb"][i] for i in chosen] + [_alone(board, v, lenses, relative) for v in alone]
    return FirstGuess(State(lenses, relative, np.array(first)), numbered, list(rejected.items()))


def _alone(
    board: Board, view: BoardView, lenses: dict[Modality, Points], relative: Points
) -> Points:
    """Pose ``(6,)`` board -> RGB frame of a view that one camera has seen."""
    ((camera, seen),) = view.sightings.items()
    pose = board_pose(board, seen, lenses[camera])
    if camera == "rgb":
        return pose
    back = rotation_of(relative[:3]).T
    turn = back @ rotation_of(pose[:3])
    return np.concatenate((vector_of(turn), back @ (pose[3:] - relative[3:])))


def _camera(
    board: Board, views: Sequence[BoardView], camera: Modality, size: tuple[int, int]
) -> tuple[Points, Sequence[BoardView], dict[str, str]]:
    """Lens of one camera, all views without its wild points, and who does not agree, and why."""
    rejected: dict[str, str] = {}
    for _ in range(_ROUNDS):
        kept = [view for view in views if camera in view.sightings and view.name not in rejected]
        lens, distances = _calibrate(board, [v.sightings[camera] for v in kept], size, camera)
        errors = {v.name: float(np.median(d)) for v, d in zip(kept, distances, strict=True)}
        usual = float(np.median(list(errors.values())))
        bad = {name: e for name, e in errors.items() if e > max(_FLOOR, _BAD * usual)}
        rejected.update({name: f"{camera} error {error:.2f} px" for name, error in bad.items()})
        wild = {
            v.name: d > max(_WILD * _FLOOR, _WILD * _BAD * usual)
            for v, d in zip(kept, distances, strict=True)
        }
        views = [_without(view, camera, wild.get(view.name)) for view in views]
        if not bad and not any(points.any() for points in wild.values()):
            break
    return lens, views, rejected


def _without(view: BoardView, camera: Modality, wild: BoolArray | None) -> BoardView:
    """The view without some of its points."""
    if wild is None or not wild.any() or (~wild).sum() < _LEAST_POINTS:
        return view
    seen = view.sightings[camera]
    seen = replace(seen, ids=seen.ids[~wild], pixels=seen.pixels[~wild])
    return replace(view, sightings={**view.sightings, camera: seen})


def _calibrate(
    board: Board, seen: Sequence[Sighting], size: tuple[int, int], camera: Modality
) -> tuple[Points, list[Points]]:
    """OpenCV's calibration with one focal length and one coefficient; distances of all points."""
    points = [board.points[sighting.ids].astype(np.float32) for sighting in seen]
    pixels = [sighting.pixels.astype(np.float32) for sighting in seen]
    guess = np.array([[1.0, 0, (size[0] - 1) / 2], [0, 1.0, (size[1] - 1) / 2], [0, 0, 1]])
    try:
        _, matrix, distortion, turns, shifts = cv2.calibrateCamera(
            points, pixels, size, guess, np.zeros(5), flags=_FLAGS
        )
    except cv2.error as error:
        raise singular(camera) from error
    focal = float(matrix[0, 0])
    if not np.isfinite(matrix).all() or not 0.2 * size[0] < focal < 20 * size[0]:
        raise singular(camera)
    lens = lens_of(np.asarray(matrix, np.float64), tuple(np.ravel(distortion).tolist()))
    distances = []
    for sighting, turn, shift in zip(seen, turns, shifts, strict=True):
        pose = np.concatenate((np.ravel(turn), np.ravel(shift))).astype(np.float64)
        predicted, _ = projected(board.points[sighting.ids], lens, pose)
        distances.append(np.asarray(np.hypot(*(predicted - sighting.pixels).T)))
    return lens, distances


def singular(camera: str) -> CalibrationError:
    """The error for views that leave a camera's lens undetermined."""
    return CalibrationError(
        f"calibrate target: {camera}: the views do not determine the lens (singular geometry, as"
        " when the board is always held parallel to the image); record it tilted 20 to 45 degrees"
        " to the left, right, up and down"
    )
