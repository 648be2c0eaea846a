"""Where pairs of images come from, and what they are: plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mdacl_ros.types import Array, Modality


@dataclass(frozen=True, slots=True)
class PairSource:
    """What to read.

    Attributes:
        path: Bag, or folder with rgb/ and thermal/ images of the same names.
        rgb_topic: Image topic of a bag's colour camera, where its name does not tell.
        thermal_topic: The same of the thermal camera.
        clock_offset: Seconds added to thermal stamps.
        max_skew: Seconds by which the stamps of a pair may differ.
        most: Pairs that are looked at; a longer recording gives its stillest ones.
    """

    path: Path
    rgb_topic: str | None = None
    thermal_topic: str | None = None
    clock_offset: float = 0.0
    max_skew: float = 0.05
    most: int = 150


@dataclass(frozen=True, slots=True, eq=False)
class ImagePair:
    """Images of one moment.

    Attributes:
        name: File name, or seconds from the recording's start.
        images: ``(H, W)`` uint8 or uint16 grey levels or counts of each camera.
    """

    name: str
    images: dict[Modality, Array]
