"""Detections that were matched with objects, and how the size of a box is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mdacl_ros.types import BoolArray, FloatArray

EVERYTHING = 1e10
"""Upper end of an open range, as in COCO."""

Measure = Callable[[FloatArray], npt.NDArray[np.float64]]
"""From ``(N, 4)`` xyxy boxes to the ``(N,)`` quantity that ranges select by."""


def areas(boxes: FloatArray) -> npt.NDArray[np.float64]:
    """Box areas in square pixels: COCO's small, medium and large."""
    wide = boxes.astype(np.float64)
    return (wide[:, 2] - wide[:, 0]) * (wide[:, 3] - wide[:, 1])


def heights(boxes: FloatArray) -> npt.NDArray[np.float64]:
    """Box heights in pixels."""
    wide = boxes.astype(np.float64)
    return wide[:, 3] - wide[:, 1]


@dataclass(frozen=True, slots=True)
class Matched:
    """All detections of one class and range, image after image.

    Attributes:
        scores: ``(N,)``.
        hits: ``(10, N)`` bool; matched with an object at IoU 0.50, 0.55, ... 0.95.
        ignored: ``(10, N)`` bool; neither right nor wrong.
        objects: Number of objects to be found.
        parts: ``(N,)`` number of the part that each is from, counted in order of appearance.
    """

    scores: npt.NDArray[np.float64]
    hits: BoolArray
    ignored: BoolArray
    objects: int
    parts: npt.NDArray[np.uint32]
