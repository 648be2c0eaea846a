"""A page of small pictures of a data set: pairs side by side with their boxes, problems marked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mdacl_ros.drawing.overlay import CLASS_COLOURS
from mdacl_ros.drawing.primitives import GREY, INK, VERMILION, WHITE, draw_text
from mdacl_ros.errors import RecordingError
from mdacl_ros.types import ByteArray, FloatArray
from mdacl_tools.recordings.datasets.findings import DatasetFinding
from mdacl_tools.recordings.datasets.images import read_rgb, read_thermal
from mdacl_tools.recordings.datasets.record import PairRecord

CELLS, PICTURES_A_ROW = 24, 6
CELL = (264, 200)
"""Width and height of one picture; a cell holds one a camera and two lines of text."""

_TEXT = 34
_GAP = 6


def draw_sheet(records: Sequence[PairRecord], findings: Sequence[DatasetFinding]) -> ByteArray:
    """Draw a page: records with serious findings first, the rest evenly over the data set.

    Args:
        records: The data set.
        findings: What :func:`.check.check_records` found in it.

    Returns:
        ``(H, W, 3)`` uint8 RGB.
    """
    by_record: dict[int, list[DatasetFinding]] = defaultdict(list)
    for finding in findings:
        by_record[finding.record].append(finding)
    chosen = choose(len(records), findings, CELLS)
    cells = [_draw_cell(records[i], by_record[i]) for i in chosen]
    height, width = cells[0].shape[:2]
    columns = min(PICTURES_A_ROW * CELL[0] // width, len(cells))
    rows = -(-len(cells) // columns)
    shape = (rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3)
    sheet = np.full(shape, INK, np.uint8)
    for k, cell in enumerate(cells):
        y = _GAP + k // columns * (height + _GAP)
        x = _GAP + k % columns * (width + _GAP)
        sheet[y : y + height, x : x + width] = cell
    return sheet


def choose(count: int, findings: Sequence[DatasetFinding], most: int) -> list[int]:
    """Which records to show, in the order of the sheet.

    Args:
        count: Number of records.
        findings: What was found; every kind gets its turn.
        most: Number of cells; at least a third of them is left to records without problems.
    """
    queues: dict[str, list[int]] = {}
    for finding in findings:
        if finding.kind.serious:
            queues.setdefault(finding.kind.title, []).append(finding.record)
    bad: list[int] = []
    for turn in range(max(map(len, queues.values()), default=0)):
        bad += [queue[turn] for queue in queues.values() if turn < len(queue)]
    bad = list(dict.fromkeys(bad))
    others = [i for i in range(count) if i not in set(bad)]
    bad = bad[: max(most - len(others), most * 2 // 3)]
    spread = np.linspace(0, len(others) - 1, min(most - len(bad), len(others)))
    return bad + [others[round(position)] for position in spread]


def _draw_cell(record: PairRecord, findings: Sequence[DatasetFinding]) -> ByteArray:
    """The cameras' pictures, the name, and the first problem."""
    width, height = CELL
    cameras = len(record.files)
    cell: ByteArray = np.full((height + _TEXT, cameras * width, 3), INK, np.uint8)
    marked = {finding.box for finding in findings if finding.box is not None}
    for column, image in enumerate(_pictures(record)):
        panel = cell[:height, column * width : (column + 1) * width]
        if image is None:
            draw_text(panel, "no image", (width // 2, height // 2), 12, GREY, anchor="center")
            continue
        scale = min(width / image.shape[1], height / image.shape[0])
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        _draw_boxes(small, record, record.boxes * scale, marked)
        panel[: size[1], : size[0]] = small
    _draw_caption(cell, record, findings)
    return cell


def _draw_caption(cell: ByteArray, record: PairRecord, findings: Sequence[DatasetFinding]) -> None:
    """Part and name of a record, its first problem (else note), and a frame if it has a problem."""
    height, width = cell.shape[:2]
    draw_text(cell, f"{record.split}  {record.name}", (4, height - _TEXT + 3), 9, WHITE)
    if not findings:
        return
    first = next((finding for finding in findings if finding.kind.serious), findings[0])
    colour = VERMILION if first.kind.serious else GREY
    text = f"{first.kind.title}: {first.detail}".rstrip(": ")[: width // 7]
    more = f" (+{len(findings) - 1})" if len(findings) > 1 else ""
    draw_text(cell, text + more, (4, height - _TEXT + 18), 8, colour)
    if first.kind.serious:
        cv2.rectangle(cell, (0, 0), (width - 1, height - 1), VERMILION, 2)


def _pictures(record: PairRecord) -> list[ByteArray | None]:
    """The images there should be, in 8-bit colour and one size; ``None`` for unreadable ones."""
    pictures = [_read(path, is_rgb=path is record.rgb) for path in record.files]
    first = pictures[0]
    if first is None:
        return pictures
    return [p if p is None else np.asarray(cv2.resize(p, first.shape[1::-1])) for p in pictures]


def _read(path: Path, *, is_rgb: bool) -> ByteArray | None:
    try:
        if is_rgb:
            return read_rgb(path)
        grey = np.asarray(read_thermal(path)[0], np.float32)
    except RecordingError:
        return None
    low, high = float(grey.min()), float(grey.max())
    flat = np.asarray((grey - low) * (255 / max(high - low, 1)), np.uint8)
    return np.asarray(cv2.cvtColor(flat, cv2.COLOR_GRAY2RGB), np.uint8)


def _draw_boxes(image: ByteArray, record: PairRecord, boxes: FloatArray, marked: set[int]) -> None:
    """Boxes in the colours of their classes; ignored ones grey, marked ones thick and red."""
    for number, (box, label) in enumerate(zip(boxes, record.labels, strict=True)):
        x0, y0, x1, y1 = np.clip(np.rint(box), -9999, 9999).astype(int).tolist()
        colour = GREY if record.ignore[number] else CLASS_COLOURS[label % len(CLASS_COLOURS)]
        thick = 3 if number in marked else 1
        colour = VERMILION if number in marked else colour
        cv2.rectangle(image, (x0, y0), (x1, y1), colour, thick, cv2.LINE_AA)
