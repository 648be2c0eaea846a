"""What every recording looks like, whatever it is kept in: an ordered stream of camera frames.

with closing(open_recording("clips/", clip="0117_1605")) as recording:
    for event in recording:
        print(event.camera, event.frame.stamp_ns, event.frame.image.shape)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import Frame, GroundTruth, Modality

FIRST_STAMP_NS = 1_000_000_000
"""First stamp of recordings without a clock of their own; 0 would mean "no stamp" in ROS."""

VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm")


@dataclass(frozen=True, slots=True)
class Event:
    """One frame and when it arrived.

    Attributes:
        camera: Which camera delivered it.
        time_ns: Arrival on the recording's clock; events come in this order. Differs from the
            frame's stamp by the transport delay and by the clock offset between the cameras.
        frame: The frame.
    """

    camera: Modality
    time_ns: int
    frame: Frame


@dataclass(frozen=True, slots=True)
class RecordingPhase:
    """A named part of a recording, for instance ``smoke``; stamps in nanoseconds, end excluded."""

    name: str
    start_ns: int
    end_ns: int


class Recording(Protocol):
    """A recording that can be played from its start as often as wanted, with flat memory.

    Attributes:
        name: Short name for titles and files.
        fps: Nominal frame rate in Hz of each camera that the recording holds.
        frames: Number of frames of each camera that the recording holds.
        duration_ns: Time between the first and the last arrival.
        phases: Named parts in order; empty where nothing is known.
        has_truth: Whether :meth:`truth` knows any stamp.

    Recordings that are read from files also have ``losses``, ``damage`` and ``notes``, see
    :mod:`.losses`: an image that cannot be read is left out and counted, in every command.
    """

    name: str
    fps: dict[Modality, float]
    frames: dict[Modality, int]
    duration_ns: int
    phases: tuple[RecordingPhase, ...]
    has_truth: bool

    def __iter__(self) -> Iterator[Event]:
        """Events from the start, in order of arrival.

        Raises:
            RecordingError: If the recording turns out to be damaged on the way.
        """
        ...

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        """Ground truth of the RGB frame with this stamp, ``None`` where there is none."""
        ...

    def camera_model(self, camera: Modality) -> CameraModel | None:
        """Intrinsics of a camera, ``None`` where the recording does not know them."""
        ...

    def close(self) -> None:
        """Release files; the recording is not used afterwards."""
        ...
