"""Faults of what a message says: fields that lie, bytes that are missing, pixels that are none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mdacl_tools.live.faults.message import Delivery, ImageData, Past
from mdacl_tools.live.faults.ranges import require

_LARGEST = 2**32 - 1  # of a uint32 field


@dataclass(frozen=True, slots=True)
class WrongEncoding:
    """The encoding is not that of the pixels.

    Attributes:
        encoding: What the message claims.
    """

    encoding: str = "rgb565"

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Claim another encoding."""
        return [Delivery(replace(message, encoding=self.encoding))]


@dataclass(frozen=True, slots=True)
class WrongStep:
    """The bytes of a row do not fit the width.

    Attributes:
        step: What the message claims.
    """

    step: int = 7

    def __post_init__(self) -> None:
        require("step", self.step, 0 <= self.step <= _LARGEST, f"0 to {_LARGEST}")

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Claim another step."""
        return [Delivery(replace(message, step=self.step))]


@dataclass(frozen=True, slots=True)
class WrongSize:
    """The size does not fit the bytes.

    Attributes:
        width: What the message claims; by default as large as the field can say.
        height: Likewise.
    """

    width: int = _LARGEST
    height: int = _LARGEST

    def __post_init__(self) -> None:
        require("width", self.width, 0 <= self.width <= _LARGEST, f"0 to {_LARGEST}")
        require("height", self.height, 0 <= self.height <= _LARGEST, f"0 to {_LARGEST}")

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Claim another size."""
        return [Delivery(replace(message, width=self.width, height=self.height))]


@dataclass(frozen=True, slots=True)
class NotANumber:
    """A float thermal image (32FC1) holds values that are no numbers; others are made into one.

    Attributes:
        share: Share of the pixels, in (0, 1].
    """

    share: float = 1.0

    def __post_init__(self) -> None:
        require("share", self.share, 0 < self.share <= 1, "more than 0, at most 1")

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Put NaN into a share of the pixels."""
        if not _is_whole(message):  # another fault has been here
            return [Delivery(message)]
        height, width = message.height, message.width
        kind = {1: "u1", 2: "u2", 4: "f4"}.get(message.step // width, "u1")
        order = ">" if message.is_bigendian else "<"
        pixels = message.data[: height * width * int(kind[1])].view(f"{order}{kind}").astype("<f4")
        pixels[past.random.random(pixels.size) < self.share] = np.nan
        return [
            Delivery(
                replace(
                    message,
                    encoding="32FC1",
                    step=width * 4,
                    is_bigendian=False,
                    data=pixels.view(np.uint8),
                )
            )
        ]


@dataclass(frozen=True, slots=True)
class Truncate:
    """The end of the bytes is missing, of a JPEG or PNG file as of a raw image.

    Attributes:
        share: Share of the bytes that is left, in [0, 1).
    """

    share: float = 0.5

    def __post_init__(self) -> None:
        require("share", self.share, 0 <= self.share < 1, "0 or more, less than 1")

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Cut the end off."""
        return [
            Delivery(replace(message, data=message.data[: int(len(message.data) * self.share)]))
        ]


@dataclass(frozen=True, slots=True)
class Resolution:
    """The camera changes its resolution in flight; the messages are right.

    Attributes:
        divisor: Width and height are divided by it.
    """

    divisor: int = 2

    def __post_init__(self) -> None:
        require("divisor", self.divisor, 2 <= self.divisor <= 64, "2 to 64")

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Leave out rows and columns."""
        if not _is_whole(message):  # another fault has been here
            return [Delivery(message)]
        pixel = message.step // message.width
        rows = message.data[: message.height * message.step].reshape(message.height, message.step)
        pixels = rows[:, : message.width * pixel].reshape(message.height, message.width, pixel)
        small = np.ascontiguousarray(pixels[:: self.divisor, :: self.divisor])
        height, width = small.shape[:2]
        changed = replace(
            message, height=height, width=width, step=width * pixel, data=small.reshape(-1)
        )
        return [Delivery(changed)]


def _is_whole(message: ImageData) -> bool:
    """Whether size, step and bytes of a raw image fit each other."""
    return (
        0 < message.width <= message.step
        and message.height > 0
        and message.height * message.step <= message.data.size
    )
