"""MSRS (Tang et al., Information Fusion 2022) with its boxes: street scenes, 640x480, registered.

MSRS/                                        github.com/Linfeng-Tang/MSRS
    {train,test}/{vi,ir}/00001D.png          D by day, N by night
    detection/{vi,ir}/1.png                  80 pairs with their own boxes
    detection/labels/1.txt                   YOLO: person, bicycle, car
MSRS-detection-label/                        github.com/Lele-3/..., inside MSRS/ or beside it
    {visible,infrared,fusion}/{train,test}/00001D.txt
    classes.txt

The three label sets of a pair, drawn separately on three pictures of it, are merged: boxes of one
class that overlap by :data:`MERGE_IOU` are one object; which sets had it says who can see it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.datasets.annotations import image_size, read_class_names, read_yolo
from mdacl_tools.recordings.datasets.folders import has_images, pair_files
from mdacl_tools.recordings.datasets.label_merge import merge_label_sets
from mdacl_tools.recordings.datasets.record import LabelledBox, Pair, PairRecord, make_record

NAME = "MSRS"
WANTED = "{train,test}/{vi,ir}/ with MSRS-detection-label/ beside or inside"
YOLO_NAMES = ["person", "bicycle", "car"]
LABEL_FOLDERS = ("fusion", "infrared", "visible")
"""Order of preference: an object that several sets have keeps the box of the first."""

_SPLITS = ("train", "test")
_OWN = "detection"
_TIMES = {"D": "day", "N": "night"}


def matches(root: Path) -> bool:
    """Whether a folder is laid out so."""
    return any(has_images(root / split / "vi") for split in _SPLITS)


def splits(root: Path) -> tuple[str, ...]:
    """The parts that have boxes.

    Raises:
        RecordingError: None has.
    """
    labels = _label_root(root)
    there = [s for s in _SPLITS if labels is not None and has_images(root / s / "vi")]
    if (root / _OWN / "labels").is_dir():
        there.append(_OWN)
    if not there:
        raise RecordingError(
            f"{root}: MSRS itself has no boxes; wanted the folder MSRS-detection-label (from "
            "github.com/Lele-3/MSRS-detection-label) inside or beside it"
        )
    return tuple(there)


def read(root: Path, split: str) -> list[PairRecord]:
    """Read the records of one part."""
    boxes = _own_boxes(root / _OWN / "labels") if split == _OWN else _set_boxes(root, split)
    records = []
    files = pair_files(root / split / "vi", root / split / "ir")
    for number, (stem, images) in enumerate(files.items(), start=1):
        time = _TIMES.get(stem[-1])
        pair = Pair(number, *images, split, {} if time is None else {"time": time})
        try:
            records.append(make_record(pair, boxes(stem, image_size(*images))))
        except RecordingError as error:
            records.append(make_record(pair, (), faults=(str(error),)))
    return records


BoxReader = Callable[[str, "tuple[int, int] | None"], "list[LabelledBox]"]


def _own_boxes(labels: Path) -> BoxReader:
    return lambda stem, size: read_yolo(labels / f"{stem}.txt", YOLO_NAMES, size)


def _set_boxes(root: Path, split: str) -> BoxReader:
    labels = _label_root(root) or root
    file = labels / "classes.txt"
    names = read_class_names(file) if file.is_file() else YOLO_NAMES

    def read_sets(stem: str, size: tuple[int, int] | None) -> list[LabelledBox]:
        files = {folder: labels / folder / split / f"{stem}.txt" for folder in LABEL_FOLDERS}
        return merge_label_sets({f: read_yolo(path, names, size) for f, path in files.items()})

    return read_sets


def _label_root(root: Path) -> Path | None:
    """Where the label sets lie; a download of the repository ends in -main."""
    names = ("MSRS-detection-label", "MSRS-detection-label-main")
    candidates = [root, *(folder / name for folder in (root, root.parent) for name in names)]
    return next((c for c in candidates if _has_labels(c)), None)


def _has_labels(folder: Path) -> bool:
    return any((folder / "fusion" / split).is_dir() for split in _SPLITS)
