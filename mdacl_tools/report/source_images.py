"""The pictures that answers were made from, found again in a second pass over the recording."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.sensing.registration.rig_types import RigCalibration
from mdacl_ros.sensing.registration.thermal_registration import Registration
from mdacl_ros.sensing.thermal.normalizer import ThermalNormalizer
from mdacl_ros.types import ByteArray, Frame, Modality
from mdacl_tools.recordings.recording import Event, Recording
from mdacl_tools.scoring.frames import FrameRecord

HELD_NS = 1_000_000_000
"""Frames are held for so long after their arrival; the cameras of a pair arrive closer together."""

ROUNDING_NS = 1_000
"""The skew is kept in milliseconds as a float."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One answer with its pictures.

    Attributes:
        record: The answer.
        time_ns: Arrival of its frame on the recording's clock.
        frame_id: tf frame of the RGB image; empty until one was seen.
        rgb: ``(H, W, 3)`` uint8, ``None`` where the camera took no part.
        thermal: ``(H, W)`` uint8 preview in the RGB image, ``None`` likewise.
    """

    record: FrameRecord
    time_ns: int
    frame_id: str
    rgb: ByteArray | None
    thermal: ByteArray | None


def replay(
    recording: Recording,
    records: Iterable[FrameRecord],
    *,
    rig: RigCalibration | None = None,
    thermal_clock_offset_ns: int = 0,
    smooth: bool = False,
) -> Iterator[Replayed]:
    """Read the recording once and bring answers and pictures together; memory stays flat.

    Args:
        recording: What was evaluated.
        records: Some or all of its answers, in their order.
        rig: Calibration that was used; without, both cameras are taken to show the same view.
        thermal_clock_offset_ns: What was added to thermal stamps.
        smooth: Carry the thermal tone curve from one record to the next, as on the robot.

    Raises:
        RecordingError: An answer's frames are not in the recording.
    """
    window, lay_over, frame_id = _Window(recording), _LaidOver(rig, smooth), ""
    for record in records:
        rgb = thermal = None
        time_ns = 0
        if record.rgb:
            event = window.find("rgb", record.stamp_ns)
            rgb, time_ns = cast(ByteArray, event.frame.image), event.time_ns
            frame_id = event.frame.frame_id
        if record.thermal:
            skew_ns = round(record.skew_ms * 1e6)
            event = window.find("thermal", record.stamp_ns + skew_ns - thermal_clock_offset_ns)
            thermal = lay_over(event.frame, record.image_size)
            time_ns = time_ns or event.time_ns
        yield Replayed(record, time_ns, frame_id, rgb, thermal)


class _Window:
    """The newest events of a recording, to search by stamp."""

    def __init__(self, recording: Recording) -> None:
        self._name = recording.name
        self._events = iter(recording)
        self._held: deque[Event] = deque()

    def find(self, camera: Modality, stamp_ns: int) -> Event:
        """The event with this stamp; reads on until it comes."""
        for event in self._held:
            if _is(event, camera, stamp_ns):
                return event
        for event in self._events:
            self._held.append(event)
            while self._held[0].time_ns < event.time_ns - HELD_NS:
                self._held.popleft()
            if _is(event, camera, stamp_ns):
                return event
        raise RecordingError(
            f"recording {self._name}: has no {camera} frame of stamp {stamp_ns}, which the report "
            "tells of; give the recording that was evaluated"
        )


def _is(event: Event, camera: Modality, stamp_ns: int) -> bool:
    return event.camera == camera and abs(event.frame.stamp_ns - stamp_ns) <= ROUNDING_NS


class _LaidOver:
    """Thermal previews in the RGB image."""

    def __init__(self, rig: RigCalibration | None, smooth: bool) -> None:
        self._rig, self._smooth = rig, smooth
        self._normalizer = ThermalNormalizer()
        self._registration: Registration | None = None
        self._sizes: tuple[tuple[int, int], ...] = ()

    def __call__(self, frame: Frame, size: tuple[int, int]) -> ByteArray:
        """Preview of one frame, ``(size[1], size[0])`` uint8."""
        stamp_ns = frame.stamp_ns if self._smooth else None
        preview = self._normalizer(frame.image, frame.encoding, stamp_ns).preview
        sizes = (size, (preview.shape[1], preview.shape[0]))
        if self._registration is None or sizes != self._sizes:
            self._registration = Registration(self._rig, size, sizes[1], size)
            self._sizes = sizes
        return np.asarray(self._registration.warp_to_rgb(preview), np.uint8)
