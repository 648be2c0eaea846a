"""How the cameras stand to each other, and which way round each of them numbered the board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from mdacl_ros.errors import CalibrationError
from mdacl_ros.types import Modality
from mdacl_tools.calibrate.board.board import Board, Indices, Points
from mdacl_tools.calibrate.board.optics import matrix_of, rotation_of, vector_of
from mdacl_tools.calibrate.board.sighting import BoardView, Sighting

_AGREE = np.radians(3.0), 0.25  # of relative poses: rotation, and shift over distance


def board_pose(board: Board, seen: Sighting, lens: Points) -> Points:
    """Pose ``(6,)`` of a board in a camera."""
    points = board.points[seen.ids]
    _, turn, shift = cv2.solvePnP(points, seen.pixels, matrix_of(lens), lens[4:])
    return np.concatenate((np.ravel(turn), np.ravel(shift)))


def agree_on_pose(
    board: Board, views: Sequence[BoardView], poses: dict[Modality, list[Points]], lens: Points
) -> tuple[list[Indices], Points, list[bool]]:
    """Find the relative pose of the cameras on which most views agree.

    A board that looks the same when turned may be numbered differently by the two cameras: of all
    turns in all views, those that agree on one relative pose are right.

    Args:
        board: The target.
        views: Seen by both cameras.
        poses: ``(6,)`` of the board in each camera, by view.
        lens: ``(9,)`` of the thermal camera.

    Returns:
        The order of each view's thermal features, RGB frame -> thermal frame ``(6,)``, and which
        views agree with it.

    Raises:
        CalibrationError: No two views agree.
    """
    turns = board.symmetries
    candidates = []  # view by view, turn by turn
    for view, rgb, thermal in zip(views, poses["rgb"], poses["thermal"], strict=True):
        turned = [thermal]
        if len(turns) > 1:
            turned = [board_pose(board, _turned(view.sightings["thermal"], t), lens) for t in turns]
        candidates += [_between(rgb, pose) for pose in turned]
    distance = float(np.median([pose[5] for pose in poses["rgb"]])) if views else 1.0
    gaps = _gaps(np.array(candidates).reshape(-1, 6), distance)
    nearest = gaps.reshape(len(gaps), len(views), len(turns)).min(axis=2)  # (candidates, views)
    votes = (nearest < 1).sum(axis=1)
    if not len(votes) or votes.max() < 2:
        raise CalibrationError(
            "calibrate target: no two views agree on how the cameras stand to each other; check"
            " the clock offset and that rgb and thermal show the same moments, board held still"
        )
    # Where turns get equal votes, the least spread wins, and among those the least turned camera.
    angles = [0.05 * np.linalg.norm(pose[:3]) for pose in candidates]
    merit = np.median(nearest, axis=1) + angles + np.where(votes < 0.95 * votes.max(), np.inf, 0)
    best = int(np.argmin(merit))
    own = gaps[best].reshape(len(views), len(turns)).argmin(axis=1)
    agreeing = nearest[best] < 1
    members = np.array(candidates).reshape(len(views), len(turns), 6)[np.arange(len(views)), own]
    return [turns[i] for i in own], np.median(members[agreeing], axis=0), agreeing.tolist()


def _between(rgb: Points, thermal: Points) -> Points:
    """RGB frame -> thermal frame ``(6,)`` from a board's pose in both."""
    turn = rotation_of(thermal[:3]) @ rotation_of(rgb[:3]).T
    return np.concatenate((vector_of(turn), thermal[3:] - turn @ rgb[3:]))


def _gaps(poses: Points, distance: float) -> Points:
    """How far poses ``(N, 6)`` are from each other, ``(N, N)``; below 1 they agree."""
    rotations = np.array([rotation_of(pose[:3]) for pose in poses]).reshape(-1, 9)
    angles = np.arccos(np.clip((rotations @ rotations.T - 1) / 2, -1, 1))  # trace of R_i^T R_j
    apart = np.linalg.norm(poses[:, None, 3:] - poses[None, :, 3:], axis=2) / distance
    return np.asarray(np.maximum(angles / _AGREE[0], apart / _AGREE[1]))


def _turned(seen: Sighting, turn: Indices) -> Sighting:
    return replace(seen, ids=turn[seen.ids])


def renumbered(view: BoardView, turn: Indices) -> BoardView:
    """The view with its thermal features numbered by another turn of the board."""
    thermal = _turned(view.sightings["thermal"], turn)
    return replace(view, sightings={**view.sightings, "thermal": thermal})
