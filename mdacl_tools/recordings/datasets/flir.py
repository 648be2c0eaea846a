"""FLIR-aligned (Zhang et al., ICIP 2020): street scenes, 640x512, registered.

align/
    JPEGImages/FLIR_00002_RGB.jpg
    JPEGImages/FLIR_00002_PreviewData.jpeg
    Annotations/FLIR_00002_PreviewData.xml   Pascal VOC: person, car, bicycle, dog
    align_train.txt                          a name a line, with or without _PreviewData; also
    align_validation.txt                     found in ImageSets/Main/
"""

from __future__ import annotations

from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.datasets.annotations import read_voc
from mdacl_tools.recordings.datasets.folders import images_by_stem, read_list
from mdacl_tools.recordings.datasets.record import Pair, PairRecord, make_record

NAME = "FLIR-aligned"
WANTED = "JPEGImages/FLIR_*_{RGB,PreviewData}.* with Annotations/*.xml and align_{train,...}.txt"
_SPLITS = ("train", "validation")
_RGB, _THERMAL = "_RGB", "_PreviewData"
_EVERYTHING = "all"


def matches(root: Path) -> bool:
    """Whether a folder is laid out so."""
    images = root / "JPEGImages"
    return (root / "Annotations").is_dir() and next(images.glob(f"*{_THERMAL}.*"), None) is not None


def splits(root: Path) -> tuple[str, ...]:
    """The parts that there are lists of; ``all`` without lists."""
    return tuple(s for s in _SPLITS if _list(root, s).is_file()) or (_EVERYTHING,)


def read(root: Path, split: str) -> list[PairRecord]:
    """Read the records of one part."""
    images = images_by_stem(root / "JPEGImages")
    if split == _EVERYTHING:
        names = sorted({stem.replace(_THERMAL, "").replace(_RGB, "") for stem in images})
    else:
        names = [line.replace(_THERMAL, "") for line in read_list(_list(root, split))]
    return [_record(root, images, n, name, split) for n, name in enumerate(names, start=1)]


def _list(root: Path, split: str) -> Path:
    name = f"align_{split}.txt"
    inside = root / "ImageSets" / "Main" / name
    return inside if inside.is_file() else root / name


def _record(root: Path, images: dict[str, Path], number: int, name: str, split: str) -> PairRecord:
    folder = root / "JPEGImages"
    rgb = images.get(name + _RGB, folder / f"{name}{_RGB}.jpg")
    thermal = images.get(name + _THERMAL, folder / f"{name}{_THERMAL}.jpeg")
    pair = Pair(number, rgb, thermal, split)
    try:
        return make_record(pair, read_voc(root / "Annotations" / f"{name}{_THERMAL}.xml"))
    except RecordingError as error:
        return make_record(pair, (), faults=(str(error),))
