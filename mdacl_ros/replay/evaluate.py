"""``mdacl evaluate``: COCO metrics of labelled pairs, fused and with either camera removed.

clean = evaluate(perception, recording)
darker = evaluate(perception, recording, change=lambda index, pair: darkened(pair))
night = clean.parts["night"].scores.map50   # where the recording tells day from night
"""

from __future__ import annotations

import argparse
import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.perception import Perception, PerceptionConfig, build_perception
from mdacl_ros.replay.metrics import CocoMetrics, DetectionScores
from mdacl_ros.replay.progress import progress_bar
from mdacl_ros.replay.recording import Recording, open_recording
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.build_command import progress_printer
from mdacl_ros.types import (
    LABELS,
    Frame,
    FramePair,
    GroundTruth,
    Modality,
    PerceptionResult,
)

MODES: dict[str, Modality | None] = {
    "fused": None,
    "rgb absent": "rgb",
    "thermal absent": "thermal",
}
"""What is printed, and which camera is taken away for it."""

SCORE_FLOOR = 0.001
"""Detections below it cannot change an average precision noticeably."""

Change = Callable[[int, FramePair], FramePair]
"""What is done to a pair before it is judged, given its number in the recording from 0."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Result of one pass over a labelled recording.

    Attributes:
        scores: COCO averages.
        mdi: Mean per-frame estimate of the Modality Dominance Index, in [-1, 1].
        left_out: Number of objects, by class name, whose class the model does not know.
        readings: Per-frame estimate of every pair, in order.
        exact_readings: Exact index of every pair, in order; empty unless probed.
        parts: The same for each named part of the recording (``day``, ``night``, ``smoke``) that
            holds a scored object; empty where the recording knows fewer than two parts.
    """

    scores: DetectionScores
    mdi: float
    left_out: dict[str, int] = field(default_factory=dict)
    readings: tuple[float, ...] = ()
    exact_readings: tuple[float, ...] = ()
    parts: dict[str, Evaluation] = field(default_factory=dict)


def labelled_pairs(recording: Recording) -> Iterator[tuple[FramePair, GroundTruth]]:
    """Pairs of equal stamp with their ground truth, in order; pairs without one are left out."""
    newest: dict[Modality, Frame] = {}
    for event in recording:
        newest[event.camera] = event.frame
        rgb, thermal = newest.get("rgb"), newest.get("thermal")
        if rgb is None or thermal is None or rgb.stamp_ns != thermal.stamp_ns:
            continue
        truth = recording.truth(rgb.stamp_ns)
        if truth is not None:
            yield FramePair(rgb, thermal, rgb.stamp_ns), truth


def renumbered(truth: GroundTruth, labels: Sequence[str]) -> tuple[GroundTruth, Counter[str]]:
    """Number the classes of a truth as a model does, by their names.

    Args:
        truth: Labels are indices into :data:`LABELS`.
        labels: The model's class names.

    Returns:
        The objects whose class the model knows, and how many others there are by class name.
    """
    names = [name.lower() for name in labels]
    index = np.array([names.index(name) if name in names else -1 for name in LABELS], np.int64)
    numbers = index[truth.labels]
    known = numbers >= 0
    others = Counter(LABELS[i] for i in truth.labels[~known & ~truth.ignore])
    return GroundTruth(truth.boxes[known], numbers[known], truth.ignore[known]), others


def without(camera: Modality) -> Change:
    """Take one camera's frame away from every pair."""
    return lambda _, pair: (
        replace(pair, rgb=None) if camera == "rgb" else replace(pair, thermal=None)
    )


def evaluate(
    perception: Perception,
    recording: Recording,
    removed: Modality | None = None,
    advance: Callable[[int], None] = lambda _: None,
    change: Change = lambda _, pair: pair,
    probe: bool = False,
) -> Evaluation:
    """Score one pass.

    Args:
        perception: What is scored; its threshold should be near zero.
        recording: Labelled single images; each is judged without a past.
        removed: Camera that is taken away from every pair, after ``change``.
        advance: Told after each pair.
        change: Done to every pair; boxes stay in the pixels of the unchanged RGB image.
        probe: Also measure the exact index of every pair (about three times the cost).

    Raises:
        RecordingError: There is no labelled pair, or no object of a class the model knows.
    """
    labels, part_of = perception.engine.labels, _part_finder(recording)
    whole, parts = _Tally(labels), dict[str, _Tally]()
    for index, (pair, truth) in enumerate(labelled_pairs(recording)):
        changed = change(index, pair)
        if removed is not None:
            changed = without(removed)(index, changed)
        result = _judge(perception, pair, changed, probe)
        whole.add(result, truth)
        if (part := part_of(pair.stamp_ns)) is not None:
            parts.setdefault(part, _Tally(labels)).add(result, truth)
        advance(1)
    evaluation = whole.summarize()
    if not evaluation.scores.objects:
        seen = len(evaluation.readings)
        raise RecordingError(_nothing_scored(recording.name, seen, evaluation.left_out, labels))
    apart = {name: tally.summarize() for name, tally in parts.items()} if len(parts) > 1 else {}
    return replace(
        evaluation, parts={name: part for name, part in apart.items() if part.scores.objects}
    )


