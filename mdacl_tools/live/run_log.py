"""What happened in one run of the detector node over a recording: plain data."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mdacl_ros.types import (
    MODALITIES,
    Detections,
    DominanceReading,
    FloatArray,
    IntArray,
    Modality,
)
from mdacl_tools.live.processes import Usage


@dataclass(frozen=True, slots=True)
class Answer:
    """One published answer.

    Attributes:
        stamp_ns: Stamp of the Detection2DArray.
        boxes: ``(N, 4)`` float32 xyxy in pixels of the RGB image.
        scores: ``(N,)`` float32.
        labels: ``(N,)`` int64, index into :attr:`RunLog.labels`.
        values: Key/values of the dominance message with the same stamp.
    """

    stamp_ns: int
    boxes: FloatArray
    scores: FloatArray
    labels: IntArray
    values: Mapping[str, str]

    def detections(self, image_size: tuple[int, int], threshold: float = 0.0) -> Detections:
        """The boxes of at least ``threshold``, in an image of this size."""
        keep = self.scores >= threshold
        return Detections(self.boxes[keep], self.scores[keep], self.labels[keep], image_size)

    def number(self, name: str) -> float | None:
        """A value of the dominance message, ``None`` where it is not there."""
        return float(self.values[name]) if name in self.values else None

    @property
    def present(self) -> tuple[Modality, ...]:
        """Cameras that took part."""
        return tuple(m for m in MODALITIES if m in self.values.get("present", "").split("+"))

    @property
    def dominance(self) -> DominanceReading | None:
        """The reading, ``None`` if its message was lost."""
        if "mdi" not in self.values:
            return None
        pairs = {
            name: (self.number(f"{name}_rgb") or 0.0, self.number(f"{name}_thermal") or 0.0)
            for name in ("dominance", "entropy", "sensitivity", "gate")
        }
        return DominanceReading(
            mdi=float(self.values["mdi"]),
            dominance=pairs["dominance"],
            entropy=pairs["entropy"],
            sensitivity=pairs["sensitivity"],
            gates=pairs["gate"],
            exact_mdi=self.number("exact_mdi"),
            reliance=self.reliance,
        )

    @property
    def reliance(self) -> float | None:
        """Which camera the detections rest on; ``None``: nothing was seen (NaN) or measured."""
        value = self.number("reliance")
        return None if value is None or math.isnan(value) else value


@dataclass(frozen=True, slots=True)
class SentFrame:
    """A frame the player published: its stamp then, its stamp in the recording, its lateness."""

    camera: Modality
    stamp_ns: int
    recorded_ns: int
    late_ms: float


@dataclass(slots=True)
class RunLog:
    """Everything a report is made from.

    Attributes:
        labels: Class names.
        sent: Frames published by the player, in order.
        answers: Answers in the order of their stamps.
        counts: The node's counters at the end (diagnostics).
        node: The node's other diagnostic values (engine, precision, device, model, ...).
        usage: Readings of the detector process while it worked.
        threshold: Score from which a detection is shown and counted.
        thermal_clock_offset_ns: What the node adds to thermal stamps.
        interrupted: The user stopped the run.
    """

    labels: tuple[str, ...]
    sent: list[SentFrame] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    node: dict[str, str] = field(default_factory=dict)
    usage: list[Usage] = field(default_factory=list)
    threshold: float = 0.3
    thermal_clock_offset_ns: int = 0
    interrupted: bool = False

    def recorded_stamps(self) -> dict[int, int]:
        """Answer stamp to the stamp of its frame in the recording.

        An answer without RGB carries the thermal stamp plus the clock offset.
        """
        offsets = {"rgb": 0, "thermal": self.thermal_clock_offset_ns}
        of_frame: dict[tuple[Modality, int], int] = {
            (frame.camera, frame.stamp_ns + offsets[frame.camera]): frame.recorded_ns
            for frame in self.sent
        }
        found: dict[int, int] = {}
        for answer in self.answers:
            camera: Modality = "thermal" if answer.present == ("thermal",) else "rgb"
            recorded = of_frame.get((camera, answer.stamp_ns))
            if recorded is not None:
                found[answer.stamp_ns] = recorded
        return found


def read_sent_log(path: Path) -> list[SentFrame]:
    """Read what the player wrote; a line cut off by the end of the player is left out."""
    if not path.is_file():
        return []
    frames = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            row = json.loads(line)
            frames.append(
                SentFrame(row["camera"], row["stamp_ns"], row["recorded_ns"], row["late_ms"])
            )
    return frames
