"""Where pairs of images come from, and what they are: plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mdacl_ros.types import Array, Modality
from mdacl_tools.recordings.input_options import InputOptions


@dataclass(frozen=True, slots=True)
class PairSource:
    """What to read.

    Attributes:
        path: Bag, or folder with rgb/ and thermal/ images of the same names.
        options: How a recording is to be opened.
        clock_offset: Seconds added to thermal stamps.
        max_skew: Seconds by which the stamps of a pair may differ.
        most: Pairs that are looked at; a longer recording gives its stillest ones.
    """

    path: Path
    options: InputOptions = field(default_factory=InputOptions)
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
