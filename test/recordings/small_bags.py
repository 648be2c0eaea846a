"""Tiny bags of any content: a few grey images of both cameras, written message by message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_tools.recordings.bag_file import BagFile
from mdacl_tools.recordings.bag_messages import COMPRESSED, IMAGE, MessageMaker

T0 = 1_750_000_000_000_000_000
STEP = 100_000_000
RGB, THERMAL = "/rgb/image_raw", "/thermal/image_raw"

Put = Callable[[BagFile, int], None]


def raw_image(
    make: MessageMaker, pixels: np.ndarray, encoding: str, stamp_ns: int, **changes: Any
) -> Any:
    """An Image with the pixels as they lie."""
    pixels = np.ascontiguousarray(pixels)
    fields = {
        "header": make.header(stamp_ns, "camera"),
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "encoding": encoding,
        "is_bigendian": 0,
        "step": pixels.strides[0],
        "data": pixels.reshape(-1).view(np.uint8),
    }
    return make(IMAGE, **(fields | changes))


def picture(index: int, channels: int = 1) -> np.ndarray:
    """12 rows of 16 pixels that differ from frame to frame."""
    shape = (12, 16, channels) if channels > 1 else (12, 16)
    return np.random.default_rng(index).integers(0, 255, shape, np.uint8)


def put_rgb(bag: BagFile, index: int, topic: str = RGB) -> None:
    """One colour image."""
    t = T0 + index * STEP
    bag.put(topic, IMAGE, raw_image(bag.make, picture(index, 3), "rgb8", t), t)


def put_thermal(bag: BagFile, index: int, topic: str = THERMAL) -> None:
    """One thermal image."""
    t = T0 + index * STEP
    bag.put(topic, IMAGE, raw_image(bag.make, picture(index), "mono8", t), t)


def write_pairs(
    path: Path,
    count: int = 10,
    *,
    storage: str = "mcap",
    first: int = 0,
    rgb: Put = put_rgb,
    thermal: Put = put_thermal,
) -> Path:
    """A bag of pairs, numbered from ``first``."""
    with BagFile(path, storage) as bag:
        for index in range(first, first + count):
            rgb(bag, index)
            thermal(bag, index)
    return path


def compressed(make: MessageMaker, data: bytes, format_: str, stamp_ns: int) -> Any:
    """A CompressedImage."""
    values = np.frombuffer(data, np.uint8)
    return make(COMPRESSED, header=make.header(stamp_ns, "camera"), format=format_, data=values)


def storage_file(bag: Path) -> Path:
    """The only storage file of a bag."""
    (file,) = (p for p in bag.iterdir() if p.suffix in (".mcap", ".db3"))
    return file
