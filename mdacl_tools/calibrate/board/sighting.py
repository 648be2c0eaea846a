"""What was seen of a board: plain data."""

from __future__ import annotations

from dataclasses import dataclass

from mdacl_ros.types import Array, Modality
from mdacl_tools.calibrate.board.board import Indices, Points


@dataclass(frozen=True, slots=True)
class Sighting:
    """A board in one image.

    Attributes:
        ids: ``(N,)`` indices into the board's points.
        pixels: ``(N, 2)`` float64 where they were seen; integers are pixel centres.
        image: ``(H, W)`` uint8 or uint16 grey levels or counts that it was seen in.
    """

    ids: Indices
    pixels: Points
    image: Array


@dataclass(frozen=True, slots=True)
class BoardView:
    """One position of the board, seen by one camera or by both.

    Attributes:
        name: File name or time in the recording, for the report.
        sightings: What each camera saw.
    """

    name: str
    sightings: dict[Modality, Sighting]
