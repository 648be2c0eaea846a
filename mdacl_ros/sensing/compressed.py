"""Compressed images (JPEG, PNG): sizes are read from the header before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from mdacl_ros.errors import ImageError, ImageKindError
from mdacl_ros.sensing.color_conversion import to_rgb8
from mdacl_ros.sensing.encodings import find_encoding
from mdacl_ros.sensing.thermal.raw_levels import thermal_to_grey
from mdacl_ros.sensing.thermal.telemetry import without_telemetry
from mdacl_ros.types import Array, Modality

MAX_SIDE = 16_384
"""Largest height or width accepted, in pixels."""

MAX_PIXELS = 64_000_000
"""Largest picture accepted: a corrupt size field must not allocate gigabytes."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_EXIF = b"Exif\x00\x00"
_EXIF_BYTES = 4096  # where a camera puts the orientation: near the start
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class CompressedFormat:
    """The ``format`` of a CompressedImage, as compressed_image_transport writes it.

    Attributes:
        encoding: Of the raw image, in front of the semicolon; empty where none is given.
        codec: ``jpeg``, ``png``, ``compressedDepth``, ``h264``, ...; empty where none is given.
        wire: Order of channels that the file was written from (``bgr8``); empty likewise.
    """

    encoding: str
    codec: str
    wire: str


def parse_format(text: str) -> CompressedFormat:
    """Read ``rgb8; jpeg compressed bgr8`` or, of other publishers, ``jpeg``."""
    before, semicolon, after = text.partition(";")
    words = (after if semicolon else text).split()
    wire = words[words.index("compressed") + 1 :] if "compressed" in words else []
    encoding = before.strip() if semicolon else ""
    return CompressedFormat(encoding, words[0] if words else "", wire[0] if wire else "")


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
    told = parse_format(format)
    mosaic = camera == "rgb" and told.encoding.startswith("bayer_")
    flags = cv2.IMREAD_UNCHANGED if camera == "thermal" or mosaic else cv2.IMREAD_COLOR
    # EXIF rotation would break the rig's geometry, which is that of the sensor.
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise ImageError(f"{where}: the data is corrupt; check the link to the camera")
    if camera == "rgb":
        return _rgb_pixels(image, told)
    if image.ndim == 3 and image.dtype == np.uint8 and image.shape[2] in (3, 4):
        return thermal_to_grey(image[..., :3], format)
    if image.ndim != 2 or image.dtype not in (np.uint8, np.uint16):
        raise ImageKindError(
            f"{where}: got {image.dtype} of shape {image.shape}, wanted one channel of 8 or 16"
            " bits; set the camera driver's pixel format"
        )
    return without_telemetry(image)


def _rgb_pixels(image: Any, told: CompressedFormat) -> Array:
    """R, G, B of what OpenCV decoded, with what the message's format says of it."""
    if image.ndim == 2:  # a Bayer camera's mosaic is compressed as it is
        row = find_encoding(told.encoding)
        if row is not None and row.dtype == str(image.dtype):
            return to_rgb8(image, row.means)
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    if image.dtype == np.uint8 and told.wire.startswith("rgb"):
        return np.ascontiguousarray(image[..., :3])  # written as if R were B: it is R, G, B now
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def is_cut_off(data: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end: decoders fill the rest of the picture with grey.

    Cameras pad what they send; what follows the end does not matter.
    """
    if data.startswith(_JPEG):
        # Behind the last scan; a preview within the header has scan and end of its own.
        return data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")
    return data.startswith(_PNG) and b"\0\0\0\0IEND" not in data


def exif_orientation(data: bytes) -> int:
    """Orientation that a JPEG asks viewers to apply, 1 (as it is) to 8; 1 where it says none."""
    head = data[:_EXIF_BYTES]
    at = head.find(_EXIF)
    if not data.startswith(_JPEG) or at < 0:
        return 1
    tiff = head[at + len(_EXIF) :]
    order: Literal["little", "big"] = "little" if tiff.startswith(b"II") else "big"
    first = int.from_bytes(tiff[4:8], order)
    for entry in range(int.from_bytes(tiff[first : first + 2], order)):
        row = tiff[first + 2 + 12 * entry :][:12]
        if int.from_bytes(row[:2], order) == _ORIENTATION:
            value = int.from_bytes(row[8:10], order)
            return value if 1 <= value <= 8 else 1
    return 1


def content_encoding(data: bytes | bytearray | memoryview) -> str:
    """Encoding by the header of a JPEG or PNG alone: depth and channels; empty if there is none.

    ``mono8``, ``mono16``, ``rgb8`` or ``rgb16``.
    """
    data = memoryview(data).cast("B")
    head = bytes(data[:8])
    if head == _PNG and len(data) > 25:
        return ("rgb" if data[25] & 2 else "mono") + ("16" if data[24] == 16 else "8")
    channels = _jpeg_channels(data) if head[:2] == _JPEG else 0
    return {1: "mono8", 3: "rgb8"}.get(channels, "")


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
    if is_cut_off(bytes(data)):
        raise ImageError(
            f"{where}: the {len(data)} bytes are cut off (no end marker); check the link to the"
            " camera and the DDS fragment settings"
        )
    size = _png_size(data) if head == _PNG else _jpeg_size(data)
    if size is None:
        raise ImageError(f"{where}: no image size in its header; check the link to the camera")
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
    at = _start_of_frame(data)
    if at is None:
        return None
    height = int.from_bytes(data[at + 5 : at + 7], "big")
    return int.from_bytes(data[at + 7 : at + 9], "big"), height


def _jpeg_channels(data: memoryview) -> int:
    """Number of components, 0 if there is no start of frame."""
    at = _start_of_frame(data)
    return 0 if at is None or at + 9 >= len(data) else data[at + 9]


def _start_of_frame(data: memoryview) -> int | None:
    """Where the start-of-frame segment's marker is."""
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return position
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None
