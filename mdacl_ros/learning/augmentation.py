"""Paired augmentation: one geometry for both images, its own photometry for each."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_ros.corruption import corrupt_rgb, corrupt_thermal
from mdacl_ros.learning.samples import Sample
from mdacl_ros.sensing.letterbox import present_cells
from mdacl_ros.types import ByteArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class AugmentationConfig:
    """How strongly training pairs are varied; probabilities in [0, 1].

    Attributes:
        size: Width and height of the crop fed to the network, multiples of 32.
        scale: Range of the random zoom of the source image.
        flip: Probability of mirroring left-right.
        shift: Largest random misregistration of thermal against RGB, pixels.
        drop_modality: Probability that either camera is absent (each equally).
        partial_coverage: Probability that thermal covers only a part of the view.
        corrupt: Probability that one modality is corrupted (each equally).
        invert_thermal: Probability of flipped thermal polarity (a hot day).
    """

    size: tuple[int, int] = (384, 320)
    scale: tuple[float, float] = (0.5, 1.6)
    flip: float = 0.5
    shift: float = 4.0
    drop_modality: float = 0.2
    partial_coverage: float = 0.1
    corrupt: float = 0.35
    invert_thermal: float = 0.05


@dataclass(frozen=True, slots=True)
class TrainingItem:
    """One augmented pair, ready to be batched.

    Attributes:
        rgb: ``(H, W, 3)`` uint8.
        thermal: ``(H, W)`` float32 in [0, 1].
        present: ``(2, H/32, W/32)`` float32 availability.
        boxes: ``(N, 4)`` float32 xyxy pixels of the crop.
        labels: ``(N,)`` int64.
        ignore: ``(N,)`` bool.
        exhaustive: ``(K,)`` bool.
    """

    rgb: np.ndarray
    thermal: FloatArray
    present: FloatArray
    boxes: FloatArray
    labels: IntArray
    ignore: np.ndarray
    exhaustive: np.ndarray


def augment(sample: Sample, config: AugmentationConfig, rng: np.random.Generator) -> TrainingItem:
    """Draw one random variation of a sample."""
    width, height = config.size
    matrix = _random_view(sample, config, rng)
    pixels = _of_pixel_centres(matrix)
    rgb: np.ndarray = cv2.warpAffine(
        sample.rgb, pixels, config.size, flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0)
    )
    jitter = pixels.copy()
    jitter[:, 2] += rng.uniform(-1, 1, 2) * config.shift * rng.beta(1, 3)
    thermal: np.ndarray = cv2.warpAffine(
        sample.thermal, jitter, config.size, flags=cv2.INTER_LINEAR, borderValue=(0,)
    )
    boxes, keep = _transform_boxes(sample.boxes, matrix, width, height)
    rgb = _vary_rgb(rgb, rng)
    thermal = _vary_thermal(thermal, config, rng)
    if rng.random() < config.corrupt:
        if rng.random() < 0.5:
            rgb = corrupt_rgb(rgb, rng)
        else:
            thermal = corrupt_thermal(thermal, rng)
    present = _availability(config, rng) * _source_cells(sample, pixels, config)
    rgb, thermal = (
        rgb * _spread(present[0], config)[..., None],
        thermal * _spread(present[1], config),
    )
    hidden = ~(sample.visible[keep] & _covered(boxes[keep], present)).any(1)
    return TrainingItem(
        rgb=rgb,
        thermal=thermal,
        present=present,
        boxes=boxes[keep],
        labels=sample.labels[keep],
        ignore=sample.ignore[keep] | hidden,  # nothing left to see it by: not to be punished
        exhaustive=sample.exhaustive,
    )


def _of_pixel_centres(matrix: np.ndarray) -> np.ndarray:
    """The same view for OpenCV, whose integer coordinates are pixel centres, not corners."""
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2].sum(1) * 0.5 - 0.5
    return centred


def _source_cells(sample: Sample, pixels: np.ndarray, config: AugmentationConfig) -> FloatArray:
    """Cells that lie in the source image, as letterboxing marks them live, ``(H/32, W/32)``."""
    ones = np.ones(sample.thermal.shape, np.float32)
    inside = cv2.warpAffine(ones, pixels, config.size, flags=cv2.INTER_NEAREST)
    return present_cells(inside > 0.5)


def _spread(cells: FloatArray, config: AugmentationConfig) -> ByteArray:
    """Cells as a mask of pixels, ``(H, W)`` uint8."""
    mask: np.ndarray = cv2.resize(cells, config.size, interpolation=cv2.INTER_NEAREST)
    return mask.astype(np.uint8)


def _covered(boxes: FloatArray, present: FloatArray) -> np.ndarray:
    """Whether each modality covers each box's centre, ``(N, 2)`` bool."""
    rows, columns = present.shape[1:]
    x, y = (boxes.reshape(-1, 2, 2).mean(1) / 32).astype(int).T
    return present[:, y.clip(0, rows - 1), x.clip(0, columns - 1)].T > 0


