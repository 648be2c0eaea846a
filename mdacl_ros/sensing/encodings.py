"""The one table of image encodings: a row is all that node, bags, data sets and videos know of it.

Names are those of ``sensor_msgs/image_encodings.hpp``; OpenCV's (``8UC3``) mean what cv_bridge
writes: blue first. Drivers' own names for planar YUV are taken as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mdacl_ros.types import MODALITIES, Modality

Plane = Literal["packed", "chroma_below"]
"""``chroma_below``: planar YUV 4:2:0, half-height chroma follows the luma plane."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How pixels of one encoding lie in a message.

    Attributes:
        name: ROS image encoding.
        dtype: NumPy type of a sample.
        channels: Samples of a pixel; planar YUV has 1.
        cameras: Which cameras can have it.
        means: Encoding under which the colour converters know it.
        plane: Where chroma lies.
        even: Whether two pixels of a row share chroma.
        luma: Index of the luma sample in packed YUV.
        sign: Of which camera alone it is proof, whatever the topic is called.
    """

    name: str
    dtype: str
    channels: int
    cameras: tuple[Modality, ...]
    means: str
    plane: Plane = "packed"
    even: bool = False
    luma: int | None = None
    sign: Modality | None = None

    @property
    def itemsize(self) -> int:
        """Bytes of a sample."""
        return np.dtype(self.dtype).itemsize

    @property
    def yuv(self) -> bool:
        """Whether it holds luma and chroma."""
        return self.even or self.plane != "packed"


_BOTH: tuple[Modality, ...] = MODALITIES
_RGB: tuple[Modality, ...] = ("rgb",)
_THERMAL: tuple[Modality, ...] = ("thermal",)


def _row(
    name: str,
    dtype: str,
    channels: int,
    cameras: tuple[Modality, ...] = _RGB,
    means: str = "",
    sign: Modality | None = None,
) -> Encoding:
    return Encoding(name, dtype, channels, cameras, means or name, sign=sign)


def _yuv(name: str, means: str = "", luma: int | None = None) -> Encoding:
    if luma is None:
        return Encoding(name, "uint8", 1, _BOTH, means or name, "chroma_below", even=True)
    return Encoding(name, "uint8", 2, _BOTH, means or name, even=True, luma=luma)


_ROWS = (
    _row("rgb8", "uint8", 3, _BOTH),
    _row("bgr8", "uint8", 3, _BOTH),
    _row("8UC3", "uint8", 3, _BOTH, "bgr8"),
    _row("rgba8", "uint8", 4, _BOTH),
    _row("bgra8", "uint8", 4, _BOTH),
    _row("8UC4", "uint8", 4, _BOTH, "bgra8"),
    _row("mono8", "uint8", 1, _BOTH),
    _row("8UC1", "uint8", 1, _BOTH, "mono8"),
    _row("mono16", "uint16", 1, _BOTH),
    _row("16UC1", "uint16", 1, _THERMAL, sign="thermal"),
    _row("32FC1", "float32", 1, _THERMAL, sign="thermal"),
    _row("rgb16", "uint16", 3, sign="rgb"),
    _row("bgr16", "uint16", 3, sign="rgb"),
    _row("16UC3", "uint16", 3, means="bgr16", sign="rgb"),
    _row("rgba16", "uint16", 4, sign="rgb"),
    _row("bgra16", "uint16", 4, sign="rgb"),
    _row("16UC4", "uint16", 4, means="bgra16", sign="rgb"),
    _yuv("yuv422", luma=1),
    _yuv("uyvy", "yuv422", luma=1),
    _yuv("yuv422_yuy2", luma=0),
    _yuv("yuyv", "yuv422_yuy2", luma=0),
    _yuv("nv12"),
    _yuv("nv21"),
    _yuv("i420"),
    _yuv("yuv420", "i420"),
    _yuv("yuv420p", "i420"),
    _yuv("yv12"),
    *(
        _row(f"bayer_{order}{bits}", f"uint{bits}", 1, sign="rgb")
        for order in ("rggb", "bggr", "gbrg", "grbg")
        for bits in (8, 16)
    ),
)

ENCODINGS: dict[str, Encoding] = {row.name: row for row in _ROWS}
"""All encodings that are read, by name. Adding one is adding a row."""

CAN_BE_COLOUR = tuple(row.name for row in _ROWS if row.channels > 1 or row.yuv)
"""Encodings that hold colour, if the picture has any."""

BY_DTYPE: dict[str, str] = {"uint8": "mono8", "uint16": "mono16", "float32": "32FC1"}
"""Encoding of a one-channel image file whose unit nobody gives, by its pixels' type."""


def find_encoding(name: str) -> Encoding | None:
    """The row of an encoding; upper and lower case do not matter to drivers, nor here."""
    return ENCODINGS.get(name) or _FOLDED.get(name.strip().casefold())


_FOLDED = {row.name.casefold(): row for row in _ROWS}


def known_encodings(camera: Modality) -> tuple[str, ...]:
    """The encodings that a camera's raw images are read in."""
    return tuple(row.name for row in _ROWS if camera in row.cameras)
