"""``report.json``: the result of evaluating one recording; its schema is in docs/evaluation.md.

report = read_report(folder)
print(report.verdict.level, report.scores["fused"].map50)
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from mdacl_ros.errors import RecordingError
from mdacl_ros.whole_file import write_whole

SCHEMA, VERSION = "mdacl_ros/report", 1
REPORT_FILE = "report.json"

Level = Literal["ok", "warn", "bad"]
Box = list[Any]
"""``[x0, y0, x1, y1, score, label]`` of a detection, ``[x0, y0, x1, y1, label]`` of an object."""


@dataclass(frozen=True, slots=True)
class ModeScores:
    """Scores of one mode (``fused``, ``rgb absent``, ...) in [0, 1]; ``None`` where undefined.

    Attributes:
        map50: AP at IoU 0.50 averaged over classes.
        map: AP over IoU 0.50:0.95 and classes.
        ap50_by_class: AP at IoU 0.50 by class name.
        map_by_class: AP over IoU 0.50:0.95 by class name.
        lamr: Log-average miss rate of persons by set: ``reasonable``, and ``day`` and ``night``
            where the recording tells them apart.
        ap_by_size: ``small``, ``medium``, ``large`` (COCO's areas) to ``{ap50, ap, objects}``.
        ap_by_height: Bins of box height in pixels, e.g. ``"32-64"``, to the same.
        parts: Parts of the recording (``day``, ``night``, ``smoke``) to ``{map50, map,
            ap50_by_class, images, objects, mdi}``.
        images: Frames scored.
        objects: Objects by class name, ignored ones not counted.
        mdi: Mean index over the scored frames.
    """

    map50: float | None
    map: float | None
    ap50_by_class: dict[str, float] = field(default_factory=dict)
    map_by_class: dict[str, float] = field(default_factory=dict)
    lamr: dict[str, float | None] = field(default_factory=dict)
    ap_by_size: dict[str, dict[str, Any]] = field(default_factory=dict)
    ap_by_height: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    images: int = 0
    objects: dict[str, int] = field(default_factory=dict)
    mdi: float | None = None


@dataclass(frozen=True, slots=True)
class EventSpan:
    """Something that went on for a while; stamps of its first and last frame."""

    name: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class WorstFrame:
    """A frame to look at.

    Attributes:
        index: Its number in ``frames.jsonl``.
        stamp_ns: Its stamp.
        cost: What it was ranked by: summed height of missed objects in pixels, or summed score of
            false alarms.
        boxes: The missed objects, or the false alarms.
    """

    index: int
    stamp_ns: int
    cost: float
    boxes: list[Box]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result in words.

    Attributes:
        level: ``ok``; ``warn``: look at it; ``bad``: do not use it as it is.
        sentences: Plain sentences, the most important first.
    """

    level: Level
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All of ``report.json``; see docs/evaluation.md for the keys of the plain dictionaries.

    Attributes:
        recording: What was evaluated.
        settings: With what; two reports with equal settings may be compared.
        counts: Where the frames went.
        scores: By mode; empty without ground truth.
        mdi: Mean, percentiles, by part.
        events: In the order of their starts.
        histograms: ``skew_ms``: ``{edges, counts}``, and others alike.
        detections_per_frame: At the threshold: mean, max, by class, histogram.
        flicker: Shares of detections that vanish and return, or appear for one frame.
        worst: ``misses`` and ``false_alarms``, worst first.
        verdict: The result in words.
        timing: Everything measured by the wall clock: the only part that differs between runs.
    """

    recording: dict[str, Any]
    settings: dict[str, Any]
    counts: dict[str, Any]
    scores: dict[str, ModeScores]
    mdi: dict[str, Any]
    events: tuple[EventSpan, ...]
    histograms: dict[str, Any]
    detections_per_frame: dict[str, Any]
    flicker: dict[str, Any]
    worst: dict[str, tuple[WorstFrame, ...]]
    verdict: Verdict
    timing: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain values, with schema and version."""
        return {"schema": SCHEMA, "version": VERSION} | asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Report:
        """What :meth:`to_json` gave.

        Raises:
            KeyError: A field is missing.
            TypeError: A field is of the wrong kind.
        """
        plain = {f.name: values[f.name] for f in fields(cls)}
        return cls(
            **plain
            | {
                "scores": {mode: ModeScores(**s) for mode, s in values["scores"].items()},
                "events": tuple(EventSpan(**event) for event in values["events"]),
                "worst": {
                    kind: tuple(WorstFrame(**frame) for frame in frames)
                    for kind, frames in values["worst"].items()
                },
                "verdict": Verdict(
                    values["verdict"]["level"], tuple(values["verdict"]["sentences"])
                ),
            }
        )


def write_report(report: Report, folder: Path) -> Path:
    """Write ``report.json`` into a folder, whole or not at all."""
    return write_json(folder / REPORT_FILE, report.to_json())


def write_json(path: Path, values: Any) -> Path:
    """Write json under a name of its own first, then rename: never half a file."""
    return write_whole(path, json.dumps(values, indent=1, allow_nan=False) + "\n")


def read_report(path: Path) -> Report:
    """Read a report from its file or its folder.

    Raises:
        RecordingError: It is missing, no report, or of a version this package does not know.
    """
    file = path / REPORT_FILE if path.is_dir() else path
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordingError(
            f"report {file}: cannot be read ({error.strerror}); give a report.json that "
            "`mdacl evaluate` wrote"
        ) from error
    except ValueError as error:
        raise RecordingError(f"report {file}: not JSON ({error}); evaluate again") from error
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise RecordingError(
            f"report {file}: not a report; wanted the schema {SCHEMA}, as `mdacl evaluate BAG` "
            "writes it"
        )
    if values.get("version") != VERSION:
        raise RecordingError(
            f"report {file}: version {values.get('version')}, wanted {VERSION}; evaluate again "
            "with this package"
        )
    try:
        return Report.from_json(values)
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordingError(f"report {file}: damaged ({error}); evaluate again") from error
