"""What demo.launch.py has to know of a recording before its nodes start."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from mdacl_ros.types import Modality
from mdacl_tools.recordings.bags import BagRecording
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.recordings.schedule import partner_timeout


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A recording as the detector and RViz have to be set up for it.

    Attributes:
        partner_timeout: Seconds after which a silent camera is dead, at the recording's rates.
        frames: frame_id of each camera's images.
    """

    partner_timeout: float
    frames: dict[Modality, str]


def rehearse(path: str, clip: str, rate: float) -> Rehearsal:
    """Look into a recording.

    Args:
        path: As ``player_node`` takes it; empty for the simulated scenes.
        clip: Which clip of a folder with several, or empty.
        rate: Playback speed.

    Raises:
        RecordingError: It cannot be played.
    """
    with closing(open_recording(path or None, clip=clip or None)) as recording:
        return Rehearsal(partner_timeout(recording, rate), _frames(recording))


def _frames(recording: Recording) -> dict[Modality, str]:
    """Of a bag, what its first images say; what is made from files without names says always so."""
    frames: dict[Modality, str] = {camera: f"{camera}_optical_frame" for camera in recording.frames}
    if not isinstance(recording, BagRecording):
        return frames
    sought = set(frames)
    for event in recording:
        if event.camera in sought:
            frames[event.camera] = event.frame.frame_id
            sought.discard(event.camera)
        if not sought:
            break
    return frames
