"""``mdacl evaluate``: COCO metrics of labelled pairs, fused and with either camera removed."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Result of one pass over a labelled recording.

    Attributes:
        scores: COCO averages.
        mdi: Mean per-frame estimate of the Modality Dominance Index, in [-1, 1].
        left_out: Number of objects, by class name, whose class the model does not know.
    """

    scores: DetectionScores
    mdi: float
    left_out: dict[str, int] = field(default_factory=dict)


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


def evaluate(
    perception: Perception,
    recording: Recording,
    removed: Modality | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Evaluation:
    """Score one pass.

    Args:
        perception: What is scored; its threshold should be near zero.
        recording: Labelled single images; each is judged without a past.
        removed: Camera that is taken away from every pair.
        advance: Told after each pair.

    Raises:
        RecordingError: There is no labelled pair, or no object of a class the model knows.
    """
    labels = perception.engine.labels
    metrics, readings, left_out = CocoMetrics(labels), [], Counter[str]()
    for index, (pair, truth) in enumerate(labelled_pairs(recording)):
        known, others = renumbered(truth, labels)
        left_out += others
        result = _judge(perception, pair, removed)
        metrics.add(index + 1, result.detections, known)
        readings.append(result.dominance.mdi)
        advance(1)
    scores = metrics.summarize()
    if not scores.objects:
        raise RecordingError(_nothing_scored(recording.name, len(readings), left_out, labels))
    return Evaluation(scores, float(np.mean(readings)), dict(left_out))


def _judge(perception: Perception, pair: FramePair, removed: Modality | None) -> PerceptionResult:
    """Detect in one pair without a past and without one camera; boxes stay in the RGB image."""
    perception.reset()
    if pair.rgb is not None:
        height, width = pair.rgb.image.shape[:2]
        perception.expect_rgb_size((width, height))
    if removed == "rgb":
        pair = replace(pair, rgb=None)
    elif removed == "thermal":
        pair = replace(pair, thermal=None)
    return perception.process(pair)


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
    print(table(results))
    for name, count in next(iter(results.values())).left_out.items():
        print(f"left out: {count} x {name}, a class the model does not know")
    if args.out is not None:
        values = {m: e.scores.to_json() | {"mdi": round(e.mdi, 4)} for m, e in results.items()}
        args.out.write_text(json.dumps(values, indent=2) + "\n")
    return 0


def table(results: dict[str, Evaluation]) -> str:
    """Lay the evaluations out as text, a row each."""
    names = sorted({name for e in results.values() for name in e.scores.ap50_by_class})
    head = ["", "mAP50", "mAP", *(f"AP50 {name}" for name in names), "mean MDI"]
    rows = [head]
    for mode, e in results.items():
        by_class = [f"{100 * e.scores.ap50_by_class[name]:.1f}" for name in names]
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
