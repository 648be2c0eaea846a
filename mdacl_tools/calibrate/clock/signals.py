"""What moves in a camera's view, as numbers over time: one row a frame, one column a small cell.

A cell's numbers are its mean edges (:mod:`.structure`). They change when anything moves through the
cell or the camera turns, and do so in both cameras at one time, whichever side is the warmer.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_ros.errors import CalibrationError
from mdacl_ros.pipeline.pair_input import rgb_pixels
from mdacl_ros.sensing.registration.rig_types import RigCalibration
from mdacl_ros.sensing.registration.thermal_registration import Registration
from mdacl_ros.sensing.thermal.normalizer import normalize_once
from mdacl_ros.types import MODALITIES, FloatArray, Frame, Modality
from mdacl_tools.calibrate.constant_resolution import OneSize
from mdacl_tools.calibrate.scene.structure import structure
from mdacl_tools.calibrate.swapped_cameras import exchange_told
from mdacl_tools.recordings.recording import Recording

Times = npt.NDArray[np.float64]

_SEEN = (160, 120)  # pixels: enough for a person in the middle distance
_LAID = (640, 480)  # where a rig lays thermal over RGB before both are shrunk
_CELLS = (32, 24)
_FEWEST = 20  # frames of a camera


@dataclass(frozen=True, slots=True)
class CameraSignal:
    """One camera's cells over time.

    Attributes:
        times: ``(K,)`` float64 stamps in seconds since the recording's first stamp, ascending.
        values: ``(K, F)`` float32.
    """

    times: Times
    values: FloatArray

    @property
    def period(self) -> float:
        """Median time between frames in seconds."""
        return float(np.median(np.diff(self.times)))


def collect_signals(
    recording: Recording,
    longest_s: float,
    rig: RigCalibration | None = None,
    offset_s: float = 0.0,
) -> dict[Modality, CameraSignal]:
    """Play a recording and reduce its frames to cells.

    Args:
        recording: Where from.
        longest_s: Stop after this much of it, in seconds.
        rig: Lays thermal over RGB; ``None``: both images are taken to show one view.
        offset_s: Seconds added to thermal stamps.

    Returns:
        A signal of each camera; their times count from one instant.

    Raises:
        CalibrationError: A camera is missing or has too few frames, stamps do not advance, or an
            image is of another size than those before, or not what its topic should carry.
    """
    rows: dict[Modality, list[tuple[int, FloatArray]]] = {camera: [] for camera in MODALITIES}
    cells, sizes = _CellReader(rig), OneSize(recording.name)
    start: int | None = None
    offset_ns = round(offset_s * 1e9)
    with exchange_told(recording):
        for event in recording:
            start = event.time_ns if start is None else start
            if event.time_ns - start > longest_s * 1e9:
                break
            sizes.check(event.camera, event.frame)
            values = cells.read(event.camera, event.frame)
            shift = offset_ns if event.camera == "thermal" else 0
            rows[event.camera].append((event.frame.stamp_ns + shift, values))
    origin = min((stamp for part in rows.values() for stamp, _ in part), default=0)
    return {camera: _signal(recording.name, camera, rows[camera], origin) for camera in MODALITIES}


def _signal(
    name: str, camera: Modality, rows: list[tuple[int, FloatArray]], origin: int
) -> CameraSignal:
    """Sort by stamp; a stamp that comes twice counts once."""
    unique = dict(rows)
    if len(unique) < _FEWEST:
        raise CalibrationError(
            f"recording {name}: has {len(unique)} {camera} frames with stamps of their own, wanted"
            f" {_FEWEST} or more; record some ten seconds with both cameras, or name the topic with"
            f" --{camera}-topic"
        )
    stamps = sorted(unique)
    times = (np.array(stamps, np.int64) - origin) / 1e9
    return CameraSignal(times, np.stack([unique[stamp] for stamp in stamps]))


class _CellReader:
    """Reduces frames to cells; keeps the registration between frames."""

    def __init__(self, rig: RigCalibration | None) -> None:
        self._rig = rig
        self._registration: Registration | None = None

    def read(self, camera: Modality, frame: Frame) -> FloatArray:
        """The frame's cells, ``(F,)``."""
        grey = self._colour(frame) if camera == "rgb" else self._thermal(frame)
        edges = structure(grey, 1.0)
        parts = [
            cv2.resize(np.ascontiguousarray(part), _CELLS, interpolation=cv2.INTER_AREA).ravel()
            for part in (edges.real, edges.imag)
        ]
        return np.concatenate(parts).astype(np.float32)

    def _colour(self, frame: Frame) -> FloatArray:
        small = cv2.resize(rgb_pixels(frame), _SEEN, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32) / np.float32(255)

    def _thermal(self, frame: Frame) -> FloatArray:
        image = normalize_once(frame.image, frame.encoding)
        if self._rig is not None:
            if self._registration is None:
                size = (image.shape[1], image.shape[0])
                self._registration = Registration(self._rig, self._rig.rgb.size, size, _LAID)
            image = np.asarray(self._registration.warp(image), np.float32)
        return np.asarray(cv2.resize(image, _SEEN, interpolation=cv2.INTER_AREA), np.float32)
