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
from mdacl_ros.sensing.encodings import Encoding, find_encoding, known_encodings
from mdacl_ros.sensing.thermal.raw_levels import luma_to_grey, thermal_to_grey
from mdacl_ros.sensing.thermal.telemetry import without_telemetry
from mdacl_ros.types import Array, Frame, Modality

WireBytes = bytes | bytearray | memoryview | array.array | Array
"""What message libraries hold image data in."""

_NS_PER_S = 1_000_000_000


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
    row = _row_of(encoding, camera)
    if camera == "thermal":
        return _thermal_pixels(view, row)
    if row.means == "rgb8":
        return view
    return to_rgb8(np.ascontiguousarray(view), row.means)


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
    row = find_encoding(message.encoding)
    if row is None:
        return False
    if row.itemsize > 1 and bool(message.is_bigendian) != (sys.byteorder == "big"):
        return True
    return row.channels > 1 or row.yuv if camera == "thermal" else row.means != "rgb8"


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
        row = _row_of(message.encoding, camera)
        encoding = "rgb8" if camera == "rgb" else row.means
        if camera == "thermal" and image.dtype == np.uint8:
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


def _thermal_pixels(view: Array, row: Encoding) -> Array:
    """One channel of a thermal image, without the rows of telemetry that some cameras add."""
    if row.yuv:
        return luma_to_grey(view, row)
    if view.ndim == 3:
        return thermal_to_grey(view[..., :3], row.name)
    return without_telemetry(view)


def _row_of(encoding: str, camera: Modality) -> Encoding:
    """The row of an encoding that the camera can have.

    Raises:
        ImageError: It is not known.
        ImageKindError: It is one of the other camera.
    """
    row = find_encoding(encoding)
    if row is not None and camera in row.cameras:
        return row
    raise (ImageError if row is None else ImageKindError)(
        f"{camera} image, encoding {encoding!r}: not supported, wanted one of "
        f"{', '.join(known_encodings(camera))};"
        " set the camera driver's pixel format or convert with image_proc"
    )


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
    row = _row_of(encoding, camera)
    buffer = np.frombuffer(cast(Any, data), np.uint8)
    height, width = size
    rows = height
    if row.plane == "chroma_below":
        # Most drivers give the picture's height; some that of all planes, as OpenCV does.
        whole = height % 3 == 0 and buffer.size == step * height
        height, rows = (height * 2 // 3, height) if whole else (height, height * 3 // 2)
    _check_size(where, row, (height, width), max_pixels)
    _check_bytes(where, buffer.size, rows, step, width, row)
    shape = (rows, width) if row.channels == 1 else (rows, width, row.channels)
    strides = (step, row.itemsize * row.channels, row.itemsize)[: len(shape)]
    wire_dtype = np.dtype(row.dtype).newbyteorder(">" if is_bigendian else "<")
    return np.ndarray(shape, wire_dtype, buffer.data, strides=strides)


def _check_size(where: str, row: Encoding, size: tuple[int, int], max_pixels: int) -> None:
    """Refuse sizes out of bounds, and odd ones where chroma is shared."""
    height, width = size
    check_size(where, (width, height), max_pixels)
    if row.even and (width % 2 or (height % 2 and row.plane == "chroma_below")):
        raise ImageError(
            f"{where}: got size {width}x{height}, wanted even sides (chroma is shared by two"
            " pixels); check the camera driver"
        )


def _check_bytes(
    where: str, received: int, rows: int, step: int, width: int, row: Encoding
) -> None:
    """Refuse a step or a length that does not fit ``rows`` of ``width`` pixels."""
    row_bytes = width * row.channels * row.itemsize
    if step < row_bytes or step % row.itemsize:
        raise ImageError(
            f"{where}: got step {step}, wanted at least {row_bytes} ({width} pixels of"
            f" {row.channels}x{row.dtype}) and a multiple of {row.itemsize}; check the camera"
            " driver"
        )
    if row.means in ("i420", "yv12") and step != row_bytes:
        raise ImageError(
            f"{where}: got step {step}, wanted {row_bytes}: its chroma planes have rows of half"
            " that length, padding cannot be recognised; let the driver send no padding, or nv12"
        )
    if not step * (rows - 1) + row_bytes <= received <= step * rows:
        raise ImageError(
            f"{where}: got {received} bytes, wanted {step * rows} ({rows} rows of step {step});"
            " the message is truncated or its height or step is wrong: check the camera driver"
        )
