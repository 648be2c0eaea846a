"""Pairs of RGB and thermal video files as recordings."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path

import cv2

from mdacl_ros.errors import RecordingError
from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import Frame, GroundTruth, Modality
from mdacl_tools.recordings.recording import (
    FIRST_STAMP_NS,
    VIDEO_SUFFIXES,
    Event,
    RecordingPhase,
)

RGB_FOLDERS = ("visible", "rgb", "vis", "vi")
THERMAL_FOLDERS = ("infrared", "thermal", "ir", "lwir")


class VideoRecording:
    """Two video files that start at the same time; see :class:`.recording.Recording`.

    Stamps are frame number / frame rate, from :data:`FIRST_STAMP_NS`.

    Args:
        rgb: Colour video.
        thermal: Thermal video, 8-bit grey (or grey stored as colour).
        name: Name of the recording; the RGB file's stem unless given.

    Raises:
        RecordingError: If a file cannot be opened as a video.
    """

    has_truth = False
    phases: tuple[RecordingPhase, ...] = ()

    def __init__(self, rgb: Path, thermal: Path, *, name: str | None = None) -> None:
        self.name = name or rgb.stem
        self._files: dict[Modality, Path] = {"rgb": rgb, "thermal": thermal}
        self._sizes: dict[Modality, tuple[int, int]] = {}
        self.fps: dict[Modality, float] = {}
        self.frames: dict[Modality, int] = {}
        for camera, path in self._files.items():
            capture = _open(path)
            self.fps[camera] = capture.get(cv2.CAP_PROP_FPS) or 30.0
            self.frames[camera] = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            width, height = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT
            self._sizes[camera] = int(capture.get(width)), int(capture.get(height))
            capture.release()
        self.duration_ns = max(
            _stamp(self.frames[camera] - 1, self.fps[camera]) - FIRST_STAMP_NS
            for camera in self._files
        )

    def __iter__(self) -> Iterator[Event]:
        """Events of both files, RGB first where stamps are equal."""
        return heapq.merge(
            self._events("rgb"), self._events("thermal"), key=lambda event: event.time_ns
        )

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        """Videos carry no ground truth."""
        return None

    def camera_model(self, camera: Modality) -> CameraModel | None:
        """The image size; videos know no intrinsics."""
        return CameraModel(self._sizes[camera])

    def close(self) -> None:
        """Nothing is open between two iterations."""

    def _events(self, camera: Modality) -> Iterator[Event]:
        capture = _open(self._files[camera])
        colour = camera == "rgb"
        to_colour = cv2.COLOR_BGR2RGB if colour else cv2.COLOR_BGR2GRAY
        try:
            index = 0
            while True:
                ok, image = capture.read()
                if not ok:
                    return
                stamp = _stamp(index, self.fps[camera])
                if image.ndim == 3:
                    image = cv2.cvtColor(image, to_colour)
                encoding = "rgb8" if colour else "mono8"
                yield Event(camera, stamp, Frame(image, stamp, f"{camera}_optical_frame", encoding))
                index += 1
        finally:
            capture.release()


def _open(path: Path) -> cv2.VideoCapture:
    if not path.is_file():
        raise RecordingError(f"video {path}: no such file")
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise RecordingError(f"video {path}: OpenCV cannot read it; convert it to H.264 or MPEG-4")
    return capture


def _stamp(index: int, fps: float) -> int:
    return FIRST_STAMP_NS + round(index * 1_000_000_000 / fps)


def clip_pairs(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Clips of a folder with visible/ and infrared/ videos of the same names, by name."""
    rgb, thermal = _videos(folder, RGB_FOLDERS), _videos(folder, THERMAL_FOLDERS)
    return {name: (rgb[name], thermal[name]) for name in sorted(rgb.keys() & thermal.keys())}


def _videos(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    for name in names:
        files = {p.stem: p for p in (folder / name).glob("*") if p.suffix.lower() in VIDEO_SUFFIXES}
        if files:
            return files
    return {}


def find_clip_folder(path: Path, clip: str | None) -> Path | None:
    """The folder of video pairs that ``path`` means, ``None`` if it holds none.

    A data-set folder with a ``videos/`` folder beside its images means the videos once a clip is
    asked for.
    """
    if clip_pairs(path):
        return path
    if clip is not None and clip in clip_pairs(path / "videos"):
        return path / "videos"
    return None


def open_clip(folder: Path, clip: str | None) -> VideoRecording:
    """Open one clip of a folder of video pairs.

    Raises:
        RecordingError: If there are several and none was named, or the named one is not there.
    """
    pairs = clip_pairs(folder)
    if clip is None and len(pairs) == 1:
        clip = next(iter(pairs))
    if clip not in pairs:
        got = "no clip name" if clip is None else f"clip {clip!r}"
        raise RecordingError(
            f"recording {folder}: got {got}, wanted one of {', '.join(pairs)}; use --clip NAME"
        )
    return VideoRecording(*pairs[clip], name=clip)
