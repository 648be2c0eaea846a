"""ChArUco boards with either of OpenCV's interfaces (to 4.6 in opencv-contrib, from 4.7 in all)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from mdacl_ros.errors import ParameterError
from mdacl_ros.types import ByteArray
from mdacl_tools.calibrate.board.board import Board, Indices, Points

_CELLS = 48  # pixels a square of the raster: whole ones a cell for markers of 1/2, 3/4, 5/8, ...
_MIN_CORNERS = 6
_MIN_LINES = 2  # rows and columns of corners: those of one row have no pose


class CharucoFinder:
    """Finds the corners of one ChArUco board.

    Args:
        board: The board.

    Raises:
        ParameterError: This OpenCV has no ArUco markers or not that dictionary.
    """

    def __init__(self, board: Board) -> None:
        self._board = _cv_board(board)
        self._across = board.grid[0]
        self._dictionary = _dictionary(board)
        self._detector: Any = None
        if hasattr(cv2.aruco, "CharucoDetector"):
            self._detector = cv2.aruco.CharucoDetector(self._board)

    def __call__(self, image: ByteArray) -> tuple[Indices, Points] | None:
        """Look for the board.

        Args:
            image: ``(H, W)`` uint8, black markers on white.

        Returns:
            Indices ``(N,)`` and pixels ``(N, 2)`` of the corners, or ``None``.
        """
        if self._detector is not None:
            corners, ids, _, _ = self._detector.detectBoard(image)
        else:
            corners, ids = self._detect_before_4_7(image)
        if ids is None or len(ids) < _MIN_CORNERS:
            return None
        numbers = np.asarray(ids, np.intp).ravel()
        if min(len(set(numbers // self._across)), len(set(numbers % self._across))) < _MIN_LINES:
            return None
        return numbers, np.asarray(corners, np.float64).reshape(-1, 2)

    def _detect_before_4_7(self, image: ByteArray) -> tuple[Any, Any]:
        aruco: Any = cv2.aruco
        markers, ids, _ = aruco.detectMarkers(image, self._dictionary)
        if ids is None or len(ids) == 0:
            return None, None
        _, corners, numbers = aruco.interpolateCornersCharuco(markers, ids, image, self._board)
        return corners, numbers


def charuco_raster(board: Board) -> ByteArray:
    """The printed squares of a board, ``(rows * 48, columns * 48)`` uint8, without a margin."""
    size = (board.columns * _CELLS, board.rows * _CELLS)
    drawn = _cv_board(board)
    draw = drawn.generateImage if hasattr(drawn, "generateImage") else drawn.draw
    return np.asarray(draw(size, marginSize=0), np.uint8)


def _cv_board(board: Board) -> Any:
    size, lengths = (board.columns, board.rows), (board.spacing, board.feature_size)
    dictionary = _dictionary(board)
    if hasattr(cv2.aruco, "CharucoBoard_create"):  # to 4.6
        return cv2.aruco.CharucoBoard_create(*size, *lengths, dictionary)
    return cv2.aruco.CharucoBoard(size, *lengths, dictionary)


def _dictionary(board: Board) -> Any:
    aruco: Any = getattr(cv2, "aruco", None)
    if aruco is None:
        raise ParameterError(
            f"--board charuco: OpenCV {cv2.__version__} has no ArUco markers; install"
            " opencv-contrib-python 4.5 or OpenCV 4.7 and later, or use a checkerboard"
        )
    number = getattr(aruco, board.dictionary, None)
    if not board.dictionary.startswith("DICT_") or number is None:
        names = ", ".join(name for name in dir(aruco) if name.startswith("DICT_"))
        raise ParameterError(f"--dictionary {board.dictionary}: wanted one of {names}")
    dictionary = aruco.getPredefinedDictionary(number)
    markers = board.columns * board.rows // 2
    if markers > (count := len(dictionary.bytesList)):
        raise ParameterError(
            f"--dictionary {board.dictionary}: has {count} markers, the board needs {markers};"
            " name the dictionary it was printed with"
        )
    return dictionary
