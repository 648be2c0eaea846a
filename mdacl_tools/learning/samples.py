"""Labelled RGB-thermal pairs as the trainer and the evaluation see them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import ByteArray, FloatArray, IntArray, Modality
from mdacl_ros.whole_file import write_whole
from mdacl_tools.recordings.datasets.images import read_rgb, read_thermal, same_view
from mdacl_tools.recordings.datasets.open_dataset import open_dataset
from mdacl_tools.recordings.datasets.record import PairRecord
from mdacl_tools.scenes.version import picture_version


@dataclass(frozen=True, slots=True)
class Sample:
    """One registered pair with its truth.

    Attributes:
        name: File name or seed, for messages.
        rgb: ``(H, W, 3)`` uint8 RGB.
        thermal: ``(H, W)`` float32 in [0, 1], normalised.
        boxes: ``(N, 4)`` float32 xyxy pixels.
        labels: ``(N,)`` int64.
        ignore: ``(N,)`` bool; regions that are neither right nor wrong (COCO ``iscrowd``).
        visible: ``(N, 2)`` bool; whether the object can be seen by rgb, by thermal.
        exhaustive: ``(K,)`` bool; classes of which every instance is labelled in this image.
        cameras: Which images exist, (rgb, thermal); the one that does not is zeros of the other's
            size.
    """

    name: str
    rgb: ByteArray
    thermal: FloatArray
    boxes: FloatArray
    labels: IntArray
    ignore: np.ndarray
    visible: np.ndarray
    exhaustive: np.ndarray
    cameras: tuple[bool, bool] = (True, True)


def read_pairs(
    annotations: Path, *, split: str | None = None, camera: Modality | None = None
) -> list[PairRecord]:
    """Read the labelled pairs of a data set of any known layout.

    Args:
        annotations: A COCO json, or a data-set folder (see :mod:`mdacl_tools.recordings.datasets`).
        split: Part of a folder; all unless given.
        camera: Which camera a COCO file is of that names one image each.

    Raises:
        RecordingError: It is missing, not a known layout, or damaged.
    """
    return open_dataset(annotations, split, camera=camera).sound_records()


def load_sample(record: PairRecord, classes: int, longest: int | None = None) -> Sample:
    """Read and normalise one pair.

    Args:
        record: Where it lies.
        classes: Number of classes K.
        longest: Shrink images whose longer side has more pixels; never enlarges.

    Raises:
        RecordingError: An image is unreadable, the two do not show the same view, or a label is
            not among the classes.
    """
    _check_labels(record, classes)
    rgb, thermal = _read_images(record)
    height, width = rgb.shape[:2]
    scale = 1.0 if longest is None else min(1.0, longest / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    factors = np.array([size[0] / width, size[1] / height] * 2, np.float32)
    exhaustive = np.ones(classes, bool)
    exhaustive[[label for label in record.not_exhaustive if label < classes]] = False
    return Sample(
        name=record.name,
        rgb=np.asarray(_resize(rgb, size), np.uint8),
        thermal=np.asarray(_resize(thermal, size), np.float32),
        boxes=record.boxes * factors,
        labels=record.labels,
        ignore=record.ignore,
        visible=record.visible,
        exhaustive=exhaustive,
        cameras=(record.rgb is not None, record.thermal is not None),
    )


def _check_labels(record: PairRecord, classes: int) -> None:
    if any(not 0 <= label < classes for label in record.labels):
        raise RecordingError(
            f"{record.files[0]}: has categories {sorted({int(x) + 1 for x in record.labels})}, "
            f"wanted 1 to {classes}: detector.labels in the training config leaves one out"
        )


def _read_images(record: PairRecord) -> tuple[ByteArray, FloatArray]:
    """Both images in one size; zeros for the camera that does not exist."""
    from mdacl_ros.sensing.thermal.normalizer import normalize_once

    if record.rgb is None and record.thermal is None:
        raise RecordingError(f"image {record.image_id}: names no file; wanted rgb, thermal or both")
    if record.thermal is None:
        rgb = read_rgb(record.files[0])
        return rgb, np.zeros(rgb.shape[:2], np.float32)
    thermal = normalize_once(*read_thermal(record.thermal))
    if record.rgb is None:
        return np.zeros((*thermal.shape, 3), np.uint8), thermal
    rgb = read_rgb(record.rgb)
    size, other = (rgb.shape[1], rgb.shape[0]), (thermal.shape[1], thermal.shape[0])
    if not same_view(size, other):
        raise RecordingError(
            f"{record.thermal}: size {other}, wanted the aspect ratio of {size} as in "
            f"{record.rgb}; register the pair first"
        )
    return rgb, np.asarray(_resize(thermal, size), np.float32)


def resized(sample: Sample, size: tuple[int, int]) -> Sample:
    """A sample's images in another width and height; its boxes stay what they are."""
    return replace(
        sample,
        rgb=np.asarray(_resize(sample.rgb, size), np.uint8),
        thermal=np.asarray(_resize(sample.thermal, size), np.float32),
    )


def _resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring an image to width and height; as it is, where it has them."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    smaller = size[0] < image.shape[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def simulated_samples(
    count: int, classes: int, cache: Path, first_seed: int = 100_000
) -> Iterator[Sample]:
    """Procedural scenes (seeds far from those of the demo) as training samples.

    Args:
        count: How many.
        classes: Number of classes K.
        cache: Folder that keeps rendered scenes from run to run, by version of the simulation.
        first_seed: Seed of the first scene.
    """
    cache = cache / picture_version()
    cache.mkdir(parents=True, exist_ok=True)
    for seed in range(first_seed, first_seed + count):
        path = cache / f"{seed}.npz"
        if not path.exists():
            _render_scene(seed, path)
        with np.load(path) as scene:
            n = len(scene["labels"])
            yield Sample(
                name=f"simulated_{seed}",
                rgb=scene["rgb"],
                thermal=scene["thermal"].astype(np.float32),
                boxes=scene["boxes"],
                labels=scene["labels"],
                ignore=np.zeros(n, bool),
                visible=np.ones((n, 2), bool),
                exhaustive=np.ones(classes, bool),
            )


def _render_scene(seed: int, path: Path) -> None:
    """Render one scene and keep it; the thermal image in half precision, normalised."""
    from mdacl_ros.sensing.thermal.normalizer import normalize_once
    from mdacl_tools.scenes import random_scene

    pair = random_scene(seed)
    size = (pair.rgb.shape[1], pair.rgb.shape[0])
    thermal = cv2.resize(normalize_once(pair.thermal, "16UC1"), size)
    content = io.BytesIO()
    np.savez(
        content,
        rgb=pair.rgb,
        thermal=thermal.astype(np.float16),
        boxes=pair.boxes,
        labels=pair.labels,
    )
    write_whole(path, content.getvalue())  # another training may render the same scene just now
