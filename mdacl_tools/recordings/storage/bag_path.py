"""Which files a path means, by what they hold, and the states in which recorders leave them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.storage.compression import ZSTD

BAG_SUFFIXES = (".mcap", ".db3", ".bag")
STORED = (*BAG_SUFFIXES, ".zstd", ".zst", ".active")
"""Suffixes of the files in a folder that are looked at."""

METADATA = "metadata.yaml"

StorageKind = Literal["mcap", "sqlite3", "ros1", "zstd"]

_MAGIC: tuple[tuple[bytes, StorageKind], ...] = (
    (b"\x89MCAP", "mcap"),
    (b"SQLite format 3\x00", "sqlite3"),
    (b"#ROSBAG V2", "ros1"),
    (ZSTD, "zstd"),
)
_OTHER_MAGIC = (
    (b"", "is empty (0 bytes): its recorder wrote nothing, or it was not copied"),
    (b"version https://git-lfs", "is a pointer of Git LFS, not the bag: run git lfs pull"),
    (b"#ROSBAG V1", "is a bag of ROS 1 before version 2.0: run rosbag fix on it"),
    (b"\x1f\x8b", "is compressed by gzip: run gunzip on it"),
    (b"\x04\x22\x4d\x18", "is compressed by lz4: run unlz4 on it"),
    (b"\xfd7zXZ", "is compressed by xz: run unxz on it"),
    (b"PK\x03\x04", "is a zip archive: unzip it"),
)
_PART = re.compile(r"(?P<name>.+)_(?P<number>\d+)(?P<suffix>\.\w+(\.zstd?)?)$")


def storage_kind(path: Path) -> StorageKind | None:
    """The format of a file by its first bytes; ``None``: no bag's."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return None
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)


def is_bag(path: Path) -> bool:
    """Whether a path is a bag's file or folder."""
    if path.is_dir():
        return (path / METADATA).is_file()
    if path.name == METADATA or path.suffix in BAG_SUFFIXES:
        return path.is_file()
    return path.suffix in STORED and storage_kind(path) is not None


def bag_path(path: Path) -> Path | None:
    """The bag that a path means: a file, or a folder; ``None`` if there is none.

    ``metadata.yaml`` means its folder.
    """
    if path.name == METADATA and path.is_file():
        return path.parent
    if is_bag(path):
        return path
    return path if path.is_dir() and _stored(path) else None


@dataclass(frozen=True, slots=True)
class BagFiles:
    """The files of a bag.

    Attributes:
        files: In the order of recording where it is known.
        expected: Messages by topic that the recorder says it wrote; empty if it does not say.
        ordered: Whether ``metadata.yaml`` gives the order.
        notes: How they were found, where that is a guess.
        damage: What is wrong with them as a whole.
    """

    files: tuple[Path, ...]
    expected: dict[str, int]
    ordered: bool
    notes: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()


def bag_files(path: Path) -> BagFiles:
    """The files of the bag at a path of :func:`bag_path`.

    Raises:
        RecordingError: There are several that do not belong together, or none.
    """
    metadata = read_metadata(path if path.is_dir() else path.parent)
    names = [Path(str(name)).name for name in metadata.get("relative_file_paths") or []]
    if path.is_file():
        whole = names == [path.name]
        return BagFiles((path,), _expected(metadata) if whole else {}, True)
    listed = [path / name for name in names]
    missing = [file.name for file in listed if not file.is_file()]
    files = tuple(file for file in listed if file.is_file())
    if files:
        others = [p.name for p in _stored(path) if p not in files and storage_kind(p)]
        damage = [f"{name} is missing" for name in missing]
        damage += [
            f"{name} lies beside it but metadata.yaml does not list it: not read; "
            f"ros2 bag reindex {path}"
            for name in others
        ]
        return BagFiles(files, _expected(metadata), True, damage=tuple(damage))
    return _without_metadata(path, missing)


def read_metadata(folder: Path) -> dict[str, Any]:
    """The bag's metadata.yaml; empty if there is none or it cannot be read."""
    try:
        values = yaml.safe_load((folder / METADATA).read_text(encoding="utf-8"))
        return dict(values["rosbag2_bagfile_information"])
    except (OSError, yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError):
        return {}


def unreadable_reason(path: Path) -> str:
    """What a file is that has no bag's format, and what to do; empty if that is not known."""
    try:
        with path.open("rb") as file:
            head = file.read(32)
    except OSError as error:
        return f"cannot be read ({error.strerror}): check its permissions"
    for magic, why in _OTHER_MAGIC:
        if head.startswith(magic) and (magic or not head):
            return why
    return ""


def _without_metadata(path: Path, missing: list[str]) -> BagFiles:
    """The storage files of a folder, if they are one recording's by their names."""
    found = _stored(path)
    if not found:
        what = f"its files {', '.join(missing)} are missing" if missing else "it holds no file"
        raise RecordingError(f"bag {path}: {what}; copy the whole folder")
    if len(found) == 1:
        return BagFiles((found[0],), {}, True)
    parts = [_PART.match(file.name) for file in found]
    same = {
        (part["name"], part["suffix"]) if part else file.name
        for part, file in zip(parts, found, strict=True)
    }
    names = ", ".join(file.name for file in found)
    if len(same) > 1 or None in parts:
        raise RecordingError(
            f"recording {path}: wanted one, got {names}; give the path of one; if they are files "
            f"of one recording: ros2 bag reindex {path}"
        )
    note = f"there is no usable metadata.yaml: {names} were taken as files of one recording"
    return BagFiles(tuple(found), {}, False, notes=(note,))


def _stored(folder: Path) -> list[Path]:
    """The storage files in a folder, ``name_2`` before ``name_10``."""
    found = [p for p in folder.iterdir() if p.suffix in STORED and p.is_file()]
    found = [p for p in found if p.suffix in BAG_SUFFIXES or storage_kind(p) is not None]
    return sorted(
        found, key=lambda p: [int(t) if t.isdigit() else t for t in re.split(r"(\d+)", p.name)]
    )


def _expected(metadata: dict[str, Any]) -> dict[str, int]:
    """Number of messages by topic that the recorder says it wrote."""
    counts: dict[str, int] = {}
    try:
        for row in metadata.get("topics_with_message_count") or []:
            name = str(row["topic_metadata"]["name"])
            counts[name] = counts.get(name, 0) + int(row["message_count"])
    except (KeyError, TypeError, ValueError):
        return {}
    return counts
