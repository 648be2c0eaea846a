"""``frames.jsonl``: what was answered for every processed frame, one line each.

with FrameWriter(folder / FRAMES_FILE) as out:
    out.write(record)
for record in read_frames(folder / FRAMES_FILE):
    print(record.stamp_ns, record.mdi, record.boxes)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import Detections, FloatArray, GroundTruth, IntArray

FRAMES_FILE = "frames.jsonl"


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """One processed frame. Boxes are xyxy pixels of the RGB image, labels the model's.

    Attributes:
        index: Number of the processed frame, from 0.
        stamp_ns: Stamp of the answer: the RGB stamp; without RGB thermal's, clock offset added.
        rgb: Whether the colour camera took part.
        thermal: Whether the thermal camera took part.
        skew_ms: Thermal stamp (offset added) minus RGB stamp; 0 for a single camera.
        mdi: Per-frame estimate of the Modality Dominance Index.
        exact_mdi: Exact index where the probe ran, else ``None``.
        gates: Mean gate of rgb and thermal.
        entropy: Representational diversity of rgb and thermal.
        image_size: ``(width, height)`` of the image the boxes lie in.
        boxes: ``(N, 4)`` float32, best first; all from the report's ``score_floor`` up.
        scores: ``(N,)`` float32.
        labels: ``(N,)`` int64.
        truth: What is there, ``None`` where nothing is known.
        events: Names of the events (:mod:`.events`) going on in this frame.
        reliance: Which camera the detections rest on, in [-1, 1]; ``None`` while nothing is seen
            or measured.
    """

    index: int
    stamp_ns: int
    rgb: bool
    thermal: bool
    skew_ms: float
    mdi: float
    exact_mdi: float | None
    gates: tuple[float, float]
    entropy: tuple[float, float]
    image_size: tuple[int, int]
    boxes: FloatArray
    scores: FloatArray
    labels: IntArray
    truth: GroundTruth | None = None
    events: tuple[str, ...] = ()
    reliance: float | None = None

    @property
    def detections(self) -> Detections:
        """The boxes as the rest of the package holds them."""
        return Detections(self.boxes, self.scores, self.labels, self.image_size)

    def to_json(self) -> dict[str, Any]:
        """Plain values; float32 numbers in their shortest form, which reads back exactly."""
        found = zip(short(self.boxes), short(self.scores), self.labels.tolist(), strict=True)
        return {
            "index": self.index,
            "stamp_ns": self.stamp_ns,
            "rgb": self.rgb,
            "thermal": self.thermal,
            "skew_ms": self.skew_ms,
            "mdi": self.mdi,
            "exact_mdi": self.exact_mdi,
            "reliance": self.reliance,
            "gates": list(self.gates),
            "entropy": list(self.entropy),
            "image_size": list(self.image_size),
            "detections": [[*box, score, label] for box, score, label in found],
            "truth": None if self.truth is None else truth_rows(self.truth),
            "events": list(self.events),
        }

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> FrameRecord:
        """What :meth:`to_json` gave."""
        found = np.array(row["detections"], np.float64).reshape(-1, 6)
        return cls(
            index=row["index"],
            stamp_ns=row["stamp_ns"],
            rgb=row["rgb"],
            thermal=row["thermal"],
            skew_ms=row["skew_ms"],
            mdi=row["mdi"],
            exact_mdi=row["exact_mdi"],
            gates=(row["gates"][0], row["gates"][1]),
            entropy=(row["entropy"][0], row["entropy"][1]),
            image_size=(row["image_size"][0], row["image_size"][1]),
            boxes=found[:, :4].astype(np.float32),
            scores=found[:, 4].astype(np.float32),
            labels=found[:, 5].astype(np.int64),
            truth=None if row["truth"] is None else _truth(row["truth"]),
            events=tuple(row["events"]),
            reliance=row.get("reliance"),
        )


class FrameWriter:
    """Writes records to a new file, line by line; a context manager.

    Args:
        path: File to write; what was there is replaced.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def __enter__(self) -> FrameWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, record: FrameRecord) -> None:
        """Append one record."""
        self._file.write(json.dumps(record.to_json(), separators=(",", ":")) + "\n")


def read_frames(path: Path) -> Iterator[FrameRecord]:
    """Records of a file in order, one in memory at a time.

    Raises:
        RecordingError: The file is missing or a line is no record.
    """
    number = 0
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):  # noqa: B007 - for the message below
                yield FrameRecord.from_json(json.loads(line))
    except OSError as error:
        raise RecordingError(
            f"{path}: cannot be read ({error.strerror}); evaluate the recording again"
        ) from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise RecordingError(
            f"{path}: line {number} is no frame record ({error}); evaluate the recording again"
        ) from error


def short(values: FloatArray) -> Any:
    """float32 values as nested lists of the shortest numbers that read back as the same float32."""
    return np.asarray(values, np.float32).astype("U32").astype(np.float64).tolist()


def truth_rows(truth: GroundTruth) -> list[list[Any]]:
    """Rows ``[x0, y0, x1, y1, label, ignore]``."""
    rows = zip(short(truth.boxes), truth.labels.tolist(), truth.ignore.tolist(), strict=True)
    return [[*box, label, ignore] for box, label, ignore in rows]


def _truth(rows: list[list[Any]]) -> GroundTruth:
    values = np.array(rows, np.float64).reshape(-1, 6)
    return GroundTruth(
        values[:, :4].astype(np.float32), values[:, 4].astype(np.int64), values[:, 5].astype(bool)
    )
