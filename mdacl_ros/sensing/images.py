"""Images off the wire -> arrays: checked first, then zero-copy where the bytes already fit.

No ROS types: the functions take the fields of ``sensor_msgs/Image`` or ``CompressedImage``, and
:func:`image_frame` takes any object that has them (rclpy's or rosbags' messages). Colour
conversions are a kept library's (:mod:`.color_conversion`); ours are the checks before anything is
allocated, padded rows, and the view without a copy for what needs no conversion.
"""

from __future__ import annotations

import array
import sys
from typing import Any, cast

import numpy as np

from mdacl_ros.errors import ImageError, ImageKindError
from mdacl_ros.sensing.color_conversion import to_rgb8
from mdacl_ros.sensing.compressed import MAX_PIXELS, check_size, decode_compressed
from mdacl_ros.sensing.thermal.raw_levels import thermal_to_grey
from mdacl_ros.types import Array, Frame, Modality

WireBytes = bytes | bytearray | memoryview | array.array | Array
"""What message libraries hold image data in."""

_NS_PER_S = 1_000_000_000
_THERMAL = {
    "mono8": ("uint8", 1),
    "8UC1": ("uint8", 1),
    "mono16": ("uint16", 1),
    "16UC1": ("uint16", 1),
    "32FC1": ("float32", 1),
    "rgb8": ("uint8", 3),
    "bgr8": ("uint8", 3),
}
_BAYER = [f"bayer_{order}{bits}" for order in ("rggb", "bggr", "gbrg", "grbg") for bits in (8, 16)]
_RGB = {
    **dict.fromkeys(("rgb8", "bgr8"), ("uint8", 3)),
    **dict.fromkeys(("rgba8", "bgra8"), ("uint8", 4)),
    **dict.fromkeys(("rgb16", "bgr16"), ("uint16", 3)),
    **dict.fromkeys(("rgba16", "bgra16"), ("uint16", 4)),
    **dict.fromkeys(("yuv422", "uyvy", "yuv422_yuy2", "yuyv"), ("uint8", 2)),
    **dict.fromkeys(("mono8", "nv12", "nv21"), ("uint8", 1)),
    "mono16": ("uint16", 1),
    **{name: ("uint16" if name.endswith("16") else "uint8", 1) for name in _BAYER},
}
_LAYOUTS: dict[Modality, dict[str, tuple[str, int]]] = {"rgb": _RGB, "thermal": _THERMAL}
_PLANAR_420 = ("nv12", "nv21")  # a half-height chroma plane follows the picture
_EVEN_WIDTH = (*_PLANAR_420, "yuv422", "uyvy", "yuv422_yuy2", "yuyv")


def known_encodings(camera: Modality) -> frozenset[str]:
    """The encodings of raw images that :func:`decode_image` reads."""
    return frozenset(_LAYOUTS[camera])


def decode_image(
    data: WireBytes,
    encoding: str,
    height: int,
    width: int,
    step: int,
    is_bigendian: bool,
    camera: Modality = "rgb",
    max_pixels: int = MAX_PIXELS,
) -> Array:
    """Decode the fields of a ``sensor_msgs/Image``.

    Args:
        data: Pixel bytes, rows ``step`` bytes apart.
        encoding: ROS image encoding.
        height: Rows of the picture.
        width: Columns of the picture.
        step: Bytes from one row to the next, padding included.
        is_bigendian: Byte order of 16- and 32-bit samples.
        camera: ``rgb``: the result is R, G, B. ``thermal``: the result keeps the raw unit.
        max_pixels: Largest picture accepted.

    Returns:
        ``rgb``: ``(H, W, 3)`` uint8. ``thermal``: ``(H, W)`` uint8, uint16 or float32. A view of
        ``data`` where no conversion is needed (rgb8; one-channel thermal in this machine's byte
        order): treat it as read-only.

    Raises:
        ImageError: Unknown encoding, zero or excessive size, wrong step, truncated data, or a
            thermal preview in palette colours.
    """
    size = (int(height), int(width))
    view = _checked_view(data, encoding, size, int(step), is_bigendian, camera, max_pixels)
    if not view.dtype.isnative:
        view = view.astype(view.dtype.newbyteorder("="))
    if camera == "thermal":
        return view if view.ndim == 2 else thermal_to_grey(view, encoding)
    if encoding == "rgb8":
        return view
    return to_rgb8(np.ascontiguousarray(view), encoding)


def wire_view(message: Any, camera: Modality, max_pixels: int = MAX_PIXELS) -> Array:
    """Check a raw image's fields and view its pixels as they lie in the message.

    Args:
        message: Anything with the fields of ``sensor_msgs/Image``.
        camera: Which camera published it.
        max_pixels: Largest picture accepted.

    Returns:
        ``(H, W)`` or ``(H, W, C)`` in the message's own encoding and byte order, not copied.

    Raises:
        ImageError: As for :func:`decode_image`, but for what only a conversion could find.
    """
    return _checked_view(
        message.data,
        message.encoding,
        (int(message.height), int(message.width)),
        int(message.step),
        bool(message.is_bigendian),
        camera,
        max_pixels,
    )


