"""Two reports on the same recording: what became better, what worse, and is it more than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import Detections, GroundTruth, IntArray
from mdacl_tools.scoring.bootstrap import Judged, WeightedScores, differences, interval
from mdacl_tools.scoring.frames import FRAMES_FILE, FrameRecord, read_frames
from mdacl_tools.scoring.report import Report, read_report

ANSWERED = "answered labelled frames"

DECISIVE = ("map50", "map", ANSWERED)
"""Rows whose fall makes a comparison fail."""

BLOCK_NS = 1_000_000_000
"""Frames of one second are drawn together; single images one by one."""

MIN_BLOCKS = 8
"""From fewer blocks the draws are so few that chance looks like a change."""

MAX_LOST = 0.05
"""Share of the labelled frames that may go unanswered: scores only see frames of both reports."""


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One compared number.

    Attributes:
        name: What it is.
        before: In the first report; NaN where it has none.
        after: In the second.
        low: Lower end of the interval of the difference; NaN without one.
        high: Upper end.
        verdict: ``worse`` or ``better`` where the interval excludes the tolerance, ``same`` where
            it does not; of the answered frames from :data:`MAX_LOST` on; else empty.
    """

    name: str
    before: float
    after: float
    low: float = math.nan
    high: float = math.nan
    verdict: Literal["worse", "better", "same", ""] = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows, and how many frames they rest on.

    Attributes:
        rows: What was compared.
        frames: Labelled frames of both reports.
        blocks: What was drawn; fewer than :data:`MIN_BLOCKS` give no interval of a score.
        same_files: Whether both reports are on the same files.
    """

    rows: tuple[ComparisonRow, ...]
    frames: int
    blocks: int
    same_files: bool

    @property
    def worse(self) -> bool:
        """Whether a decisive score fell by more than chance and tolerance, or frames are lost."""
        return any(row.verdict == "worse" and row.name in DECISIVE for row in self.rows)


def compare(
    before: Path,
    after: Path,
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    tolerance: float = 0.0,
) -> Comparison:
    """Compare two reports; their frames.jsonl lie beside them.

    Args:
        before: Report, or its folder.
        after: Likewise; of the same recording.
        confidence: Of the intervals.
        resamples: Draws of the bootstrap.
        seed: Of the draws.
        tolerance: A fall of a score by less than this is not worse.

    Raises:
        RecordingError: A report is unreadable, or they have no frame in common.
    """
    reports = read_report(before), read_report(after)
    names = [
        name for name in reports[0].settings["labels"] if name in reports[1].settings["labels"]
    ]
    frames, answered = _common_frames((before, after), reports, names)
    rows = [*answered, *_other_rows(*reports)]
    blocks = _blocks([stamp for stamp, _ in frames], bool(reports[0].settings["stills"]))
    judged = [item for _, item in frames]
    if judged:
        limits = {}
        if len(set(blocks)) >= MIN_BLOCKS:
            found = differences(len(names), judged, blocks, resamples, seed)
            limits = {key: interval(values, confidence) for key, values in found.items()}
        rows = [
            _row(_named(key, names), *pair, limits.get(key), tolerance)
            for key, pair in _scores(judged, names).items()
        ] + rows
    same = reports[0].recording["files"] == reports[1].recording["files"]
    return Comparison(tuple(rows), len(judged), len(set(blocks)), same)


def _common_frames(
    paths: tuple[Path, Path], reports: tuple[Report, Report], names: list[str]
) -> tuple[list[tuple[int, Judged]], list[ComparisonRow]]:
    """Stamps and contents of the labelled frames that both reports hold, classes renumbered.

    The row tells how many labelled frames each of them holds; there is none without labels.
    """
    tables = [_numbers(report, names) for report in reports]
    (stamps, records), (others, answers) = (
        _labelled(path, table) for path, table in zip(paths, tables, strict=True)
    )
    if not stamps & others:
        raise RecordingError(
            f"compare: {paths[0]} and {paths[1]} have no frame in common; wanted two reports on "
            "the same recording"
        )
    labelled = records.keys() | answers.keys()
    common = [
        (stamp, Judged(records[stamp].detections, answers[stamp].detections, truth))
        for stamp in sorted(records.keys() & answers.keys())
        if (truth := records[stamp].truth) is not None
    ]
    return common, _answered(len(labelled & stamps), len(labelled & others)) if labelled else []


def _labelled(path: Path, numbers: IntArray) -> tuple[set[int], dict[int, FrameRecord]]:
    """All stamps of a report, and its labelled frames by stamp."""
    folder = path if path.is_dir() else path.parent
    stamps, records = set(), {}
    for record in read_frames(folder / FRAMES_FILE):
        stamps.add(record.stamp_ns)
        if record.truth is not None:
            records[record.stamp_ns] = _renumbered(record, numbers)
    return stamps, records


def _numbers(report: Report, names: list[str]) -> IntArray:
    """The common number of each class of a report, -1 where the other does not know it."""
    labels = report.settings["labels"]
    return np.array([names.index(n) if n in names else -1 for n in labels], np.int64)


def _renumbered(record: FrameRecord, numbers: IntArray) -> FrameRecord:
    labels = numbers[record.labels]
    known, truth = labels >= 0, record.truth
    if truth is not None:
        classes = numbers[truth.labels]
        kept = classes >= 0
        truth = GroundTruth(truth.boxes[kept], classes[kept], truth.ignore[kept])
    found = Detections(record.boxes[known], record.scores[known], labels[known], record.image_size)
    return replace(record, boxes=found.boxes, scores=found.scores, labels=found.labels, truth=truth)


def _blocks(stamps: list[int], stills: bool) -> list[int]:
    return list(range(len(stamps))) if stills else [stamp // BLOCK_NS for stamp in stamps]


def _scores(judged: list[Judged], names: list[str]) -> dict[str, tuple[float, float]]:
    """Both detectors' scores over the common frames."""
    weights = np.ones(len(judged))
    one = WeightedScores(len(names), [(j.one, j.truth) for j in judged]).scores(weights)
    other = WeightedScores(len(names), [(j.other, j.truth) for j in judged]).scores(weights)
    return {key: (value, other[key]) for key, value in one.items()}


