"""Thermal encodings -> unsigned levels (8 or 16 bit), hotter = larger, checked."""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np

from mdacl_ros.errors import ImageError, ImageKindError
from mdacl_ros.sensing.encodings import ENCODINGS, Encoding, find_encoding, known_encodings
from mdacl_ros.sensing.thermal.tone_curve import Samples
from mdacl_ros.types import Array, ByteArray, FloatArray

CENTIKELVIN = 0.01
"""Float images are quantised to this step, in kelvin."""

_SAMPLES = 20_000  # enough for stable quantiles, few enough for microseconds
_ZERO_CELSIUS = 273.15
_MAX_KELVIN = 655.35  # what 16 bits of centikelvin hold; hotter saturates
_KELVIN_FROM = 150.0  # a float image with a median above this is in kelvin, below in Celsius
_PALETTE_SPREAD = 3.0  # grey levels; JPEG chroma noise of a grey picture stays below


def to_levels(image: Array, encoding: str) -> Samples:
    """Check a thermal image and bring it to unsigned levels.

    Args:
        image: ``(H, W)`` uint8, uint16 or float32, or ``(H, W, 3)`` uint8, as ``encoding`` says.
        encoding: ROS image encoding.

    Returns:
        ``(H, W)`` uint8 or uint16; the image itself where it already is that.

    Raises:
        ImageError: Unknown encoding, wrong type or shape, zero size, palette colours, or a float
            image without a finite pixel.
    """
    row = find_encoding(encoding)
    if row is None or "thermal" not in row.cameras or row.yuv:
        known = (name for name in known_encodings("thermal") if not ENCODINGS[name].yuv)
        raise ImageError(
            f"thermal image: got encoding {encoding!r}, wanted one of {', '.join(known)};"
            " set the camera driver's pixel format"
        )
    color = row.channels > 1
    planes = (row.channels,) if color else ()
    if image.dtype != row.dtype or image.ndim != 2 + color or image.shape[2:] != planes:
        raise ImageError(
            f"thermal image, encoding {encoding}: got {image.dtype} of shape {image.shape}, wanted"
            f" {row.dtype} of shape {f'(H, W, {row.channels})' if color else '(H, W)'};"
            " check the driver's encoding field"
        )
    if image.size == 0:
        raise ImageError(
            f"thermal image, encoding {encoding}: got size {image.shape[1]}x{image.shape[0]},"
            " wanted at least 1x1; check the camera driver"
        )
    if color:
        return thermal_to_grey(image[..., :3], encoding)
    if image.dtype == np.float32:
        return _quantize(cast(FloatArray, image))
    return cast(Samples, image)


def thermal_to_grey(image: Array, encoding: str) -> ByteArray:
    """Reduce a thermal preview with three equal channels to one.

    Args:
        image: ``(H, W, 3)`` uint8; small differences between channels (JPEG chroma) are accepted.
        encoding: Named in the error.

    Returns:
        ``(H, W)`` uint8, the middle channel.

    Raises:
        ImageError: The channels differ: palette colours, from which no temperature can be read.
    """
    first, middle, last = (image[::4, ::4, c].astype(np.int16) for c in range(3))
    spread = float(np.mean(np.abs(first - middle) + np.abs(last - middle)) / 2)
    if spread > _PALETTE_SPREAD:
        raise _palette(encoding, f"channels differ by {spread:.0f} grey levels on average")
    return cast(ByteArray, np.ascontiguousarray(image[..., 1]))


def luma_to_grey(view: Array, row: Encoding) -> ByteArray:
    """The luma of a thermal preview in YUV, as UVC cameras send it.

    Args:
        view: ``(H, W, 2)`` packed, or ``(3 H / 2, W)`` planar, uint8.
        row: Its encoding.

    Returns:
        ``(H, W)`` uint8.

    Raises:
        ImageError: The chroma is not neutral: palette colours.
    """
    if row.luma is None:
        height = view.shape[0] * 2 // 3
        grey, chroma = view[:height], view[height:]
    else:
        grey, chroma = view[..., row.luma], view[..., 1 - row.luma]
    spread = float(np.mean(np.abs(chroma[::2, ::2].astype(np.int16) - 128)))
    if spread > _PALETTE_SPREAD:
        raise _palette(row.name, f"chroma is {spread:.0f} levels off neutral on average")
    return cast(ByteArray, np.ascontiguousarray(grey))


def _palette(encoding: str, why: str) -> ImageKindError:
    return ImageKindError(
        f"thermal image, encoding {encoding}: got palette colours ({why}), wanted grey; set the"
        " camera driver to a white-hot palette, or publish mono8, mono16 or 16UC1; if it is the"
        " colour camera's image, the topics of the two cameras are swapped"
    )


def subsample(levels: Samples) -> Samples:
    """Take about 20,000 pixels on a regular grid, ``(N,)``."""
    step = max(1, math.isqrt(levels.size // _SAMPLES))
    return cast(Samples, np.ascontiguousarray(levels[::step, ::step]).ravel())


def _quantize(image: FloatArray) -> Samples:
    """Float kelvin or Celsius -> uint16 centikelvin; NaN -> 0, +inf saturates."""
    sample = image[::4, ::4]
    finite = sample[np.isfinite(sample)]
    if finite.size == 0:
        finite = image[np.isfinite(image)]
    if finite.size == 0:
        raise ImageError(
            "thermal image, encoding 32FC1: got no finite pixel, wanted kelvin or degrees Celsius;"
            " check the camera's shutter and driver"
        )
    offset = 0.0 if float(np.median(finite)) > _KELVIN_FROM else _ZERO_CELSIUS
    if not (image.max() < _MAX_KELVIN and image.min() > -_MAX_KELVIN):  # NaN, inf, out of range
        # fmax drops NaN in favour of the bound, so dead pixels become the coldest level.
        image = np.fmin(np.fmax(image, np.float32(-offset)), np.float32(_MAX_KELVIN - offset))
    scale = 1 / CENTIKELVIN
    # One pass that rounds and saturates.
    counts = cv2.addWeighted(image, scale, image, 0.0, offset * scale, dtype=cv2.CV_16U)
    return cast(Samples, counts)
