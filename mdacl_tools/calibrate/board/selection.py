"""Which of many views to keep: those that differ most from each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mdacl_ros.types import MODALITIES
from mdacl_tools.calibrate.board.board import Board, Points
from mdacl_tools.calibrate.board.sighting import BoardView, Sighting


def spread_views(board: Board, views: Sequence[BoardView], most: int) -> list[BoardView]:
    """Choose views that are far apart in place, size, tilt and roll, in their order.

    Args:
        board: The target.
        views: What there is.
        most: How many to keep.
    """
    if len(views) <= most:
        return list(views)
    looks = np.array([_look(board, view) for view in views])
    looks = np.nan_to_num(looks / np.maximum(np.nanstd(looks, axis=0), 1e-9))
    paired = np.array([len(view.sightings) == len(MODALITIES) for view in views])
    chosen = [int(np.argmax(paired))]
    gaps = np.full(len(views), np.inf)
    while len(chosen) < most:
        gaps = np.minimum(gaps, np.linalg.norm(looks - looks[chosen[-1]], axis=1))
        gaps[chosen] = -1.0
        # A view of one camera only says less.
        chosen.append(int(np.argmax(np.where(paired, gaps, 0.5 * gaps))))
    return [views[i] for i in sorted(chosen)]


def _look(board: Board, view: BoardView) -> Points:
    """Numbers of both cameras that change when a board is moved; NaN where it is not seen."""
    return np.concatenate(
        [
            _shape(board, view.sightings[camera])
            if camera in view.sightings
            else np.full(6, np.nan)
            for camera in MODALITIES
        ]
    )


def _shape(board: Board, seen: Sighting) -> Points:
    """Place and affine shape of a board in an image."""
    plane = np.column_stack((board.points[seen.ids, :2], np.ones(len(seen.ids))))
    size = np.array(seen.image.shape[::-1])
    affine = np.linalg.lstsq(plane, seen.pixels / size, rcond=None)[0]  # (3, 2)
    extent = np.ptp(board.points[:, :2], axis=0)
    return np.concatenate((seen.pixels.mean(axis=0) / size, (affine[:2] * extent[:, None]).ravel()))
