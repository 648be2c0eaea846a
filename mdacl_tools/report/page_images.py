"""The pictures of the page: worst frames and thumbnails, as jpeg inside the page."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.sensing.registration.rig_types import RigCalibration
from mdacl_ros.types import ByteArray
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.report.formatting import class_name, event_words, listing
from mdacl_tools.report.source_images import Replayed, replay
from mdacl_tools.scoring.frames import FrameRecord, read_frames
from mdacl_tools.scoring.report import Report, WorstFrame

LARGE, MEDIUM, THUMBNAIL = 560, 400, 132
"""Widths in pixels of the worst picture, the others, and the thumbnails."""

QUALITY = 72
MOST_WORST = 7
"""Pictures of each kind."""

THUMBNAILS = 8

APART_NS = 1_000_000_000
"""Neighbours of a video show the same: one picture of every second is enough."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A box over a picture: x, y, width, height in its pixels, what kind, and its text."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Still:
    """A frame of both cameras with boxes; a picture is ``None`` where the camera was absent.

    Attributes:
        rgb: jpeg as a data URI.
        thermal: jpeg as a data URI, registered to RGB.
        width: Of the RGB image the boxes lie in, in pixels.
        height: Likewise.
        marks: Boxes, the important ones last.
        index: Number of the frame in ``frames.jsonl``.
        seconds: Since the first frame.
        caption: What went wrong.
        events: What was going on.
    """

    rgb: str | None
    thermal: str | None
    width: int
    height: int
    marks: tuple[Mark, ...]
    index: int
    seconds: float
    caption: str
    events: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """All pictures of a page; empty where there was no recording to take them from."""

    misses: tuple[Still, ...] = ()
    false_alarms: tuple[Still, ...] = ()
    thumbnails: tuple[Still, ...] = ()


def take_pictures(
    report: Report, frames: Path, recording: Recording, rig: RigCalibration | None = None
) -> Pictures:
    """Take the page's pictures in one pass over the recording.

    Args:
        report: Which frames are the worst.
        frames: ``frames.jsonl``.
        recording: What was evaluated.
        rig: Calibration that was used.

    Raises:
        RecordingError: The recording, or ``frames.jsonl``, is not that of the report.
    """
    misses, alarms = (_apart(report, kind)[:MOST_WORST] for kind in ("misses", "false_alarms"))
    evenly = _spread(int(report.counts.get("processed", 0)), THUMBNAILS)
    wanted = {frame.index for frame in (*misses, *alarms)} | set(evenly)
    records = list(_pick(frames, wanted))
    if len(records) != len(wanted):
        raise RecordingError(
            f"{frames}: lacks frames that the report beside it tells of; evaluate again"
        )
    start_ns = int(report.recording.get("start_ns") or (records[0].stamp_ns if records else 0))
    draw = _Draw(report, start_ns)
    offset_ns = round(report.settings.get("thermal_clock_offset_s", 0.0) * 1e9)
    taken: dict[tuple[str, int], Still] = {}
    worst = (("miss", misses, draw.miss), ("alarm", alarms, draw.alarm))
    for shown in replay(recording, records, rig=rig, thermal_clock_offset_ns=offset_ns):
        index = shown.record.index
        for kind, ranked, make in worst:
            for place, frame in enumerate(ranked):
                if frame.index == index:
                    width = LARGE if place == 0 else MEDIUM
                    taken[kind, index] = make(shown, frame, width)
        if index in evenly:
            taken["thumbnail", index] = draw.still(shown, THUMBNAIL, (), "")
    return Pictures(
        tuple(taken["miss", frame.index] for frame in misses),
        tuple(taken["alarm", frame.index] for frame in alarms),
        tuple(taken["thumbnail", index] for index in evenly),
    )


