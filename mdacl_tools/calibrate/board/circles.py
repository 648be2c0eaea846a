"""Circle grids: blobs of any size that lie in a grid."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from mdacl_ros.types import ByteArray
from mdacl_tools.calibrate.board.board import Board, Indices, Points

_blob: Any = cv2  # OpenCV's type stubs lack the detector
_SMALLEST, _LARGEST = 25.0, 0.02  # area of a blob: pixels; share of the image
_CLUTTER = 2.5  # times the wanted blobs: with more, OpenCV's search for a grid takes minutes
_ROUND = 0.6  # 4 pi area / perimeter^2 of a tilted circle, noise included


def find_circles(image: ByteArray, board: Board) -> tuple[Indices, Points] | None:
    """Look for a grid of dark circles.

    Args:
        image: ``(H, W)`` uint8.
        board: Kind ``circles`` or ``asymmetric_circles``.

    Returns:
        Indices ``(N,)`` and pixels ``(N, 2)`` of all centres, or ``None``.
    """
    grid = cv2.CALIB_CB_ASYMMETRIC_GRID
    if board.kind == "circles":
        grid = cv2.CALIB_CB_SYMMETRIC_GRID
    smooth = cv2.GaussianBlur(image, (0, 0), max(1.0, image.shape[1] / 640))
    blobs = _blob.SimpleBlobDetector_create(_parameters(image.shape[0] * image.shape[1]))
    spots = np.array([spot.pt for spot in blobs.detect(smooth)], np.float32).reshape(-1, 1, 2)
    wanted = board.columns * board.rows
    if not wanted <= len(spots) <= _CLUTTER * wanted:
        return None
    for clustering in (0, cv2.CALIB_CB_CLUSTERING):
        found, centres = _blob.findCirclesGrid(
            spots,
            (board.columns, board.rows),
            grid | clustering,
            None,
            _blob.CirclesGridFinderParameters(),
        )
        if found:
            pixels = np.asarray(centres, np.float64).reshape(-1, 2)
            return np.arange(len(pixels)), pixels
    return None


def _parameters(pixels: int) -> Any:
    """Blob detection over the whole range of brightness, for blobs of any sensible size."""
    blob = _blob.SimpleBlobDetector_Params()
    blob.minThreshold, blob.maxThreshold, blob.thresholdStep = 10, 245, 12
    blob.minRepeatability = 2
    blob.minDistBetweenBlobs = 3
    blob.filterByColor, blob.blobColor = True, 0
    blob.filterByArea, blob.minArea, blob.maxArea = True, _SMALLEST, _LARGEST * pixels
    blob.filterByCircularity, blob.minCircularity = True, _ROUND
    blob.filterByInertia, blob.minInertiaRatio = True, 0.2
    blob.filterByConvexity, blob.minConvexity = True, 0.85
    return blob
