"""Synthetic two-camera streams with known faults: rates, a freeze, a clock offset, jitter."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import Array, Frame, GroundTruth, Modality
from mdacl_tools.recordings.recording import FIRST_STAMP_NS, Event, RecordingPhase


@dataclass(frozen=True, slots=True)
class RigFaults:
    """How the two cameras behave.

    Attributes:
        duration_s: Length of the stream.
        rgb_hz: Frame rate of the colour camera.
        thermal_hz: Frame rate of the thermal camera.
        freeze_s: Start and end of the time in which ``frozen`` delivers nothing.
        frozen: The camera that freezes.
        thermal_clock_offset_ns: What has to be added to thermal stamps to get the RGB clock.
        rgb_size: Width and height of the colour image.
        thermal_size: Width and height of the thermal image.
    """

    duration_s: float = 10.0
    rgb_hz: float = 30.0
    thermal_hz: float = 9.0
    freeze_s: tuple[float, float] | None = (4.0, 6.5)
    frozen: Modality = "thermal"
    thermal_clock_offset_ns: int = 40_000_000
    rgb_size: tuple[int, int] = (64, 48)
    thermal_size: tuple[int, int] = (64, 48)


class SyntheticRecording:
    """A bright square that crosses both images; see :class:`.recording.Recording`.

    Deterministic. Square and truth are the same in both images, scaled to their sizes.
    """

    has_truth = True

    def __init__(self, faults: RigFaults | None = None) -> None:
        self.name = "synthetic"
        self._faults = faults or RigFaults()
        rates = {"rgb": self._faults.rgb_hz, "thermal": self._faults.thermal_hz}
        self.fps: dict[Modality, float] = {"rgb": rates["rgb"], "thermal": rates["thermal"]}
        self.frames: dict[Modality, int] = {
            "rgb": sum(1 for _ in self._times("rgb")),
            "thermal": sum(1 for _ in self._times("thermal")),
        }
        self.duration_ns = round(self._faults.duration_s * 1e9)
        self.phases: tuple[RecordingPhase, ...] = ()
        if self._faults.freeze_s:
            start, end = (FIRST_STAMP_NS + round(t * 1e9) for t in self._faults.freeze_s)
            self.phases = (RecordingPhase(f"{self._faults.frozen}_freeze", start, end),)

    def __iter__(self) -> Iterator[Event]:
        """Events in order of arrival; arrival is the true time of the picture."""
        streams = (self._events("rgb"), self._events("thermal"))
        return heapq.merge(*streams, key=lambda event: event.time_ns)

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        """The square, as a person."""
        time_s = (stamp_ns - FIRST_STAMP_NS) / 1e9
        if not 0 <= time_s < self._faults.duration_s:
            return None
        box = self._square(time_s, self._faults.rgb_size)
        return GroundTruth(
            np.array([box], np.float32), np.zeros(1, np.int64), np.zeros(1, np.bool_)
        )

    def camera_model(self, camera: Modality) -> CameraModel | None:
        """A pinhole camera with 60 degrees of horizontal view."""
        width, height = self._size(camera)
        f = width / (2 * np.tan(np.pi / 6))
        matrix = np.array([[f, 0, width / 2], [0, f, height / 2], [0, 0, 1]])
        return CameraModel((width, height), matrix, (0.0,) * 5)

    def close(self) -> None:
        """Nothing to release."""

    def _size(self, camera: Modality) -> tuple[int, int]:
        return self._faults.rgb_size if camera == "rgb" else self._faults.thermal_size

    def _times(self, camera: Modality) -> Iterator[int]:
        rate = self.fps[camera]
        freeze = self._faults.freeze_s if camera == self._faults.frozen else None
        for index in range(int(self._faults.duration_s * rate)):
            time_s = index / rate
            if freeze is None or not freeze[0] <= time_s < freeze[1]:
                yield round(time_s * 1e9)

    def _events(self, camera: Modality) -> Iterator[Event]:
        width, height = self._size(camera)
        offset = self._faults.thermal_clock_offset_ns if camera == "thermal" else 0
        for time_ns in self._times(camera):
            shape = (height, width, 3) if camera == "rgb" else (height, width)
            image: Array = np.full(shape, 40, np.uint8)
            x0, y0, x1, y1 = self._square(time_ns / 1e9, (width, height))
            image[y0:y1, x0:x1] = 220
            arrival = FIRST_STAMP_NS + time_ns
            encoding = "rgb8" if camera == "rgb" else "mono8"
            frame = Frame(image, arrival - offset, f"{camera}_optical_frame", encoding)
            yield Event(camera, arrival, frame)

    def _square(self, time_s: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
        width, height = size
        side = height // 3
        x = round((width - side) * (time_s / self._faults.duration_s))
        return x, height // 3, x + side, height // 3 + side
