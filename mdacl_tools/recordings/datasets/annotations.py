"""Annotation files of one image: Pascal VOC xml, YOLO text, and the bbGt text of KAIST."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from PIL import Image

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.datasets.record import POLYGON, LabelledBox, in_order


def read_voc(path: Path) -> list[LabelledBox]:
    """Read Pascal VOC xml; ``bndbox`` holds xmin..ymax, or x, y, w, h as in KAIST's.

    Raises:
        RecordingError: The file is missing or not such xml.
    """
    try:
        root = ElementTree.parse(path).getroot()
        return [_voc_object(node) for node in root.iter("object")]
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ElementTree.ParseError, ValueError, TypeError) as error:
        raise RecordingError(
            f"{path}: not Pascal VOC xml ({error}); wanted objects with name and bndbox"
        ) from error


def _voc_object(node: ElementTree.Element) -> LabelledBox:
    box = node.find("bndbox")
    if box is None:
        raise ValueError("an object without bndbox")
    corners = tuple(box.findtext(tag) for tag in ("xmin", "ymin", "xmax", "ymax"))
    if None in corners:
        x, y, width, height = (_number(box, tag) for tag in ("x", "y", "w", "h"))
        xyxy = (x, y, x + width, y + height)
    else:
        x0, y0, x1, y1 = (float(corner) for corner in corners if corner is not None)
        xyxy = (x0, y0, x1, y1)
    difficult = node.findtext("difficult", "0").strip() == "1"
    return in_order(LabelledBox((node.findtext("name") or "").strip(), xyxy, ignore=difficult))


def _number(box: ElementTree.Element, tag: str) -> float:
    text = box.findtext(tag)
    if text is None:
        raise ValueError(f"a bndbox without {tag}")
    return float(text)


def read_bbgt(path: Path) -> list[LabelledBox]:
    """Read KAIST's text annotations (``% bbGt version=3``): name x y w h, occlusion, ..., ignore.

    Raises:
        RecordingError: The file is missing or not of this kind.
    """
    try:
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        return [_bbgt_object(row) for row in rows if row and row[0] != "%"]
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, IndexError) as error:
        raise RecordingError(
            f"{path}: not bbGt text ({error}); wanted lines 'person x y w h ...'"
        ) from error


def _bbgt_object(row: list[str]) -> LabelledBox:
    if len(row) < 5:
        raise ValueError(f"a line of {len(row)} words")
    x, y, width, height = (float(value) for value in row[1:5])
    ignore = len(row) > 10 and row[10] == "1"
    return LabelledBox(row[0], (x, y, x + width, y + height), ignore=ignore)


def read_yolo(path: Path, names: list[str], size: tuple[int, int] | None) -> list[LabelledBox]:
    """Read YOLO text: class number, centre and size as shares of the image. No file: no object.

    A row of a class and three points or more is a polygon (segmentation): its box is taken.

    Args:
        path: Text file.
        names: Class names by number.
        size: Width and height of the image, ``None`` if it cannot be read: then no box can be
            placed.

    Raises:
        RecordingError: The file is damaged or numbers a class without a name.
    """
    if size is None or not path.is_file():
        return []
    try:
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        return [_yolo_object(row, names, size) for row in rows if row]
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, IndexError) as error:
        raise RecordingError(
            f"{path}: not YOLO text for {len(names)} classes ({error}); wanted lines "
            "'class x_centre y_centre width height' in shares of the image"
        ) from error


def _yolo_object(row: list[str], names: list[str], size: tuple[int, int]) -> LabelledBox:
    number = int(float(row[0]))
    if not 0 <= number < len(names):
        raise ValueError(f"class {number}")
    if len(row) >= 7 and len(row) % 2:
        xs, ys = ([float(v) * side for v in row[1 + k :: 2]] for k, side in enumerate(size))
        return LabelledBox(names[number], (min(xs), min(ys), max(xs), max(ys)), note=POLYGON)
    if len(row) != 5:
        raise ValueError(f"a line of {len(row)} numbers")
    x, y, width, height = (float(v) * side for v, side in zip(row[1:5], size * 2, strict=True))
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return LabelledBox(names[number], box)


def read_class_names(path: Path) -> list[str]:
    """Read ``classes.txt``: a name a line, with or without its number before it.

    Raises:
        RecordingError: The file is missing.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise _unreadable(path, error) from error
    rows = [line.split(maxsplit=1) for line in lines if line.strip()]
    return [row[-1] if row[0].isdigit() else " ".join(row) for row in rows]


def image_size(*paths: Path | None) -> tuple[int, int] | None:
    """Width and height from the header of the first readable image, ``None`` if there is none."""
    for path in paths:
        if path is None:
            continue
        try:
            with Image.open(path) as image:
                return image.size
        except OSError:
            continue
    return None


def _unreadable(path: Path, error: OSError) -> RecordingError:
    return RecordingError(f"{path}: cannot read the annotation file ({error.strerror})")