def _named(key: str, names: list[str]) -> str:
    head, _, number = key.partition(" ")
    return f"{head} {names[int(number)]}" if number else head


def _answered(before: int, after: int) -> list[ComparisonRow]:
    """How many labelled frames each detector answered."""
    verdict: Literal["worse", "better", "same"] = "same"
    if after < (1 - MAX_LOST) * before:
        verdict = "worse"
    elif before < (1 - MAX_LOST) * after:
        verdict = "better"
    return [ComparisonRow(ANSWERED, before, after, verdict=verdict)]


def _row(
    name: str, before: float, after: float, limits: tuple[float, float] | None, tolerance: float
) -> ComparisonRow:
    if limits is None:
        return ComparisonRow(name, before, after)
    low, high = limits
    if high < -tolerance:
        return ComparisonRow(name, before, after, low, high, "worse")
    if low > tolerance:
        return ComparisonRow(name, before, after, low, high, "better")
    return ComparisonRow(name, before, after, low, high, "same")


def _other_rows(one: Report, other: Report) -> list[ComparisonRow]:
    """Numbers without an interval: other modes, dominance, flicker."""
    rows = [
        ComparisonRow(
            f"map50, {mode}", _value(one.scores[mode].map50), _value(other.scores[mode].map50)
        )
        for mode in one.scores
        if mode != "fused" and mode in other.scores
    ]
    pairs = [
        ("mean MDI", one.mdi["mean"], other.mdi["mean"]),
        (
            "detections per frame",
            one.detections_per_frame["mean"],
            other.detections_per_frame["mean"],
        ),
        ("flicker", one.flicker["share"], other.flicker["share"]),
    ]
    return rows + [ComparisonRow(name, _value(a), _value(b)) for name, a, b in pairs]


def _value(number: float | None) -> float:
    return math.nan if number is None else number
