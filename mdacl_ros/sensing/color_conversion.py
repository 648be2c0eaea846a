"""Colour conversions by kept libraries: OpenCV, else cv_bridge, or rosbags-image without ROS.

The last two give the same pixels (test/sensing/test_color_conversion.py compares them wherever both
are installed). Imported at the first image that needs them: 8-bit cameras without Bayer do not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np

from mdacl_ros.errors import ImageError
from mdacl_ros.sensing.encodings import ENCODINGS
from mdacl_ros.types import Array

Converter = Callable[[Any], Any]

OPENCV = {
    "bgr8": cv2.COLOR_BGR2RGB,
    "rgba8": cv2.COLOR_RGBA2RGB,
    "bgra8": cv2.COLOR_BGRA2RGB,
    "mono8": cv2.COLOR_GRAY2RGB,
    "nv12": cv2.COLOR_YUV2RGB_NV12,
    "nv21": cv2.COLOR_YUV2RGB_NV21,
    "i420": cv2.COLOR_YUV2RGB_I420,
    "yv12": cv2.COLOR_YUV2RGB_YV12,
}
"""What OpenCV converts in one call: the commonest, which then need no other library at the first
image, and planar YUV, which Humble's and Jazzy's cv_bridge cannot convert."""


def to_rgb8(image: Array, encoding: str) -> Array:
    """Convert pixels as they lie in a ``sensor_msgs/Image``.

    Args:
        image: ``(H, W)`` or ``(H, W, C)`` in this machine's byte order, contiguous.
        encoding: ROS image encoding, see :attr:`.encodings.Encoding.means`.

    Returns:
        ``(H, W, 3)`` uint8, R, G, B.

    Raises:
        ImageError: No library here knows the encoding, or it refuses this image.
    """
    data = image.reshape(-1).view(np.uint8)
    message = SimpleNamespace(
        encoding=encoding,
        height=image.shape[0],
        width=image.shape[1],
        step=data.size // image.shape[0],
        data=data,
        is_bigendian=False,
    )
    convert = converter(encoding)
    try:
        return cast(Array, convert(message))
    except Exception as error:  # the libraries' own kinds of error too
        raise ImageError(
            f"rgb image, encoding {encoding!r}: a {image.shape[1]}x{image.shape[0]} image cannot "
            f"be converted ({' '.join(str(error).split())[:200]}); check the camera driver"
        ) from error


@cache
def converter(encoding: str) -> Converter:
    """The function that turns a message of this encoding into rgb8.

    Raises:
        ImageError: Neither library is installed.
    """
    if encoding in OPENCV:
        return lambda message: cv2.cvtColor(_pixels(message, encoding), OPENCV[encoding])
    reasons = []
    for choose in (with_cv_bridge, with_rosbags_image):
        try:
            return choose()
        except ModuleNotFoundError:
            continue
        except Exception as error:  # built for another NumPy or Python: it can fail in any way
            reasons.append(f"; {choose.__name__[5:]} cannot be imported: {error}"[:200])
    raise ImageError(
        f"rgb image, encoding {encoding!r}: needs cv_bridge or rosbags-image to convert, neither "
        "is usable; install ros-$ROS_DISTRO-cv-bridge (never PyPI's cv-bridge), or publish rgb8"
        + "".join(reasons)
    )


def _pixels(message: Any, encoding: str) -> Any:
    """The message's bytes as OpenCV takes them, ``(H, W)`` or ``(H, W, C)``."""
    channels = ENCODINGS[encoding].channels
    shape = (message.height, -1) if channels == 1 else (message.height, -1, channels)
    return message.data.reshape(shape)


def with_cv_bridge() -> Converter:
    """ROS's own converter."""
    from cv_bridge import CvBridge

    bridge = CvBridge()
    return lambda message: bridge.imgmsg_to_cv2(message, "rgb8")


def with_rosbags_image() -> Converter:
    """The converter that needs no ROS."""
    from rosbags.image import image_to_cvimage

    return lambda message: image_to_cvimage(message, "rgb8")
