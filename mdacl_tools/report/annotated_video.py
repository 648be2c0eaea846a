"""The annotated video of a run, drawn afterwards so that drawing does not disturb the run."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from mdacl_ros.drawing.overlay import side_by_side
from mdacl_ros.sensing.registration.rig import RigCalibration
from mdacl_ros.sensing.registration.thermal_registration import Registration
from mdacl_ros.sensing.thermal.normalizer import ThermalNormalizer
from mdacl_ros.types import ByteArray, Frame
from mdacl_tools.live.run_log import Answer, RunLog
from mdacl_tools.recordings.recording import Recording, RecordingPhase

VIDEO_FPS = 15.0
"""Most pictures a second of the video."""

LOOK_BACK_NS = 1_000_000_000
"""How long thermal frames are kept for the answers that used them."""

WAIT_NS = 200_000_000
"""An answer is drawn once the recording is this much further: its thermal frame may come later."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawn answer; ``recorded_ns`` is the stamp of its frame in the recording."""

    recorded_ns: int
    image: ByteArray
    phase: str
    detections: int


def render_pictures(
    run: RunLog,
    recording: Recording,
    rig: RigCalibration | None = None,
    *,
    fps: float = VIDEO_FPS,
) -> Iterator[Picture]:
    """Draw the answers side by side with the frames they were made from.

    Args:
        run: What happened.
        recording: What was played; read once from its start.
        rig: Warps the thermal picture into the RGB one; without, it is only scaled.
        fps: At most this many pictures a second of recording.

    Yields:
        Pictures in the order of the recording.
    """
    recorded = run.recorded_stamps()
    waiting = [
        (recorded[answer.stamp_ns], answer) for answer in run.answers if answer.stamp_ns in recorded
    ]
    painter = _Painter(run, recording, rig)
    history: list[float] = []
    next_ns = done = 0
    for event in itertools.chain(recording, (None,)):
        if event is not None:
            painter.remember(event.camera, event.frame)
        # At the end of the recording (None) all that is left is drawn.
        while done < len(waiting):
            stamp, answer = waiting[done]
            if event is not None and stamp > event.frame.stamp_ns - WAIT_NS:
                break
            done += 1
            history.append(answer.number("mdi") or 0.0)
            if stamp >= next_ns:
                yield painter.paint(answer, stamp, history)
                next_ns = stamp + round(0.95e9 / fps)


SENDS_NS = 200_000_000
"""A camera with a frame this near to an answer sends, whether its frames are used or not."""


class _Painter:
    """Keeps the newest frames and draws an answer over those it was made from."""

    def __init__(self, run: RunLog, recording: Recording, rig: RigCalibration | None) -> None:
        self._run = run
        self._phases = recording.phases
        self._first_ns = min((frame.recorded_ns for frame in run.sent), default=0)
        self._rig = rig
        self._registration: Registration | None = None
        self._normalizer = ThermalNormalizer()
        self._rgb: dict[int, Frame] = {}
        self._thermal: dict[int, ByteArray] = {}
        self._size = (640, 480)

    def remember(self, camera: str, frame: Frame) -> None:
        if camera == "rgb":
            self._rgb[frame.stamp_ns] = frame
            self._size = (frame.image.shape[1], frame.image.shape[0])
            _forget(self._rgb, frame.stamp_ns)
        else:
            preview = self._normalizer(frame.image, frame.encoding, frame.stamp_ns).preview
            self._thermal[frame.stamp_ns] = preview
            _forget(self._thermal, frame.stamp_ns)

    def paint(self, answer: Answer, stamp: int, history: list[float]) -> Picture:
        rgb = self._rgb.get(stamp) if "rgb" in answer.present else None
        thermal = self._thermal_of(answer, stamp) if "thermal" in answer.present else None
        detections = answer.detections(self._size, self._run.threshold)
        phase = _phase_name(self._phases, stamp)
        caption = f"{phase.replace('_', ' ')}   {(stamp - self._first_ns) / 1e9:.1f} s".strip()
        image = side_by_side(
            None if rgb is None else rgb.image,  # type: ignore[arg-type]
            thermal,
            detections,
            self._run.labels,
            answer.dominance,
            caption=caption,
            history=history,
            unused=self._unused(answer, stamp),
        )
        return Picture(stamp, image, phase, len(detections.scores))

    def _unused(self, answer: Answer, stamp: int) -> list[str]:
        """Cameras that sent frames just then which the answer does not rest on."""
        sent = {"rgb": list(self._rgb), "thermal": list(self._thermal)}
        return [
            camera.upper()
            for camera, stamps in sent.items()
            if camera not in answer.present and any(abs(s - stamp) <= SENDS_NS for s in stamps)
        ]

    def _thermal_of(self, answer: Answer, stamp: int) -> ByteArray | None:
        """The thermal frame nearest to RGB stamp + skew (offset taken off again)."""
        if not self._thermal:
            return None
        skew_ns = round((answer.number("skew_ms") or 0.0) * 1e6)
        offset = self._run.thermal_clock_offset_ns if "rgb" in answer.present else 0
        wanted = stamp + skew_ns - offset
        image = self._thermal[min(self._thermal, key=lambda s: abs(s - wanted))]
        if self._rig is None:
            return image
        size = image.shape[1], image.shape[0]
        if self._registration is None:
            self._registration = Registration(self._rig, self._size, size, self._size)
        return self._registration.warp_to_rgb(image)  # type: ignore[return-value]


def _forget(frames: dict[int, Frame] | dict[int, ByteArray], newest_ns: int) -> None:
    for stamp in [s for s in frames if abs(s - newest_ns) > LOOK_BACK_NS]:
        del frames[stamp]


def _phase_name(phases: tuple[RecordingPhase, ...], stamp: int) -> str:
    return next((p.name for p in phases if p.start_ns <= stamp < p.end_ns), "")


class VideoFile:
    """Writes pictures as mp4; as numbered PNG files where the codec is not available.

    Args:
        folder: Where ``video.mp4`` (or ``video/``) goes.
        fps: Pictures a second.

    Attributes:
        path: The video file, or the folder of PNG files.
    """

    def __init__(self, folder: Path, fps: float) -> None:
        self.path = folder / "video.mp4"
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._count = 0
        self._newest: ByteArray | None = None
        self._first_ns = 0

    def show(self, picture: Picture) -> int:
        """Append a picture at its time; the one before is held until then.

        Returns:
            Number of frames written.
        """
        before = self._count
        if self._newest is None:
            self._first_ns = picture.recorded_ns
        else:
            due = round((picture.recorded_ns - self._first_ns) / 1e9 * self._fps)
            while self._count < due:
                self.write(self._newest)
        self.write(picture.image)
        self._newest = picture.image
        return self._count - before

    def write(self, image: ByteArray) -> None:
        """Append one picture, ``(H, W, 3)`` uint8 R, G, B; all of one size."""
        if self._count == 0:
            self._open(image.shape[1], image.shape[0])
        picture = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        if self._writer is not None:
            self._writer.write(picture)
        else:
            cv2.imwrite(str(self.path / f"{self._count:05d}.png"), picture)
        self._count += 1

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()

    def _open(self, width: int, height: int) -> None:
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        codec = cv2.VideoWriter_fourcc(*"mp4v")  # type: ignore[attr-defined]
        writer = cv2.VideoWriter(str(self.path), codec, self._fps, (width, height))
        if writer.isOpened():
            self._writer = writer
            return
        self.path.unlink(missing_ok=True)
        self.path = self.path.with_suffix("")
        self.path.mkdir(exist_ok=True)