def _apart(report: Report, kind: str) -> list[WorstFrame]:
    """The worst frames of a kind; of a moving picture only one of every moment."""
    least_ns = 0 if report.recording.get("kind") == "data set" else APART_NS
    chosen: list[WorstFrame] = []
    for frame in report.worst.get(kind, ()):
        if all(abs(frame.stamp_ns - other.stamp_ns) >= least_ns for other in chosen):
            chosen.append(frame)
    return chosen


def _spread(count: int, most: int) -> tuple[int, ...]:
    """Numbers of frames in the middle of equal parts."""
    parts = min(count, most)
    return tuple(int((k + 0.5) * count / parts) for k in range(parts))


def _pick(path: Path, wanted: set[int]) -> Iterator[FrameRecord]:
    return (record for record in read_frames(path) if record.index in wanted)


class _Draw:
    """Makes stills of one recording."""

    def __init__(self, report: Report, start_ns: int) -> None:
        self._labels: Sequence[str] = report.settings["labels"]
        self._threshold = float(report.settings["threshold"])
        self._start_ns = start_ns

    def miss(self, shown: Replayed, frame: WorstFrame, width: int) -> Still:
        """What was missed, over what was found."""
        missed = [self._mark("missed", box[:4], box[4], "missed") for box in frame.boxes]
        tallest = max((box[3] - box[1] for box in frame.boxes), default=0)
        what = listing((box[4] for box in frame.boxes), self._labels)
        caption = f"missed {what}; tallest {tallest:.0f} px"
        return self.still(shown, width, (*self._found(shown.record), *missed), caption)

    def alarm(self, shown: Replayed, frame: WorstFrame, width: int) -> Still:
        """What is not there, over what is."""
        wrong = [
            self._mark("alarm", box[:4], box[5], f"{box[4]:.2f}, not there") for box in frame.boxes
        ]
        what = ", ".join(f"{class_name(b[5], self._labels)} {b[4]:.2f}" for b in frame.boxes[:4])
        more = len(frame.boxes) - 4
        caption = f"false: {what}" + (f" and {more} more" if more > 0 else "")
        return self.still(shown, width, (*self._there(shown.record), *wrong), caption)

    def still(self, shown: Replayed, width: int, marks: tuple[Mark, ...], caption: str) -> Still:
        """A frame with these boxes, its pictures ``width`` pixels wide."""
        record = shown.record
        return Still(
            None if shown.rgb is None else data_uri(shown.rgb, width),
            None if shown.thermal is None else data_uri(shown.thermal, width),
            *record.image_size,
            marks,
            record.index,
            (record.stamp_ns - self._start_ns) / 1e9,
            caption,
            ", ".join(map(event_words, record.events)),
        )

    def _found(self, record: FrameRecord) -> list[Mark]:
        rows = zip(record.boxes, record.scores, record.labels, strict=True)
        return [
            self._mark("found", box.tolist(), int(label), f"{float(score):.2f}, found")
            for box, score, label in rows
            if score >= self._threshold
        ]

    def _there(self, record: FrameRecord) -> list[Mark]:
        if record.truth is None:
            return []
        truth = record.truth
        rows = zip(truth.boxes, truth.labels, truth.ignore, strict=True)
        return [
            self._mark("there", box.tolist(), int(label), "really there")
            for box, label, ignore in rows
            if not ignore
        ]

    def _mark(self, kind: str, box: Sequence[float], label: int, text: str) -> Mark:
        x0, y0, x1, y1 = (round(float(v), 1) for v in box)
        name = class_name(label, self._labels)
        return Mark(kind, x0, y0, round(x1 - x0, 1), round(y1 - y0, 1), f"{name} {text}")


def data_uri(image: ByteArray, width: int) -> str:
    """A jpeg of at most this width inside a URI; ``(H, W, 3)`` R, G, B or ``(H, W)`` grey."""
    picture: Any = image
    if image.shape[1] > width:
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        picture = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    if picture.ndim == 3:
        picture = cv2.cvtColor(np.asarray(picture, np.uint8), cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")
