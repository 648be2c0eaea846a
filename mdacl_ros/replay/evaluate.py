"""``mdacl evaluate``: COCO metrics of labelled pairs, fused and with either camera removed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.perception import Perception, PerceptionConfig, build_perception
from mdacl_ros.replay.metrics import CocoMetrics, DetectionScores
from mdacl_ros.replay.progress import progress_bar
from mdacl_ros.replay.recording import Recording, open_recording
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.build_command import progress_printer
from mdacl_ros.types import FramePair, GroundTruth, Modality

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
    """

    scores: DetectionScores
    mdi: float


def labelled_pairs(recording: Recording) -> Iterator[tuple[FramePair, GroundTruth]]:
    """Pairs of equal stamp with their ground truth, in order; pairs without one are left out."""
    waiting: FramePair | None = None
    for event in recording:
        if event.camera == "rgb":
            waiting = FramePair(event.frame, None, event.frame.stamp_ns)
        elif waiting is not None and event.frame.stamp_ns == waiting.stamp_ns:
            truth = recording.truth(waiting.stamp_ns)
            if truth is not None:
                yield replace(waiting, thermal=event.frame), truth
            waiting = None


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
    """
    metrics, readings = CocoMetrics(perception.engine.labels), []
    for index, (pair, truth) in enumerate(labelled_pairs(recording)):
        perception.reset()
        shown = pair
        if removed == "rgb":
            shown = replace(pair, rgb=None)
        elif removed == "thermal":
            shown = replace(pair, thermal=None)
        result = perception.process(shown)
        metrics.add(index + 1, result.detections, truth)
        readings.append(result.dominance.mdi)
        advance(1)
    return Evaluation(metrics.summarize(), float(np.mean(readings)) if readings else float("nan"))


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
        with progress_bar(mode, recording.frames["rgb"]) as advance:
            results[mode] = evaluate(perception, recording, MODES[mode], advance)
    print(table(results))
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
