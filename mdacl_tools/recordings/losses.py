"""What of a recording could not be read, and why: the same for every command."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from mdacl_ros.errors import ImageError, ImageKindError
from mdacl_ros.types import MODALITIES, Modality
from mdacl_tools.recordings.recording import Recording

EXCHANGED = "the RGB and the thermal topic look exchanged: swap --rgb-topic and --thermal-topic"

MOST_KINDS = 20
"""Kinds of errors of which the first is kept."""


@dataclass(slots=True)
class LossCause:
    """One kind of error.

    Attributes:
        camera: Whose images.
        first: The first error of the kind, which names topic or file.
        exchanged: Whether it is an image that its camera cannot have.
        count: How many there were.
    """

    camera: Modality
    first: str
    exchanged: bool
    count: int = 0


class Losses:
    """Images left out in the newest pass.

    Attributes:
        counts: Number of images by camera.
        read: Number of those that were not left out.
        causes: First error of each kind, in order.
    """

    def __init__(self) -> None:
        self.counts: Counter[Modality] = Counter()
        self.read: Counter[Modality] = Counter()
        self._causes: dict[tuple[Modality, str], LossCause] = {}

    @property
    def causes(self) -> list[LossCause]:
        """First error of each kind, in order."""
        return list(self._causes.values())

    @property
    def lost(self) -> list[Modality]:
        """Cameras of which not a single image could be read."""
        return [camera for camera in MODALITIES if self.counts[camera] and not self.read[camera]]

    def add(self, camera: Modality, where: str, error: Exception) -> None:
        """Count an image that could not be used; ``where`` is its topic or file."""
        known = isinstance(error, ImageError)
        what = str(error) if known else f"damaged message ({type(error).__name__}: {error})"
        line = " ".join(f"{where}: {what}".split())[:600]
        # Sizes and counts differ from image to image; the kind of mistake does not.
        kind = camera, re.sub(r"\d+", "#", line)
        self.counts[camera] += 1
        if kind in self._causes or len(self._causes) < MOST_KINDS:
            exchanged = isinstance(error, ImageKindError)
            self._causes.setdefault(kind, LossCause(camera, line, exchanged)).count += 1

    def clear(self) -> None:
        """Begin a new pass."""
        self.counts.clear()
        self.read.clear()
        self._causes.clear()

    def sentences(self) -> list[str]:
        """A sentence for each kind of error."""
        lines = [f"{c.count} {c.camera} images unreadable: {c.first}" for c in self.causes]
        if any(cause.exchanged and cause.camera in self.lost for cause in self.causes):
            lines.append(EXCHANGED)
        return lines


def losses_of(recording: Recording) -> Losses:
    """Images that the newest pass left out; none for recordings that are made, not read."""
    return getattr(recording, "losses", None) or Losses()


def damage_of(recording: Recording) -> list[str]:
    """What is wrong with the recording's files, a sentence each."""
    return list(getattr(recording, "damage", ()))


def notes_of(recording: Recording) -> list[str]:
    """What was assumed or guessed, with the reason, a sentence each."""
    return list(getattr(recording, "notes", ()))


def lost_cameras(recording: Recording) -> list[Modality]:
    """Cameras of which the newest pass could not read a single image."""
    return losses_of(recording).lost
