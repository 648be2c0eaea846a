"""The ideal picture of a board: black and white at any point of its plane."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_ros.types import BoolArray
from mdacl_tools.calibrate.board.board import Board
from mdacl_tools.calibrate.board.charuco import charuco_raster

Metres = npt.NDArray[np.float64]

MARGIN = 1.0
"""Width of the white margin around the outermost squares or centres, in neighbour distances."""


def is_black(board: Board, x: Metres, y: Metres) -> BoolArray:
    """Whether the board is black at points of its plane; the margin and beyond are white.

    Args:
        board: The target.
        x: Metres in the board's frame, any shape.
        y: The same.
    """
    if board.kind == "checkerboard":
        return _checkerboard(board, x, y)
    if board.kind == "charuco":
        return _charuco(board, x, y)
    return _circles(board, x, y)


def outline(board: Board) -> Metres:
    """Corners ``(4, 2)`` of the whole board, margin included, in metres of its frame."""
    points = board.points[:, :2]
    squares = board.spacing if board.kind in ("checkerboard", "charuco") else 0.0
    reach = squares + MARGIN * board.neighbour_distance * (0.5 if squares else 1.0)
    (x0, y0), (x1, y1) = points.min(axis=0) - reach, points.max(axis=0) + reach
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def _checkerboard(board: Board, x: Metres, y: Metres) -> BoolArray:
    column, row = np.floor(x / board.spacing), np.floor(y / board.spacing)
    inside = (column >= -1) & (column < board.columns) & (row >= -1) & (row < board.rows)
    return np.asarray(inside & ((column + row) % 2 == 0))


def _circles(board: Board, x: Metres, y: Metres) -> BoolArray:
    row = np.clip(np.round(y / board.spacing), 0, board.rows - 1)
    step = 2.0 if board.kind == "asymmetric_circles" else 1.0
    shift = row % 2 if board.kind == "asymmetric_circles" else np.zeros_like(row)
    column = np.clip(np.round((x / board.spacing - shift) / step), 0, board.columns - 1)
    away = np.hypot(x - (column * step + shift) * board.spacing, y - row * board.spacing)
    return np.asarray(away < board.feature_size / 2)


def _charuco(board: Board, x: Metres, y: Metres) -> BoolArray:
    raster = _raster(board)
    cells = raster.shape[0] / board.rows
    column = np.floor((x / board.spacing + 1) * cells).astype(np.intp)
    row = np.floor((y / board.spacing + 1) * cells).astype(np.intp)
    height, width = raster.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    black = raster[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)] < 128
    return np.asarray(inside & black)


@lru_cache(maxsize=4)
def _raster(board: Board) -> Any:
    """The ChArUco board with whole pixels per marker cell."""
    return cv2.threshold(charuco_raster(board), 127, 255, cv2.THRESH_BINARY)[1]
