"""Reading the image files of data sets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mdacl_ros.errors import ImageError, RecordingError
from mdacl_ros.sensing.compressed import content_encoding, exif_orientation, is_cut_off
from mdacl_ros.sensing.encodings import BY_DTYPE
from mdacl_ros.sensing.thermal.raw_levels import thermal_to_grey
from mdacl_ros.types import Array, ByteArray

ASPECT_TOLERANCE = 0.01
"""Images whose aspect ratios differ by more do not show the same view; allows for rounding."""


def read_rgb(path: Path) -> ByteArray:
    """Read a colour image.

    Returns:
        ``(H, W, 3)`` uint8 in R, G, B order.

    Raises:
        RecordingError: It is missing or unreadable.
    """
    bgr = np.asarray(_read(path, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def read_thermal(path: Path) -> tuple[Array, str]:
    """Read a thermal image; colour files of grey pictures become grey.

    Returns:
        ``(H, W)`` uint8 or uint16, and its ROS encoding.

    Raises:
        RecordingError: It is missing, unreadable, of another depth, or in palette colours.
    """
    data = _data(path)
    _refuse_palette(path, data)
    image = _decode(path, data, cv2.IMREAD_ANYDEPTH)
    encoding = BY_DTYPE.get(str(image.dtype))
    if encoding is None or image.dtype.kind == "f":
        raise RecordingError(f"{path}: got {image.dtype} pixels, wanted 8 or 16 bit; convert it")
    return image, encoding


def same_view(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two image sizes (width, height) can be of one registered pair: equal aspect ratio."""
    return abs(first[0] * second[1] / (first[1] * second[0]) - 1) <= ASPECT_TOLERANCE


def orientation(path: Path) -> int:
    """EXIF orientation of an image file, 1 where it has none; it is read as it is stored."""
    try:
        with path.open("rb") as file:
            return exif_orientation(file.read(4096))
    except OSError:
        return 1


def _refuse_palette(path: Path, data: bytes) -> None:
    """Refuse false colours, from which no temperature can be read; a small decoding tells."""
    if not data or content_encoding(data) in ("mono8", "mono16"):
        return
    small = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_COLOR_2)
    if small is None:
        return  # said where it is decoded
    try:
        thermal_to_grey(small, path.suffix[1:])
    except ImageError as error:
        raise RecordingError(f"{path}: {error}; {_FIND_ALL}") from error


def _read(path: Path, flags: int) -> Array:
    return _decode(path, _data(path), flags)


def _data(path: Path) -> bytes:
    """A file's bytes, if they are whole."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}); {_FIND_ALL}") from error
    if is_cut_off(data):
        raise RecordingError(f"{path}: ends before the image does; copy it again; {_FIND_ALL}")
    return data


def _decode(path: Path, data: bytes, flags: int) -> Array:
    """Decode a file as it is stored; not by ``cv2.imread``, which adds a line on stderr.

    EXIF orientation is not applied: the node does not either, and labels lie on stored pixels.
    """
    flags |= cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if image is None:
        raise RecordingError(f"{path}: is not a readable image; {_FIND_ALL}")
    return image


_FIND_ALL = "mdacl data check finds all such files of a data set"
