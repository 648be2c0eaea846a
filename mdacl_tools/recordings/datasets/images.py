"""Reading the image files of data sets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import Array, ByteArray

THERMAL_ENCODINGS = {"uint8": "mono8", "uint16": "mono16"}

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
        RecordingError: It is missing, unreadable, or of another depth.
    """
    image = _read(path, cv2.IMREAD_ANYDEPTH)
    encoding = THERMAL_ENCODINGS.get(str(image.dtype))
    if encoding is None:
        raise RecordingError(f"{path}: got {image.dtype} pixels, wanted 8 or 16 bit; convert it")
    return image, encoding


def same_view(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two image sizes (width, height) can be of one registered pair: equal aspect ratio."""
    return abs(first[0] * second[1] / (first[1] * second[0]) - 1) <= ASPECT_TOLERANCE


def is_cut_off(data: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end: decoders fill the rest of the picture with grey."""
    if data.startswith(b"\xff\xd8"):
        # Behind the last scan; a preview within the header has scan and end of its own.
        return data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")
    return data.startswith(b"\x89PNG") and b"IEND" not in data[-1024:]


def _read(path: Path, flags: int) -> Array:
    """Decode a file; not by ``cv2.imread``, which adds a line of its own on stderr."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}); {_FIND_ALL}") from error
    if is_cut_off(data):
        raise RecordingError(f"{path}: ends before the picture does; copy it again; {_FIND_ALL}")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if image is None:
        raise RecordingError(f"{path}: is not a readable image; {_FIND_ALL}")
    return image


_FIND_ALL = "mdacl data check finds all such files of a data set"