class _Tally:
    """Collects the answers of one pass, or of one part of it."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels, self._metrics = labels, CocoMetrics(labels)
        self._left_out = Counter[str]()
        self._readings: list[float] = []
        self._exact: list[float] = []

    def add(self, result: PerceptionResult, truth: GroundTruth) -> None:
        """Add the answer for one pair."""
        known, others = renumbered(truth, self._labels)
        self._left_out += others
        self._metrics.add(self._metrics.images + 1, result.detections, known)
        self._readings.append(result.dominance.mdi)
        if result.dominance.exact_mdi is not None:
            self._exact.append(result.dominance.exact_mdi)

    def summarize(self) -> Evaluation:
        """Score what was added."""
        return Evaluation(
            self._metrics.summarize(),
            float(np.mean(self._readings)) if self._readings else math.nan,
            dict(self._left_out),
            tuple(self._readings),
            tuple(self._exact),
        )


def _part_finder(recording: Recording) -> Callable[[int], str | None]:
    """Name of the part of a recording that a stamp lies in, ``None`` where nothing is known."""
    phases = sorted(recording.phases, key=lambda phase: phase.start_ns)
    starts = [phase.start_ns for phase in phases]

    def part_of(stamp_ns: int) -> str | None:
        phase = phases[max(bisect_right(starts, stamp_ns) - 1, 0)] if phases else None
        inside = phase is not None and phase.start_ns <= stamp_ns < phase.end_ns
        return phase.name if phase is not None and inside else None

    return part_of


def _judge(
    perception: Perception, pair: FramePair, changed: FramePair, probe: bool
) -> PerceptionResult:
    """Detect in one changed pair without a past; boxes stay in the unchanged RGB image."""
    perception.reset()
    if pair.rgb is not None:
        height, width = pair.rgb.image.shape[:2]
        perception.expect_rgb_size((width, height))
    return perception.process(changed, probe=probe)


def _nothing_scored(
    name: str, pairs: int, left_out: Mapping[str, int], labels: Sequence[str]
) -> str:
    """Why there is no score."""
    if pairs == 0:
        return (
            f"recording {name}: got no pair of RGB and thermal images with one stamp and ground "
            "truth, wanted one at least; give thermal the RGB stamps, or check the stamps of the "
            "truth"
        )
    return (
        f"recording {name}: its truth holds {dict(left_out) or 'no object'}, wanted objects of the "
        f"model's classes {', '.join(labels)}; check the names of the categories or give --model"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("path", type=Path, help="data-set folder, or its COCO json")
    parser.add_argument("--model", type=Path, default=None, help="model folder (default: shipped)")
    parser.add_argument("--engine", default="openvino", help="openvino or torch")
    parser.add_argument("--precision", default="float32", help="float32 or bf16")
    parser.add_argument("--fused-only", action="store_true", help="leave out the absent cameras")
    parser.add_argument("--out", type=Path, default=None, help="also write the scores as JSON")


def run(args: argparse.Namespace) -> int:
    """Score a data set and print a table."""
    recording = open_recording(args.path)
    if not recording.has_truth:
        raise RecordingError(f"{args.path}: has no ground truth to score against")
    perception = build_perception(
        args.model or find_resource("models/small"),
        args.engine,
        args.precision,
        config=PerceptionConfig(score_threshold=SCORE_FLOOR),
        progress=progress_printer(),
    )
    modes = ("fused",) if args.fused_only else tuple(MODES)
    results = {}
    for mode in modes:
        with progress_bar(mode, recording.frames.get("rgb", 0)) as advance:
            results[mode] = evaluate(perception, recording, MODES[mode], advance)
    print(table(rows_with_parts(results)))
    for name, count in next(iter(results.values())).left_out.items():
        print(f"left out: {count} x {name}, a class the model does not know")
    if args.out is not None:
        values = {mode: to_json(e) for mode, e in results.items()}
        args.out.write_text(json.dumps(values, indent=2) + "\n")
    return 0


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Scores and mean index, with those of the parts under ``parts`` where there are any."""
    values = evaluation.scores.to_json() | {"mdi": round(evaluation.mdi, 4)}
    if evaluation.parts:
        values["parts"] = {name: to_json(part) for name, part in evaluation.parts.items()}
    return values


def rows_with_parts(results: Mapping[str, Evaluation]) -> dict[str, Evaluation]:
    """Each evaluation followed by its parts, as rows of :func:`table`."""
    rows = {}
    for mode, evaluation in results.items():
        rows[mode] = evaluation
        rows |= {f"{mode}, {name}": part for name, part in evaluation.parts.items()}
    return rows


def table(results: dict[str, Evaluation]) -> str:
    """Lay the evaluations out as text, a row each."""
    names = sorted({name for e in results.values() for name in e.scores.ap50_by_class})
    head = ["", "mAP50", "mAP", *(f"AP50 {name}" for name in names), "mean MDI"]
    rows = [head]
    for mode, e in results.items():
        by_class = [_percent(e.scores.ap50_by_class.get(name)) for name in names]
        rows.append(
            [
                mode,
                f"{100 * e.scores.map50:.1f}",
                f"{100 * e.scores.map:.1f}",
                *by_class,
                f"{e.mdi:+.2f}",
            ]
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows
    )


def _percent(value: float | None) -> str:
    """A share in percent; a dash where a part holds no object of the class."""
    return "-" if value is None else f"{100 * value:.1f}"
