"""Opening a labelled data set whatever its layout: the one way in for training and evaluation."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_ros.small_file import user_path
from mdacl_ros.types import Modality
from mdacl_tools.recordings.datasets import flir, kaist, llvip, m3fd, msrs
from mdacl_tools.recordings.datasets.coco import read_coco
from mdacl_tools.recordings.datasets.record import PairRecord

COCO = "COCO"
BOM = "{} begins with a byte order mark (BOM), which JSON has none of: it was skipped"

TEST_SPLITS = ("test", "validation", "val")
"""Names of the part that is scored, best first."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a data set is distributed.

    Attributes:
        name: The data set.
        wanted: What its folder must hold, for messages.
        matches: Whether a folder is laid out so.
        splits: The parts in a folder.
        read: The records of one part.
    """

    name: str
    wanted: str
    matches: Callable[[Path], bool]
    splits: Callable[[Path], tuple[str, ...]]
    read: Callable[[Path, str], list[PairRecord]]


LAYOUTS = tuple(
    Layout(m.NAME, m.WANTED, m.matches, m.splits, m.read) for m in (llvip, flir, msrs, m3fd, kaist)
)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set, or some of its parts.

    Attributes:
        root: Its folder, or the COCO file.
        layout: Name of the layout.
        splits: The parts it has, read or not.
        records: Labelled pairs of the parts that were read.
        notes: How files were read that are not quite as they should be.
    """

    root: Path
    layout: str
    splits: tuple[str, ...]
    records: tuple[PairRecord, ...]
    notes: tuple[str, ...] = ()

    def sound_records(self) -> list[PairRecord]:
        """The records, if all annotation files could be read.

        Raises:
            RecordingError: One could not.
        """
        for record in self.records:
            if record.faults:
                raise RecordingError(f"{record.faults[0]}; see mdacl data check {self.root}")
        return list(self.records)


def open_dataset(
    path: Path, split: str | None = None, *, camera: Modality | None = None
) -> Dataset:
    """Find out how a data set is laid out, and read it.

    Args:
        path: Its folder (or one with nothing but it inside), or a COCO json.
        split: Which part; all unless given. COCO files of a folder are parts by their names.
        camera: Which camera a COCO file is of that names one image each.

    Raises:
        RecordingError: Nothing known is there, or no such part.
    """
    path = user_path(path)
    if not path.exists():
        raise RecordingError(f"data set {path}: no such file or folder; check the path")
    root, layout = (path, None) if path.suffix == ".json" else _find(path)
    if layout is None:
        files = _coco_files(root)
        dataset = _read(root, COCO, tuple(files), split, lambda s: read_coco(files[s], camera, s))
        read = [files[s] for s in files if split in (None, s)]
        return replace(dataset, notes=tuple(BOM.format(f.name) for f in read if _has_bom(f)))
    return _read(root, layout.name, layout.splits(root), split, lambda s: layout.read(root, s))


def default_split(dataset_splits: tuple[str, ...], path: Path) -> str:
    """The part that is scored unless another one is asked for.

    Raises:
        RecordingError: It cannot be told.
    """
    for name in TEST_SPLITS:
        if name in dataset_splits:
            return name
    if len(dataset_splits) == 1:
        return dataset_splits[0]
    raise RecordingError(
        f"data set {path}: wanted one split to score, got {', '.join(dataset_splits)}; give the "
        "path of one"
    )


def training_split(dataset_splits: tuple[str, ...], path: Path) -> str:
    """The part that is learnt from: ``train``, or the only one there is if it is not for scores.

    Raises:
        RecordingError: It cannot be told.
    """
    if "train" in dataset_splits:
        return "train"
    if len(dataset_splits) == 1 and dataset_splits[0] not in TEST_SPLITS:
        return dataset_splits[0]
    raise RecordingError(
        f"data set {path}: wanted a split `train` to learn from, got {', '.join(dataset_splits)}; "
        "give the COCO json of one"
    )


def dataset_splits(path: Path) -> tuple[str, ...]:
    """The parts of a data set, without reading it.

    Raises:
        RecordingError: Nothing known is there.
    """
    root, layout = _find(path)
    return tuple(_coco_files(root)) if layout is None else layout.splits(root)


def is_dataset(path: Path) -> bool:
    """Whether :func:`open_dataset` knows what lies there."""
    return bool(_found(path))


def _read(
    root: Path,
    layout: str,
    splits: tuple[str, ...],
    split: str | None,
    read: Callable[[str], list[PairRecord]],
) -> Dataset:
    if split is not None and split not in splits:
        raise RecordingError(f"data set {root}: got split {split!r}, wanted {', '.join(splits)}")
    records = [r for s in (splits if split is None else (split,)) for r in read(s)]
    if not records:
        raise RecordingError(f"data set {root}: {layout} layout without a single image")
    return Dataset(root, layout, splits, tuple(records))


def _find(path: Path) -> tuple[Path, Layout | None]:
    """The only data set at ``path`` or in its folders; without a layout it is COCO."""
    found = _found(path)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(root.name for root, _ in found)
        raise RecordingError(f"data set {path}: wanted one, got {names}; give the path of one")
    wanted = "; ".join(f"{layout.name}: {layout.wanted}" for layout in LAYOUTS)
    raise RecordingError(
        f"data set {path}: found no known layout; looked for {wanted}; COCO: a json whose images "
        "name rgb and thermal files"
    )


def _found(path: Path) -> list[tuple[Path, Layout | None]]:
    """Data sets at ``path`` itself, else in its folders (an archive that unpacks into its own)."""
    if path.is_file():
        return [(path, None)] if _is_coco(path) else []
    here = _layouts_of(path)
    if here or not path.is_dir():
        return here[:1]
    inside = sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
    return [found for folder in inside for found in _layouts_of(folder)[:1]]


def _layouts_of(folder: Path) -> list[tuple[Path, Layout | None]]:
    known: list[tuple[Path, Layout | None]] = [(folder, x) for x in LAYOUTS if x.matches(folder)]
    return known or ([(folder, None)] if _coco_files(folder) else [])


def _coco_files(path: Path) -> dict[str, Path]:
    if path.is_file():
        return {path.stem: path}
    return {file.stem: file for file in sorted(path.glob("*.json")) if _is_coco(file)}


def _has_bom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(3) == codecs.BOM_UTF8


def _is_coco(path: Path) -> bool:
    """Whether a json lists images by file name."""
    if path.suffix != ".json":
        return False
    try:
        coco = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return False
    images = coco.get("images") if isinstance(coco, dict) else None
    if images == []:
        return isinstance(coco.get("annotations"), list)  # empty, which is told later
    return isinstance(images, list) and isinstance(images[0], dict)
