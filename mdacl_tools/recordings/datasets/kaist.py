"""KAIST multispectral pedestrians (Hwang et al., CVPR 2015) with the sanitised annotations.

kaist-cvpr15/
    images/set00/V000/{visible,lwir}/I00000.jpg      also without images/
    annotations-xml-new-sanitized/set00/V000/I00000.xml      bndbox holds x, y, w, h
    imageSets/{train-all-02,test-all-20}.txt         lines set00/V000/I00001

or text annotations (bbGt) in the same folders, or flat, ``set00_V000_I00001.txt``, as the sanitised
set of Li et al. (BMVC 2018) comes. Sets 00-05 are for training, 06-11 for testing; 00-02 and 06-08
by day. ``people``, ``person?`` and ``cyclist`` are ignored, as its protocol does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.datasets.annotations import read_bbgt, read_voc
from mdacl_tools.recordings.datasets.folders import read_list
from mdacl_tools.recordings.datasets.record import (
    LabelledBox,
    Pair,
    PairRecord,
    labels_without,
    make_record,
)

NAME = "KAIST"
WANTED = "set??/V???/{visible,lwir}/ with sanitised annotations (annotations-xml-new-sanitized/)"
ANNOTATION_FOLDERS = (
    "annotations-xml-new-sanitized",
    "sanitized_annotations",
    "annotations_KAIST_test_set",
    "annotations-xml-new",
    "annotations-xml",
    "annotations",
)
"""Best first: the original annotations are known to be poor."""

LISTS = {
    "train": ("train-all-02", "train-all-04", "train-all-20"),
    "test": ("test-all-20", "test-all-01"),
}
GROUPS = frozenset(("people",))
_FRAME = re.compile(r"(set(\d\d))[/_](V\d{3})[/_](I\d{5})")


def matches(root: Path) -> bool:
    """Whether a folder is laid out so."""
    return next(_images(root).glob("set[0-9][0-9]/V[0-9][0-9][0-9]/lwir"), None) is not None


def splits(root: Path) -> tuple[str, ...]:
    """Training and testing, where a list or annotations of it are there."""
    return tuple(s for s in LISTS if next(_frames(root, s), None) is not None)


def read(root: Path, split: str) -> list[PairRecord]:
    """Read the records of one part."""
    return [_record(root, frame, n, split) for n, frame in enumerate(_frames(root, split), 1)]


def _images(root: Path) -> Path:
    return root / "images" if (root / "images").is_dir() else root


def _frames(root: Path, split: str) -> Iterator[str]:
    """Names like ``set00/V000/I00001``: those of the list, else those annotated."""
    for name in LISTS[split]:
        path = root / "imageSets" / f"{name}.txt"
        if path.is_file():
            yield from read_list(path)
            return
    found = set()
    for folder in _annotation_folders(root):
        relative = (path.relative_to(folder).as_posix() for path in folder.rglob("*I[0-9]*.*"))
        found |= {"/".join(m.group(1, 3, 4)) for m in map(_FRAME.match, relative) if m}
    yield from sorted(f for f in found if _split_of(f) == split)


def _split_of(frame: str) -> str:
    return "train" if int(frame[3:5]) < 6 else "test"


def _annotation_folders(root: Path) -> list[Path]:
    return [root / name for name in ANNOTATION_FOLDERS if (root / name).is_dir()]


def _record(root: Path, frame: str, number: int, split: str) -> PairRecord:
    match = _FRAME.fullmatch(frame)
    if match is None:
        raise RecordingError(
            f"{root}/imageSets: got the line {frame!r}, wanted lines like set00/V000/I00001"
        )
    sequence, image = f"{match[1]}/{match[3]}", match[4]
    folder = _images(root) / sequence
    suffix = ".png" if (folder / "visible" / f"{image}.png").is_file() else ".jpg"
    rgb, thermal = (folder / camera / (image + suffix) for camera in ("visible", "lwir"))
    time = "day" if int(match[2]) % 6 < 3 else "night"
    pair = Pair(number, rgb, thermal, split, {"sequence": sequence, "time": time})
    undrawn = labels_without("person")
    try:
        boxes = _boxes(root, sequence, image)
        return make_record(pair, boxes, not_exhaustive=undrawn, groups=GROUPS)
    except RecordingError as error:
        return make_record(pair, (), not_exhaustive=undrawn, faults=(str(error),))


def _boxes(root: Path, sequence: str, image: str) -> list[LabelledBox]:
    """The annotations of one frame, from the best folder that has it."""
    flat = f"{sequence.replace('/', '_')}_{image}.txt"
    for folder in _annotation_folders(root):
        xml = folder / sequence / f"{image}.xml"
        if xml.is_file():
            return read_voc(xml)
        for path in (folder / sequence / f"{image}.txt", folder / flat):
            if path.is_file():
                return read_bbgt(path)
    raise RecordingError(
        f"{root}: no annotation of {sequence}/{image}; wanted it in one of "
        f"{', '.join(ANNOTATION_FOLDERS)}"
    )
