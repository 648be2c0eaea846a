"""Compressed images (JPEG, PNG): sizes are read from the header before anything is decoded."""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.errors import ImageError, ImageKindError
from mdacl_ros.sensing.thermal.raw_levels import thermal_to_grey
from mdacl_ros.types import Array, Modality

MAX_SIDE = 16_384
"""Largest height or width accepted, in pixels."""

MAX_PIXELS = 64_000_000
"""Largest picture accepted: a corrupt size field must not allocate gigabytes."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_TAIL_BYTES = 1024  # cameras pad; the end marker is looked for in this many last bytes


def decode_compressed(
    data: bytes | bytearray | memoryview,
    format: str,
    camera: Modality,
    max_pixels: int = MAX_PIXELS,
) -> Array:
    """Decode the fields of a ``sensor_msgs/CompressedImage``.

    Args:
        data: A JPEG or PNG file.
        format: The message's ``format`` (``jpeg``, ``rgb8; jpeg compressed bgr8``,
            ``16UC1; png compressed``); the data's own header decides, this names it in errors.
        camera: ``rgb``: the result is R, G, B. ``thermal``: the result keeps the raw unit.
        max_pixels: Largest picture that is decoded; told from the file's header.

    Returns:
        ``rgb``: ``(H, W, 3)`` uint8. ``thermal``: ``(H, W)`` uint8 or uint16.

    Raises:
        ImageError: ``compressedDepth``, a codec that is not JPEG or PNG, zero or excessive size,
            truncated data, or a thermal preview in palette colours.
    """
    where = f"{camera} compressed image, format {format!r}"
    data = memoryview(data).cast("B")
    _check_container(data, format, where, max_pixels)
    flags = cv2.IMREAD_UNCHANGED if camera == "thermal" else cv2.IMREAD_COLOR
    # EXIF rotation would break the rig's geometry, which is that of the sensor.
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise ImageError(f"{where}: the data is corrupt; check the link to the camera")
    if camera == "rgb":
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    if image.ndim == 3 and image.dtype == np.uint8 and image.shape[2] == 3:
        return thermal_to_grey(image, format)
    if image.ndim != 2 or image.dtype not in (np.uint8, np.uint16):
        raise ImageKindError(
            f"{where}: got {image.dtype} of shape {image.shape}, wanted one channel of 8 or 16"
            " bits; set the camera driver's pixel format"
        )
    return image


def _check_container(data: memoryview, format_: str, where: str, max_pixels: int) -> None:
    """Check the codec, the end of the file and the size in its header."""
    if "compressedDepth" in format_:
        raise ImageError(
            f"{where}: compressedDepth is for depth images, wanted JPEG or PNG; subscribe to the"
            " raw topic, or publish with the 'compressed' transport"
        )
    head = bytes(data[:8])
    if head != _PNG and head[:2] != _JPEG:
        raise ImageError(
            f"{where}: got data that starts with {head.hex(' ') or 'nothing'}, wanted JPEG or PNG;"
            " decode video codecs with `ros2 run image_transport republish`"
        )
    end = b"IEND" if head == _PNG else b"\xff\xd9"
    if end not in bytes(data[-_TAIL_BYTES:]):
        raise ImageError(
            f"{where}: the {len(data)} bytes are truncated (no end marker); check the link to the"
            " camera and the DDS fragment settings"
        )
    size = _png_size(data) if head == _PNG else _jpeg_size(data)
    if size is None:
        raise ImageError(f"{where}: no picture size in its header; check the link to the camera")
    check_size(where, size, max_pixels)


def check_size(where: str, size: tuple[int, int], max_pixels: int) -> None:
    """Refuse what no camera sends before anything of that size is touched.

    Args:
        where: Start of the message.
        size: ``(width, height)`` in pixels.
        max_pixels: Largest product of both that is accepted.

    Raises:
        ImageError: Nothing to see, or too large.
    """
    width, height = size
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE and height * width <= max_pixels):
        raise ImageError(
            f"{where}: got size {width}x{height}, wanted 1x1 up to {MAX_SIDE} a side and"
            f" {max_pixels} pixels; check the camera driver (or the limit: max_image_pixels)"
        )


def _png_size(data: memoryview) -> tuple[int, int] | None:
    """Width and height from IHDR, always the first chunk."""
    if bytes(data[12:16]) != b"IHDR" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _jpeg_size(data: memoryview) -> tuple[int, int] | None:
    """Width and height from the start-of-frame segment."""
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height = int.from_bytes(data[position + 5 : position + 7], "big")
            return int.from_bytes(data[position + 7 : position + 9], "big"), height
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None
