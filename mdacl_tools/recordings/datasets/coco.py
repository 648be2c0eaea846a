"""COCO json: images that name an ``rgb`` and a ``thermal`` file, or one file of one camera."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import LABELS, Modality
from mdacl_tools.recordings.datasets.classes import meaning
from mdacl_tools.recordings.datasets.record import LabelledBox, Pair, PairRecord, make_record

Coco = dict[str, Any]


def load_coco(path: Path) -> Coco:
    """Read a COCO json file.

    Raises:
        RecordingError: It is missing, no JSON, or lacks images or annotations.
    """
    try:
        coco = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RecordingError(
            f"{path}: cannot read the annotation file ({error.strerror}); check the path"
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: not a JSON file ({error}); write it again") from error
    for field in ("images", "annotations"):
        if not isinstance(coco, dict) or not isinstance(coco.get(field), list):
            got = "is missing" if isinstance(coco, dict) and field not in coco else "is no list"
            raise RecordingError(
                f"{path}: not COCO json, field '{field}' {got}; wanted lists of images, "
                "annotations and categories"
            )
    return dict(coco)


def read_coco(path: Path, camera: Modality | None = None, split: str = "") -> list[PairRecord]:
    """Read the records of one COCO file; image paths are relative to it (or to its ``images``).

    Args:
        path: COCO json.
        camera: Which camera its images are of, where they have a ``file_name`` only.
        split: Name to give them; the file's stem unless given.

    Raises:
        RecordingError: The file is missing or damaged, or ``camera`` is needed.
    """
    coco = load_coco(path)
    objects = boxes_by_image(coco, path)
    names = category_names(coco)
    undrawn = set(range(len(LABELS))) - _labels(list(names.values()))
    try:
        return [
            make_record(
                _pair(path, image, camera, split or path.stem),
                objects[image["id"]],
                not_exhaustive=sorted(undrawn | _partly_drawn(names, image)),
            )
            for image in coco["images"]
        ]
    except KeyError as error:
        raise RecordingError(
            f"{path}: field {error} is missing in an image; wanted id and either rgb and thermal "
            "or file_name"
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise RecordingError(f"{path}: not COCO json ({error}); check its images") from error


def boxes_by_image(coco: Coco, path: Path) -> dict[int, list[LabelledBox]]:
    """The annotations of each image, by image id.

    Args:
        coco: What :func:`load_coco` gave.
        path: Its file, for messages.

    Raises:
        RecordingError: An annotation lacks a field, has no box, or names an absent image.
    """
    try:
        names = category_names(coco)
        boxes: dict[int, list[LabelledBox]] = {image["id"]: [] for image in coco["images"]}
        for row in coco["annotations"]:
            if row["image_id"] not in boxes:
                raise RecordingError(
                    f"{path}: an annotation names image {row['image_id']}, which is not among its "
                    "images; remove one or add the other"
                )
            boxes[row["image_id"]].append(_labelled_box(row, names))
    except KeyError as error:
        raise RecordingError(
            f"{path}: field {error} is missing; wanted images with id, annotations with image_id, "
            "category_id and bbox"
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise RecordingError(
            f"{path}: not COCO json ({error}); wanted bbox as four numbers"
        ) from error
    return boxes


def category_names(coco: Coco) -> dict[int, str]:
    """Class name by category id; without ``categories``, this project's numbering is meant."""
    rows = coco.get("categories") or [{"id": i + 1, "name": n} for i, n in enumerate(LABELS)]
    return {row["id"]: str(row["name"]) for row in rows}


def _labelled_box(row: dict[str, Any], names: dict[int, str]) -> LabelledBox:
    x, y, width, height = (float(value) for value in row["bbox"])
    return LabelledBox(
        name=names.get(row["category_id"], f"category {row['category_id']}"),
        box=(x, y, x + width, y + height),
        ignore=bool(row.get("iscrowd") or row.get("ignore")),
        label_sets=frozenset(row.get("label_sets", ())),
    )


def _pair(path: Path, image: dict[str, Any], camera: Modality | None, split: str) -> Pair:
    meta = {k: v for k, v in image.items() if k not in ("id", "rgb", "thermal")}
    if "rgb" in image or "thermal" in image:
        rgb, thermal = (path.parent / image[key] for key in ("rgb", "thermal"))
        return Pair(int(image["id"]), rgb, thermal, split, meta)
    file = _locate(path.parent, image["file_name"])
    if camera is None:
        raise RecordingError(
            f"{path}: its images name one file each ({file.name}), wanted rgb and thermal; say "
            "which camera they are of: --camera rgb or --camera thermal"
        )
    rgb_file, thermal_file = (file, None) if camera == "rgb" else (None, file)
    return Pair(int(image["id"]), rgb_file, thermal_file, split, meta)


def _locate(folder: Path, name: str) -> Path:
    """An image beside the json, or in ``images`` beside it, where COCO tools put them."""
    inside = folder / "images" / name
    return inside if inside.is_file() else folder / name


def _partly_drawn(names: dict[int, str], image: dict[str, Any]) -> set[int]:
    ids = image.get("not_exhaustive_category_ids", ())
    return _labels([names[i] for i in ids if i in names])


def _labels(names: list[str]) -> set[int]:
    """The labels that class names stand for."""
    meanings = [meaning(name) for name in names]
    return {m.label for m in meanings if m is not None and not m.ignore}
