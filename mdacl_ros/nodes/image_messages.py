"""ROS image messages to frames: checked in the callback, converted only if used.

What needs no conversion (rgb8, thermal in its raw unit) is checked and viewed at once: that costs
microseconds. Colour conversion and decompression cost milliseconds, and a slow detector uses only
some of the images, so the callback just checks and holds the message, and the inference thread
converts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from mdacl_ros.errors import ImageError
from mdacl_ros.nodes.messages import to_nanoseconds
from mdacl_ros.sensing.compressed import MAX_PIXELS
from mdacl_ros.sensing.images import image_frame, needs_conversion, wire_view
from mdacl_ros.types import Array, Frame, FramePair, Modality

Reject = Callable[[Modality, ImageError], None]


@dataclass(frozen=True, slots=True)
class HeldFrame(Frame):
    """A frame whose ``image`` still is what came over the wire.

    Attributes:
        message: What :class:`FrameDecoder` decodes; ``image`` views its bytes: ``(N,)`` uint8 of a
            compressed file, ``(H, W)`` or ``(H, W, C)`` of a raw image.
    """

    message: Image | CompressedImage | None = None


def hold(message: Image | CompressedImage, camera: Modality, max_pixels: int = MAX_PIXELS) -> Frame:
    """Make a frame of a message at the least cost.

    Args:
        message: A raw or compressed image.
        camera: Which camera published it.
        max_pixels: Largest picture accepted.

    Raises:
        ImageError: A raw image whose fields do not fit each other; a compressed one fails when it
            is decoded.
    """
    image: Array
    if isinstance(message, CompressedImage):
        image, encoding = np.frombuffer(message.data, np.uint8), message.format
    elif needs_conversion(message, camera):
        image, encoding = wire_view(message, camera, max_pixels), message.encoding
    else:
        return image_frame(message, camera, max_pixels)
    return HeldFrame(
        image=image,
        stamp_ns=to_nanoseconds(message.header.stamp),
        frame_id=message.header.frame_id,
        encoding=encoding,
        message=message,
    )


class FrameDecoder:
    """Decodes what :func:`hold` only held, each frame once, also when it serves several pairs.

    Args:
        reject: Told of an image that cannot be decoded; it counts as absent.
        max_pixels: Asked for the largest picture accepted.
    """

    def __init__(self, reject: Reject, max_pixels: Callable[[], int] = lambda: MAX_PIXELS) -> None:
        self._reject, self._max_pixels = reject, max_pixels
        self._newest: dict[Modality, tuple[Frame, Frame | None]] = {}

    def decode(self, pair: FramePair) -> FramePair:
        """The pair with pixels in both frames; the same frame gives the same object again."""
        rgb, thermal = self._decode("rgb", pair.rgb), self._decode("thermal", pair.thermal)
        skew = pair.skew_ns if rgb is not None and thermal is not None else 0
        return replace(pair, rgb=rgb, thermal=thermal, skew_ns=skew)

    def _decode(self, camera: Modality, frame: Frame | None) -> Frame | None:
        if not isinstance(frame, HeldFrame) or frame.message is None:
            return frame
        held, decoded = self._newest.get(camera, (None, None))
        if held is frame:
            return decoded
        try:
            decoded = image_frame(frame.message, camera, self._max_pixels())
        except ImageError as error:
            self._reject(camera, error)
            decoded = None
        self._newest[camera] = (frame, decoded)
        return decoded
