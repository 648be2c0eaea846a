"""ROS image messages to frames: checked in the callback, decompressed only if used.

A raw image is checked and viewed at once: that costs microseconds for what needs no conversion. A
compressed one costs milliseconds to decode, and a slow detector uses only some of them, so the
callback just holds the bytes and the inference thread decodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from mdacl_ros.nodes.messages import to_nanoseconds
from mdacl_ros.sensing.images import image_frame
from mdacl_ros.types import Frame, Modality


@dataclass(frozen=True, slots=True)
class HeldFrame(Frame):
    """A frame whose ``image`` is still the compressed file.

    Attributes:
        message: What :func:`decode` decodes; ``image`` views its bytes, ``(N,)`` uint8.
    """

    message: CompressedImage | None = None


def hold(message: Image | CompressedImage, camera: Modality) -> Frame:
    """Make a frame of a message at the least cost.

    Args:
        message: A raw or compressed image.
        camera: Which camera published it.

    Raises:
        ImageError: A raw image that cannot be decoded; a compressed one fails in :func:`decode`.
    """
    if not isinstance(message, CompressedImage):
        return image_frame(message, camera)
    return HeldFrame(
        image=np.frombuffer(message.data, np.uint8),
        stamp_ns=to_nanoseconds(message.header.stamp),
        frame_id=message.header.frame_id,
        encoding=message.format,
        message=message,
    )


def decode(frame: Frame, camera: Modality) -> Frame:
    """Decode what :func:`hold` only held; other frames are returned as they are.

    Raises:
        ImageError: A compressed image that cannot be decoded.
    """
    if isinstance(frame, HeldFrame) and frame.message is not None:
        return image_frame(frame.message, camera)
    return frame