def _random_view(
    sample: Sample, config: AugmentationConfig, rng: np.random.Generator
) -> np.ndarray:
    """Draw zoom, crop position and flip as a 2x3 matrix from source to crop pixels."""
    h, w = sample.rgb.shape[:2]
    width, height = config.size
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


def _transform_boxes(
    boxes: FloatArray, matrix: np.ndarray, width: int, height: int
) -> tuple[FloatArray, np.ndarray]:
    """Map boxes, clip to the crop, and drop those that lost most of their area."""
    corners = boxes.reshape(-1, 2) @ matrix[:, :2].T + matrix[:, 2]
    x, y = corners[:, 0].reshape(-1, 2), corners[:, 1].reshape(-1, 2)
    full = np.stack([x.min(1), y.min(1), x.max(1), y.max(1)], 1)
    clipped = full.clip(0, [width, height, width, height])
    size, before = clipped[:, 2:] - clipped[:, :2], full[:, 2:] - full[:, :2]
    seen = size.prod(1) / np.maximum(before.prod(1), 1e-6)
    keep = (seen > 0.35) & (size.min(1) >= 3)
    return clipped.astype(np.float32), keep


def _vary_rgb(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random gamma, gain, saturation and white balance."""
    image = rgb.astype(np.float32) * (1 / 255)
    gain = np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.06, 3)).astype(np.float32)
    image = np.power(image, float(np.exp(rng.normal(0, 0.25))), dtype=np.float32) * gain
    grey = image.mean(2, keepdims=True)
    image = grey + (image - grey) * np.float32(rng.uniform(0.3, 1.4))
    return (image.clip(0, 1) * 255).astype(np.uint8)


def _vary_thermal(
    thermal: FloatArray, config: AugmentationConfig, rng: np.random.Generator
) -> FloatArray:
    """Random gamma, gain, offset, rarely inverted polarity."""
    image = np.power(thermal, np.float32(np.exp(rng.normal(0, 0.25))))
    image = image * np.float32(np.exp(rng.normal(0, 0.2))) + np.float32(rng.normal(0, 0.05))
    if rng.random() < config.invert_thermal:
        image = 1 - image
    return image.clip(0, 1).astype(np.float32)


def _availability(config: AugmentationConfig, rng: np.random.Generator) -> FloatArray:
    """Draw which camera covers which 32-pixel cell, ``(2, H/32, W/32)``."""
    present = np.ones((2, config.size[1] // 32, config.size[0] // 32), np.float32)
    draw = rng.random()
    if draw < config.drop_modality:
        present[int(rng.integers(2))] = 0
    elif draw < config.drop_modality + config.partial_coverage:
        rows, columns = present.shape[1:]
        top, left = int(rng.integers(rows // 2)), int(rng.integers(columns // 2))
        present[1] = 0
        present[1, top : top + rows // 2 + 1, left : left + columns // 2 + 1] = 1
    return present