def needs_conversion(message: Any, camera: Modality) -> bool:
    """Whether :func:`decode_image` would copy the pixels of a raw image, not just view them."""
    dtype, channels = _LAYOUTS[camera].get(message.encoding, ("uint8", 1))
    if dtype != "uint8" and bool(message.is_bigendian) != (sys.byteorder == "big"):
        return True
    return channels > 1 if camera == "thermal" else message.encoding != "rgb8"


def image_frame(message: Any, camera: Modality, max_pixels: int = MAX_PIXELS) -> Frame:
    """Turn an Image or CompressedImage message (rclpy's or rosbags') into a Frame.

    Args:
        message: Anything with the fields of ``sensor_msgs/Image``, or with ``format`` and ``data``.
        camera: Which camera published it.
        max_pixels: Largest picture accepted; a larger one is not even decoded.

    Returns:
        The frame; stamp and frame_id exactly as in the message's header.

    Raises:
        ImageError: As for :func:`decode_image` and :func:`decode_compressed`.
    """
    if hasattr(message, "format"):
        image = decode_compressed(memoryview(message.data), message.format, camera, max_pixels)
        encoding = _compressed_encoding(image, message.format, camera)
    else:
        image = decode_image(
            message.data,
            message.encoding,
            message.height,
            message.width,
            message.step,
            bool(message.is_bigendian),
            camera,
            max_pixels,
        )
        encoding = message.encoding if camera == "thermal" else "rgb8"
        if encoding in ("rgb8", "bgr8") and camera == "thermal":
            encoding = "mono8"
    stamp = message.header.stamp
    return Frame(
        image, stamp.sec * _NS_PER_S + stamp.nanosec, message.header.frame_id, encoding=encoding
    )


def _compressed_encoding(image: Array, format_: str, camera: Modality) -> str:
    """Encoding of a decoded image; 16-bit PNG is kelvin only where the format says 16UC1."""
    if camera == "rgb":
        return "rgb8"
    if image.dtype == np.uint8:
        return "mono8"
    return "16UC1" if "16UC1" in format_ else "mono16"


def _checked_view(
    data: WireBytes,
    encoding: str,
    size: tuple[int, int],
    step: int,
    is_bigendian: bool,
    camera: Modality,
    max_pixels: int,
) -> Array:
    """Check every field and return a view ``(H, W)`` or ``(H, W, C)`` of the bytes."""
    where = f"{camera} image, encoding {encoding!r}"
    layouts = _LAYOUTS[camera]
    if encoding not in layouts:
        kinds = (other for camera_of, other in _LAYOUTS.items() if camera_of != camera)
        kind = ImageKindError if any(encoding in other for other in kinds) else ImageError
        raise kind(
            f"{where}: not supported, wanted one of {', '.join(layouts)};"
            " set the camera driver's pixel format or convert with image_proc"
        )
    _check_size(where, encoding, size, max_pixels)
    dtype, channels = np.dtype(layouts[encoding][0]), layouts[encoding][1]
    height, width = size
    rows = height * 3 // 2 if encoding in _PLANAR_420 else height
    buffer = np.frombuffer(cast(Any, data), np.uint8)
    _check_bytes(where, buffer.size, rows, step, (width, channels, dtype))
    shape = (rows, width) if channels == 1 else (rows, width, channels)
    strides = (step, dtype.itemsize * channels, dtype.itemsize)[: len(shape)]
    wire_dtype = dtype.newbyteorder(">" if is_bigendian else "<")
    return np.ndarray(shape, wire_dtype, buffer.data, strides=strides)


def _check_size(where: str, encoding: str, size: tuple[int, int], max_pixels: int) -> None:
    """Refuse sizes out of bounds, and odd ones where chroma is shared."""
    height, width = size
    check_size(where, (width, height), max_pixels)
    if encoding in _EVEN_WIDTH and (width % 2 or (height % 2 and encoding in _PLANAR_420)):
        raise ImageError(
            f"{where}: got size {width}x{height}, wanted even sides (chroma is shared by two"
            " pixels); check the camera driver"
        )


def _check_bytes(
    where: str, received: int, rows: int, step: int, row: tuple[int, int, np.dtype[Any]]
) -> None:
    """Refuse a step or a length that does not fit ``rows`` of (width, channels, dtype)."""
    width, channels, dtype = row
    row_bytes = width * channels * dtype.itemsize
    if step < row_bytes or step % dtype.itemsize:
        raise ImageError(
            f"{where}: got step {step}, wanted at least {row_bytes} ({width} pixels of"
            f" {channels}x{dtype}) and a multiple of {dtype.itemsize}; check the camera driver"
        )
    if not step * (rows - 1) + row_bytes <= received <= step * rows:
        raise ImageError(
            f"{where}: got {received} bytes, wanted {step * rows} ({rows} rows of step {step});"
            " the message is truncated or its height or step is wrong: check the camera driver"
        )
