"""M3FD (TarDAL, CVPR 2022): street and campus scenes, 1024x768, registered.

M3FD_Detection/
    Vis/00000.png   Ir/00000.png
    Annotation/00000.xml        Pascal VOC: People, Car, Bus, Motorcycle, Lamp, Truck

and as TarDAL's own code reads it (also any other set in this form, with a classes.txt):

    vi/00000.png   ir/00000.png
    labels/00000.txt            YOLO, numbered People, Car, Bus, Lamp, Motorcycle, Truck
    meta/{train,val}.txt        file names

There are no bicycles among its classes, and motorcycles are drawn as such.
"""

from __future__ import annotations

from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import LABELS
from mdacl_tools.recordings.datasets.annotations import (
    image_size,
    read_class_names,
    read_voc,
    read_yolo,
)
from mdacl_tools.recordings.datasets.classes import meaning
from mdacl_tools.recordings.datasets.folders import has_images, pair_files, read_list, subfolder
from mdacl_tools.recordings.datasets.record import (
    LabelledBox,
    Pair,
    PairRecord,
    labels_without,
    make_record,
)

NAME = "M3FD"
WANTED = "Vis/ and Ir/ with Annotation/*.xml, or vi/ and ir/ with labels/*.txt"
YOLO_NAMES = ["People", "Car", "Bus", "Lamp", "Motorcycle", "Truck"]
_RGB, _THERMAL = ("Vis", "vi", "vis"), ("Ir", "ir")
_SPLITS = ("train", "val", "test")
_EVERYTHING = "all"


def matches(root: Path) -> bool:
    """Whether a folder is laid out so."""
    rgb, thermal = subfolder(root, _RGB), subfolder(root, _THERMAL)
    drawn = (root / "Annotation").is_dir() or (root / "labels").is_dir()
    return drawn and rgb is not None and thermal is not None and has_images(rgb)


def splits(root: Path) -> tuple[str, ...]:
    """The parts that ``meta/`` lists; ``all`` without lists."""
    return tuple(s for s in _SPLITS if (root / "meta" / f"{s}.txt").is_file()) or (_EVERYTHING,)


def read(root: Path, split: str) -> list[PairRecord]:
    """Read the records of one part.

    Raises:
        RecordingError: The class numbers of YOLO files have no names.
    """
    rgb, thermal = subfolder(root, _RGB), subfolder(root, _THERMAL)
    if rgb is None or thermal is None:
        raise RecordingError(f"{root}: wanted {WANTED}")
    stems = None if split == _EVERYTHING else read_list(root / "meta" / f"{split}.txt")
    drawn = (root / "Annotation").is_dir()
    names = YOLO_NAMES if drawn else _yolo_names(root)
    undrawn = labels_without(*_classes(names))
    records = []
    for number, (stem, files) in enumerate(pair_files(rgb, thermal, stems).items(), start=1):
        pair = Pair(number, *files, split)
        try:
            objects = _voc(root, stem) if drawn else _yolo(root, stem, names, files)
            records.append(make_record(pair, objects, not_exhaustive=undrawn))
        except RecordingError as error:
            records.append(make_record(pair, (), not_exhaustive=undrawn, faults=(str(error),)))
    return records


def _voc(root: Path, stem: str) -> list[LabelledBox]:
    return read_voc(root / "Annotation" / f"{stem}.xml")


def _yolo(root: Path, stem: str, names: list[str], files: tuple[Path, Path]) -> list[LabelledBox]:
    return read_yolo(root / "labels" / f"{stem}.txt", names, image_size(*files))


def _yolo_names(root: Path) -> list[str]:
    """Names from classes.txt; M3FD's own where the folder shows that it is M3FD."""
    for path in (root / "classes.txt", root / "labels" / "classes.txt"):
        if path.is_file():
            return read_class_names(path)
    folder = root.resolve()
    if (root / "meta").is_dir() or "m3fd" in f"{folder.parent.name}/{folder.name}".lower():
        return YOLO_NAMES
    raise RecordingError(
        f"{root}: got labels/*.txt without class names, wanted a classes.txt with a name a line "
        "in the order of the numbers; add one"
    )


def _classes(names: list[str]) -> list[str]:
    """Our classes among a set's."""
    meanings = [meaning(name) for name in names]
    return [LABELS[m.label] for m in meanings if m is not None and not m.ignore]
