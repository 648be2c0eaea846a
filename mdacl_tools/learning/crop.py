"""One random view of a labelled pair: the same geometry for both images and the boxes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_ros.sensing.letterbox import present_cells
from mdacl_ros.types import BoolArray, ByteArray, FloatArray, IntArray
from mdacl_tools.learning.samples import Sample

CELL = 32
"""Pixels of a cell of the availability map."""


@dataclass(frozen=True, slots=True)
class ViewConfig:
    """How a view of a source image is drawn.

    Attributes:
        scale: Range of the random zoom, for a source 640 pixels wide.
        flip: Probability of mirroring left-right.
        shift: Largest random misregistration of thermal against RGB, pixels.
    """

    scale: tuple[float, float]
    flip: float
    shift: float


@dataclass(frozen=True, slots=True)
class Crop:
    """A view of a pair, with the truth that lies in it.

    Attributes:
        rgb: ``(H, W, 3)`` uint8.
        thermal: ``(H, W)`` float32 in [0, 1].
        present: ``(2, H/32, W/32)`` float32, 1 where a camera's image lies, else 0.
        boxes: ``(N, 4)`` float32 xyxy pixels of the view.
        labels: ``(N,)`` int64.
        ignore: ``(N,)`` bool.
        visible: ``(N, 2)`` bool; whether the object can be seen by rgb, by thermal.
        exhaustive: ``(K,)`` bool; classes of which every instance is labelled.
    """

    rgb: ByteArray
    thermal: FloatArray
    present: FloatArray
    boxes: FloatArray
    labels: IntArray
    ignore: BoolArray
    visible: BoolArray
    exhaustive: BoolArray

    @property
    def cameras(self) -> BoolArray:
        """``(2,)`` which cameras have an image here."""
        return np.asarray(self.present.any(axis=(1, 2)))


def random_crop(
    sample: Sample, size: tuple[int, int], config: ViewConfig, rng: np.random.Generator
) -> Crop:
    """Draw a view of ``size`` (width, height), multiples of 32."""
    matrix = _random_view(sample, size, config, rng)
    pixels = of_pixel_centres(matrix)
    rgb: np.ndarray = cv2.warpAffine(
        sample.rgb, pixels, size, flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0)
    )
    jitter = pixels.copy()
    jitter[:, 2] += rng.uniform(-1, 1, 2) * config.shift * rng.beta(1, 3)
    thermal: np.ndarray = cv2.warpAffine(
        sample.thermal, jitter, size, flags=cv2.INTER_LINEAR, borderValue=(0,)
    )
    boxes, keep = _transform_boxes(sample.boxes, matrix, size)
    cameras = np.asarray(sample.cameras, np.float32)[:, None, None]
    return Crop(
        rgb=rgb,
        thermal=thermal,
        present=cameras * _source_cells(sample.thermal.shape, pixels, size),
        boxes=boxes[keep],
        labels=sample.labels[keep],
        ignore=sample.ignore[keep],
        visible=sample.visible[keep],
        exhaustive=sample.exhaustive,
    )


def _random_view(
    sample: Sample, size: tuple[int, int], config: ViewConfig, rng: np.random.Generator
) -> np.ndarray:
    """Draw zoom, crop position and flip as a 2x3 matrix from source to crop pixels."""
    h, w = sample.rgb.shape[:2]
    width, height = size
    scale = float(np.exp(rng.uniform(*np.log(config.scale)))) * 640 / w
    free = np.array([width - w * scale, height - h * scale])
    offset = free * rng.random(2)
    if len(sample.boxes) and rng.random() < 0.7:  # most crops show at least one object
        centre = sample.boxes[rng.integers(len(sample.boxes))].reshape(2, 2).mean(0) * scale
        wanted = np.array([width, height]) * rng.uniform(0.15, 0.85, 2) - centre
        offset = np.clip(wanted, np.minimum(free, 0), np.maximum(free, 0))
    matrix = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]], np.float64)
    if rng.random() < config.flip:
        matrix[0] = [-matrix[0, 0], 0, width - matrix[0, 2]]
    return matrix


def of_pixel_centres(matrix: np.ndarray) -> np.ndarray:
    """The same view for OpenCV, whose integer coordinates are pixel centres, not corners."""
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2].sum(1) * 0.5 - 0.5
    return centred


def _source_cells(shape: tuple[int, ...], pixels: np.ndarray, size: tuple[int, int]) -> FloatArray:
    """Cells that lie in the source image, as letterboxing marks them live, ``(H/32, W/32)``."""
    corners = np.array([[0, 0], shape[1::-1]]) @ pixels[:, :2].T + pixels[:, 2]
    if (corners.min(0) <= -1).all() and (corners.max(0) >= np.array(size) + 1).all():
        return np.ones((size[1] // CELL, size[0] // CELL), np.float32)
    ones = np.ones(shape, np.float32)
    inside: np.ndarray = cv2.warpAffine(ones, pixels, size, flags=cv2.INTER_NEAREST)
    return present_cells(inside > 0.5)


def _transform_boxes(
    boxes: FloatArray, matrix: np.ndarray, size: tuple[int, int]
) -> tuple[FloatArray, BoolArray]:
    """Map boxes, clip to the crop, and drop those that lost most of their area."""
    corners = boxes.reshape(-1, 2) @ matrix[:, :2].T + matrix[:, 2]
    x, y = corners[:, 0].reshape(-1, 2), corners[:, 1].reshape(-1, 2)
    full = np.stack([x.min(1), y.min(1), x.max(1), y.max(1)], 1)
    clipped = full.clip(0, [*size, *size])
    side, before = clipped[:, 2:] - clipped[:, :2], full[:, 2:] - full[:, :2]
    seen = side.prod(1) / np.maximum(before.prod(1), 1e-6)
    keep = (seen > 0.35) & (side.min(1) >= 3)
    return clipped.astype(np.float32), keep
