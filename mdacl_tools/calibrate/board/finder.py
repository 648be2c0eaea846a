"""Finding a board in an image: both polarities, several sizes, with and without local contrast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_ros.types import Array, ByteArray
from mdacl_tools.calibrate.board.board import Board, Indices, Points
from mdacl_tools.calibrate.board.charuco import CharucoFinder
from mdacl_tools.calibrate.board.circles import find_circles
from mdacl_tools.calibrate.board.grey_images import eight_bit
from mdacl_tools.calibrate.board.sighting import Sighting

Found = tuple[Indices, Points]

_WORKING_WIDTHS = (640, 320, 1280)  # what images are scaled to about, at most fourfold
_LARGEST_SCALE = 4.0
_PATIENT = 10  # images that get every look; most of a recording may not show the board
_IMPATIENT = 3  # looks at each of the others


@dataclass(frozen=True, slots=True)
class Preparation:
    """One way to prepare an image.

    Attributes:
        scale: Enlargement; below 1 the image is averaged.
        inverted: Black becomes white.
        local: Local contrast is equalised.
    """

    scale: float
    inverted: bool
    local: bool


class BoardFinder:
    """Finds one board in the images of one camera; what worked last is tried first.

    Args:
        board: The target.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._last: Preparation | None = None
        self._images = 0
        self._find: Callable[[ByteArray], Found | None]
        if board.kind == "charuco":
            self._find = CharucoFinder(board)
        elif board.kind == "checkerboard":
            self._find = self._checkerboard
        else:
            self._find = lambda image: find_circles(image, board)

    def __call__(self, image: Array) -> Sighting | None:
        """Look for the board.

        Args:
            image: ``(H, W)`` uint8 or uint16 grey levels or counts.

        Returns:
            Where it is, numbered in an order that is right-handed but may be turned
            (:attr:`.board.Board.symmetries`); ``None`` where it was not found.
        """
        stretched = eight_bit(image)
        for look in self._looks(stretched.shape[1]):
            found = self._find(_prepare(stretched, look))
            if found is None:
                continue
            self._last = look
            ids, pixels = found
            pixels = (pixels + 0.5) / look.scale - 0.5
            return Sighting(_right_handed(self._board, ids, pixels), pixels, image)
        return None

    def _looks(self, width: int) -> list[Preparation]:
        """What to try on an image: all at first, later a few, in turn, what worked last first."""
        scales = dict.fromkeys(_scale(wide / width) for wide in _WORKING_WIDTHS)
        blind = self._board.kind == "checkerboard"  # its detector takes either polarity
        every = [
            Preparation(scale, inverted, local)
            for local in (False, True)
            for scale in scales
            for inverted in ((False,) if blind else (False, True))
        ]
        last = [] if self._last is None else [self._last]
        others = [look for look in every if look not in last]
        self._images += 1
        if self._images <= _PATIENT:
            return last + others
        turn = self._images % len(others)
        return (last + others[turn:] + others[:turn])[:_IMPATIENT]

    def _checkerboard(self, image: ByteArray) -> Found | None:
        # Without flags: on warm boards its own equalisation loses what it finds without.
        found, corners = cv2.findChessboardCornersSB(image, self._board.grid, flags=0)
        if not found:
            return None
        pixels = np.asarray(corners, np.float64).reshape(-1, 2)
        return np.arange(len(pixels)), pixels


def _scale(wanted: float) -> float:
    """A whole factor, or one over a whole number: pixels stay aligned."""
    if wanted >= 1:
        return min(_LARGEST_SCALE, float(round(wanted)))
    return 1 / round(1 / wanted)


def _prepare(image: ByteArray, look: Preparation) -> ByteArray:
    out = 255 - image if look.inverted else image
    if look.scale != 1:
        how = cv2.INTER_CUBIC if look.scale > 1 else cv2.INTER_AREA
        resized = cv2.resize(out, None, fx=look.scale, fy=look.scale, interpolation=how)
        out = np.asarray(resized, np.uint8)
    if look.local:
        out = np.asarray(cv2.createCLAHE(4.0, (4, 4)).apply(out), np.uint8)
    return np.asarray(out, np.uint8)


def _right_handed(board: Board, ids: Indices, pixels: Points) -> Indices:
    """Renumber a grid that a detector read in a mirror: no camera sees the back of a board."""
    across, down = board.grid
    if board.kind == "charuco" or len(ids) != across * down:
        return ids
    first = pixels[across - 1] - pixels[0]
    second = pixels[-across] - pixels[0]
    if first[0] * second[1] - first[1] * second[0] > 0:
        return ids
    return np.asarray(ids.reshape(down, across)[:, ::-1].ravel())
