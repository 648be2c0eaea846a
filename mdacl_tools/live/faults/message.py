"""An image message as plain data: what faults change, without ROS."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mdacl_ros.types import ByteArray, Modality


@dataclass(frozen=True, slots=True, eq=False)
class ImageData:
    """The fields of a ``sensor_msgs/Image`` or ``CompressedImage``.

    Attributes:
        camera: Which camera published it.
        stamp_ns: Stamp in nanoseconds.
        frame_id: The tf frame.
        encoding: Encoding of a raw image, ``format`` of a compressed one.
        height: Rows; 0 of a compressed image.
        width: Columns; 0 of a compressed image.
        step: Bytes of a row; 0 of a compressed image.
        data: ``(N,)`` uint8.
        is_bigendian: Byte order of a raw image.
        compressed: Whether it is a compressed image.
    """

    camera: Modality
    stamp_ns: int
    frame_id: str
    encoding: str
    height: int
    width: int
    step: int
    data: ByteArray
    is_bigendian: bool = False
    compressed: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and how many seconds after it came in it is to go out."""

    message: ImageData
    delay_s: float = 0.0


@dataclass(slots=True)
class Past:
    """What a fault knows of the messages since it began.

    Attributes:
        number: Messages before this one.
        age_s: Seconds since the fault began.
        first: The first message, ``None`` before it.
        previous: The one before, ``None`` before the first.
        random: Seeded by the scenario.
    """

    number: int = 0
    age_s: float = 0.0
    first: ImageData | None = None
    previous: ImageData | None = None
    random: np.random.Generator = field(default_factory=np.random.default_rng)
