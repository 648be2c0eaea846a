"""Looking through a data set for what would spoil training or scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import Array
from mdacl_tools.recordings.datasets import findings as kinds
from mdacl_tools.recordings.datasets.classes import is_known
from mdacl_tools.recordings.datasets.findings import DatasetFinding
from mdacl_tools.recordings.datasets.fingerprint import Fingerprint, fingerprint, near_pairs
from mdacl_tools.recordings.datasets.images import orientation, read_rgb, read_thermal, same_view
from mdacl_tools.recordings.datasets.record import PairRecord

BOX_TOLERANCE = 1.0
"""Pixels by which a box may reach over the border: rounding of the drawing tools."""

NEAR_BITS = {1: 3, 2: 12}
"""Differing bits of the difference hashes up to which images count as nearly the same, by number of
cameras. Set by eye on MSRS, M3SVD, HIT-UAV and CARLA pictures: one hash of 64 bits shows different
streets of one style from 4 bits on, two hashes that agree by chance were not seen below 16."""


def check_records(
    records: Sequence[PairRecord], advance: Callable[[int], None] = lambda _: None
) -> list[DatasetFinding]:
    """Check every record by itself, then against the others.

    Args:
        records: All parts together, so that leakage between them shows.
        advance: Told after each record.

    Returns:
        Findings, ordered by record.
    """
    found: list[DatasetFinding] = []
    prints: dict[int, Fingerprint] = {}
    for index, record in enumerate(records):
        images = _read_images(index, record, found)
        found += _check_boxes(index, record, images)
        if images and len(images) == len(record.files):
            found += _check_sizes(index, record, images)
            prints[index] = fingerprint(images)
        advance(1)
    found += _check_doubles(records, prints)
    if records and not any(record.faults or len(record.boxes) for record in records):
        found.append(DatasetFinding(kinds.NOTHING, 0, ""))
    return sorted(found, key=lambda finding: finding.record)


def _read_images(index: int, record: PairRecord, found: list[DatasetFinding]) -> list[Array]:
    """The images that can be read; the others become findings."""
    images: list[Array] = []
    for path in record.files:
        if not path.is_file():
            found.append(DatasetFinding(kinds.MISSING, index, str(path)))
            continue
        try:
            images.append(read_rgb(path) if path is record.rgb else read_thermal(path)[0])
        except RecordingError as error:
            palette = "palette colours" in str(error)
            kind = kinds.PALETTE if palette else kinds.UNREADABLE
            found.append(DatasetFinding(kind, index, str(path)))
        turned = orientation(path)
        if turned != 1:
            found.append(DatasetFinding(kinds.TURNED, index, f"{path}: orientation {turned}"))
    return images


def _check_sizes(
    index: int, record: PairRecord, images: Sequence[Array]
) -> Iterator[DatasetFinding]:
    sizes = [(image.shape[1], image.shape[0]) for image in images]
    if len(set(sizes)) == 1:
        return
    (width, height), thermal = sizes
    detail = f"rgb {width}x{height}, thermal {thermal[0]}x{thermal[1]}"
    yield DatasetFinding(kinds.SCALED if same_view(*sizes) else kinds.SIZE, index, detail)


def _check_boxes(
    index: int, record: PairRecord, images: Sequence[Array]
) -> Iterator[DatasetFinding]:
    """Annotation file, classes and boxes of one record."""
    yield from (DatasetFinding(kinds.ANNOTATION, index, fault) for fault in record.faults)
    yield from (DatasetFinding(kinds.LABEL, index, note) for note in record.notes)
    names = sorted({name for name in record.left_out if not is_known(name)})
    yield from (DatasetFinding(kinds.UNKNOWN, index, repr(name)) for name in names)
    if not record.faults and not len(record.boxes):
        yield DatasetFinding(kinds.UNLABELLED, index, "")
    height, width = images[0].shape[:2] if images else (np.inf, np.inf)
    limits = np.array([width, height])
    for number, box in enumerate(record.boxes):
        detail = "x {:.1f} to {:.1f}, y {:.1f} to {:.1f}".format(*box[[0, 2, 1, 3]])
        if (box[2:] - box[:2] < 1).any():
            yield DatasetFinding(kinds.EMPTY, index, detail, number)
        elif (box[:2] < -BOX_TOLERANCE).any() or (box[2:] > limits + BOX_TOLERANCE).any():
            yield DatasetFinding(kinds.OUTSIDE, index, f"{detail} in {width}x{height}", number)


def _check_doubles(
    records: Sequence[PairRecord], prints: dict[int, Fingerprint]
) -> Iterator[DatasetFinding]:
    """Images that come twice: each pair of records once, told of the later one."""
    for cameras, most in NEAR_BITS.items():
        members = [i for i in prints if len(records[i].files) == cameras]
        if len(members) < 2:
            continue
        bits = np.array([prints[i].bits for i in members])
        for a, b, differing in near_pairs(bits, most):
            first, second = members[a], members[b]
            kind = _kind_of_double(records, prints, first, second)
            detail = f"as {_where(records[first])}, {differing} of {bits.shape[1]} bits differ"
            yield DatasetFinding(kind, second, detail)


def _kind_of_double(
    records: Sequence[PairRecord], prints: dict[int, Fingerprint], first: int, second: int
) -> kinds.Kind:
    if records[first].split != records[second].split:
        return kinds.LEAKAGE
    same = prints[first].digest == prints[second].digest
    return kinds.DUPLICATE if same else kinds.SIMILAR


def _where(record: PairRecord) -> str:
    return f"{record.split}/{record.name}" if record.split else record.name


def count_classes(
    records: Sequence[PairRecord], labels: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Count what each part holds.

    Returns:
        By part, in order: ``images``, boxes of each class, ``ignored`` regions and ``left out``
        annotations.
    """
    counts: dict[str, Counter[str]] = {}
    for record in records:
        row = counts.setdefault(record.split, Counter())
        row["images"] += 1
        row["ignored"] += int(record.ignore.sum())
        row["left out"] += len(record.left_out)
        row.update(labels[label] for label in record.labels[~record.ignore])
    columns = ("images", *labels, "ignored", "left out")
    return {split: {column: row[column] for column in columns} for split, row in counts.items()}
