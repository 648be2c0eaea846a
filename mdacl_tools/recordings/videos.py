"""Pairs of RGB and thermal video files as recordings."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from mdacl_ros.errors import ImageError, RecordingError
from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.sensing.thermal.raw_levels import thermal_to_grey
from mdacl_ros.types import Array, Frame, GroundTruth, Modality
from mdacl_tools.recordings.losses import Losses
from mdacl_tools.recordings.recording import (
    FIRST_STAMP_NS,
    VIDEO_SUFFIXES,
    Event,
    RecordingPhase,
)

ANNOUNCED_SHARE, ANNOUNCED_FRAMES = 0.01, 2
"""By how much the frames of a file may be fewer than its header says: some formats estimate."""

LEAST_RATE, MOST_RATE = 0.01, 1000.0
"""Frame rates that a header can mean; 90000 is a clock, not a rate."""

RGB_FOLDERS = ("visible", "rgb", "vis", "vi")
THERMAL_FOLDERS = ("infrared", "thermal", "ir", "lwir")


class VideoRecording:
    """Two video files that start at the same time; see :class:`.recording.Recording`.

    Stamps are frame number / frame rate, from :data:`FIRST_STAMP_NS`. A file that ends before the
    number of frames that its header announces is damaged: it is said after a pass.

    Args:
        rgb: Colour video.
        thermal: Thermal video, 8-bit grey (or grey stored as colour).
        name: Name of the recording; the RGB file's stem unless given.

    Attributes:
        losses: Images left out in the newest pass, as thermal ones in palette colours.
        damage: Which file ended too early in the newest pass.
        notes: What was assumed.

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
        self.losses, self.notes = Losses(), list[str]()
        self.damage: list[str] = []
        for camera, path in self._files.items():
            capture = _open(path)
            self.fps[camera] = _rate(capture, path, self.notes)
            self.frames[camera] = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
            width, height = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT
            self._sizes[camera] = int(capture.get(width)), int(capture.get(height))
            capture.release()
        self.duration_ns = max(
            _stamp(self.frames[camera] - 1, self.fps[camera]) - FIRST_STAMP_NS
            for camera in self._files
        )

    def __iter__(self) -> Iterator[Event]:
        """Events of both files, RGB first where stamps are equal."""
        self.losses.clear()
        self.damage.clear()
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
        path = self._files[camera]
        capture = _open(path)
        index = 0
        try:
            while True:
                ok, image = capture.read()
                if not ok:
                    break
                stamp = _stamp(index, self.fps[camera])
                index += 1
                try:
                    pixels, encoding = _pixels(image, camera, path)
                except ImageError as error:
                    self.losses.add(camera, f"video {path.name}", error)
                    continue
                self.losses.read[camera] += 1
                frame = Frame(pixels, stamp, f"{camera}_optical_frame", encoding)
                yield Event(camera, stamp, frame)
        finally:
            capture.release()
        announced = self.frames[camera]
        if announced - index > max(ANNOUNCED_FRAMES, ANNOUNCED_SHARE * announced):
            self.damage.append(
                f"{path.name}: {index} of the {announced} frames that it announces could be read, "
                "the file is cut off or damaged behind them"
            )


def _pixels(image: Any, camera: Modality, path: Path) -> tuple[Array, str]:
    """Pixels of a decoded frame, and their encoding.

    Raises:
        ImageError: A thermal image in palette colours.
    """
    if camera == "rgb":
        code = cv2.COLOR_BGR2RGB if image.ndim == 3 else cv2.COLOR_GRAY2RGB
        return cv2.cvtColor(image, code), "rgb8"
    if image.ndim == 3:
        thermal_to_grey(image, path.suffix[1:])  # refuses palettes
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return image, "mono8"


def _rate(capture: cv2.VideoCapture, path: Path, notes: list[str]) -> float:
    """Frame rate by the file's header; 30 Hz, noted, where it says none that can be."""
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    if LEAST_RATE <= rate <= MOST_RATE:
        return rate
    notes.append(f"{path.name}: its header gives no usable frame rate ({rate:g}), 30 Hz is taken")
    return 30.0


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
