"""LLVIP (arXiv 2108.10831): people at night, 1280x1024, registered.

LLVIP/
    Annotations/010001.xml             Pascal VOC, class person only, one file for both images
    visible/{train,test}/010001.jpg
    infrared/{train,test}/010001.jpg

After the README of github.com/bupt-ai-cz/LLVIP. The first two digits number the place.
"""

from __future__ import annotations

from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.datasets.annotations import read_voc
from mdacl_tools.recordings.datasets.folders import has_images, pair_files
from mdacl_tools.recordings.datasets.record import Pair, PairRecord, labels_without, make_record

NAME = "LLVIP"
WANTED = "Annotations/*.xml with visible/ and infrared/{train,test}/"
_SPLITS = ("train", "test")


def matches(root: Path) -> bool:
    """Whether a folder is laid out so."""
    return (root / "Annotations").is_dir() and bool(splits(root))


def splits(root: Path) -> tuple[str, ...]:
    """The parts that are there."""
    cameras = ("visible", "infrared")
    return tuple(s for s in _SPLITS if any(has_images(root / camera / s) for camera in cameras))


def read(root: Path, split: str) -> list[PairRecord]:
    """Read the records of one part."""
    pairs = pair_files(root / "visible" / split, root / "infrared" / split)
    return [
        _record(
            root / "Annotations" / f"{stem}.xml", Pair(number, rgb, thermal, split, _meta(stem))
        )
        for number, (stem, (rgb, thermal)) in enumerate(pairs.items(), start=1)
    ]


def _meta(stem: str) -> dict[str, object]:
    return {"sequence": stem[:2]}


def _record(annotation: Path, pair: Pair) -> PairRecord:
    undrawn = labels_without("person")
    try:
        return make_record(pair, read_voc(annotation), not_exhaustive=undrawn)
    except RecordingError as error:
        return make_record(pair, (), not_exhaustive=undrawn, faults=(str(error),))
