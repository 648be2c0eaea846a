"""Labelled RGB-thermal pairs as the trainer and the evaluation see them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.simulation.version import picture_version
from mdacl_ros.types import ByteArray, FloatArray, IntArray


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


@dataclass(frozen=True, slots=True)
class PairRecord:
    """Where one labelled pair lies on disk, with its truth.

    Attributes:
        image_id: COCO image id.
        rgb: Path of the colour image.
        thermal: Path of the thermal image.
        boxes: ``(N, 4)`` float32 xyxy pixels.
        labels: ``(N,)`` int64.
        ignore: ``(N,)`` bool.
        visible: ``(N, 2)`` bool; seen by rgb, by thermal (COCO ``label_sets``, where given).
        not_exhaustive: Labels that are not completely drawn in this image.
        meta: The image's other COCO fields (``time``, ``sequence``, ...).
    """

    image_id: int
    rgb: Path
    thermal: Path
    boxes: FloatArray
    labels: IntArray
    ignore: np.ndarray
    visible: np.ndarray
    not_exhaustive: tuple[int, ...]
    meta: dict[str, object]


def read_pairs(annotations: Path) -> list[PairRecord]:
    """Read a COCO file whose images name an ``rgb`` and a ``thermal`` path relative to it.

    Raises:
        RecordingError: The file is missing, no JSON, or lacks a field.
    """
    try:
        coco = json.loads(annotations.read_text())
        by_image: dict[int, list[dict]] = {image["id"]: [] for image in coco["images"]}
        for annotation in coco["annotations"]:
            by_image[annotation["image_id"]].append(annotation)
        return [
            _record(annotations.parent, image, by_image[image["id"]]) for image in coco["images"]
        ]
    except OSError as error:
        raise RecordingError(
            f"{annotations}: cannot read the annotation file ({error.strerror}); check the path"
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RecordingError(f"{annotations}: not a JSON file ({error})") from error
    except KeyError as error:
        raise RecordingError(
            f"{annotations}: field {error} is missing; wanted COCO json whose images carry id, rgb "
            "and thermal, whose annotations carry image_id, category_id and bbox"
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise RecordingError(
            f"{annotations}: not COCO json ({error}); wanted lists of images and annotations, bbox "
            "as four numbers"
        ) from error


def _record(folder: Path, image: dict, annotations: list[dict]) -> PairRecord:
    xywh = np.array([a["bbox"] for a in annotations], np.float32).reshape(-1, 4)
    boxes = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], 1)
    return PairRecord(
        image_id=int(image["id"]),
        rgb=folder / image["rgb"],
        thermal=folder / image["thermal"],
        boxes=boxes,
        labels=np.array([a["category_id"] - 1 for a in annotations], np.int64),
        ignore=np.array([bool(a.get("iscrowd") or a.get("ignore")) for a in annotations], bool),
        visible=np.array([_visible(a) for a in annotations], bool).reshape(-1, 2),
        not_exhaustive=tuple(c - 1 for c in image.get("not_exhaustive_category_ids", ())),
        meta={k: v for k, v in image.items() if k not in ("id", "rgb", "thermal")},
    )


def _visible(annotation: dict) -> tuple[bool, bool]:
    """Whether rgb and thermal annotators drew the box; both where nothing is said."""
    sets = set(annotation.get("label_sets", ())) & {"visible", "infrared"}
    return (not sets or "visible" in sets, not sets or "infrared" in sets)


def read_image(path: Path, flags: int) -> np.ndarray:
    """Read an image file.

    Raises:
        RecordingError: The file is missing or no readable image.
    """
    image = cv2.imread(str(path), flags)
    if image is None:
        raise RecordingError(f"{path}: missing or not a readable image")
    return image


def load_sample(record: PairRecord, classes: int) -> Sample:
    """Read and normalise one pair.

    Raises:
        RecordingError: An image is unreadable, the two differ in size, or a label is not among the
            classes.
    """
    from mdacl_ros.sensing.thermal import normalize_once

    rgb: np.ndarray = cv2.cvtColor(read_image(record.rgb, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    thermal = read_image(record.thermal, cv2.IMREAD_GRAYSCALE)
    if rgb.shape[:2] != thermal.shape:
        raise RecordingError(
            f"{record.thermal}: size {thermal.shape[::-1]}, wanted {rgb.shape[1::-1]} as in "
            f"{record.rgb}; register the pair first"
        )
    if any(not 0 <= label < classes for label in (*record.labels, *record.not_exhaustive)):
        raise RecordingError(
            f"{record.rgb}: has categories {sorted({int(x) + 1 for x in record.labels})}, "
            f"wanted 1 to {classes}; set detector.labels in the training config"
        )
    exhaustive = np.ones(classes, bool)
    exhaustive[list(record.not_exhaustive)] = False
    return Sample(
        name=record.rgb.name,
        rgb=rgb,
        thermal=normalize_once(thermal, "mono8"),
        boxes=record.boxes,
        labels=record.labels,
        ignore=record.ignore,
        visible=record.visible,
        exhaustive=exhaustive,
    )


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
    from mdacl_ros.sensing.thermal import normalize_once
    from mdacl_ros.simulation import random_scene

    pair = random_scene(seed)
    size = (pair.rgb.shape[1], pair.rgb.shape[0])
    thermal = cv2.resize(normalize_once(pair.thermal, "16UC1"), size)
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        rgb=pair.rgb,
        thermal=thermal.astype(np.float16),
        boxes=pair.boxes,
        labels=pair.labels,
    )
    part.replace(path)
