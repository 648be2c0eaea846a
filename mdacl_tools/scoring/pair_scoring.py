"""Score a detector on labelled pairs, as they are or changed on the way.

clean = evaluate(perception, recording)
darker = evaluate(perception, recording, change=lambda index, pair: darkened(pair))
night = clean.parts["night"].scores.map50   # where the recording tells day from night
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.pipeline.perception import Perception
from mdacl_ros.types import (
    LABELS,
    Frame,
    FramePair,
    GroundTruth,
    Modality,
    PerceptionResult,
)
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.scoring.coco_metrics import CocoMetrics, DetectionScores

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


def equal_stamps(recording: Recording) -> Iterator[FramePair]:
    """Pairs of equal stamp, in order."""
    newest: dict[Modality, Frame] = {}
    for event in recording:
        newest[event.camera] = event.frame
        rgb, thermal = newest.get("rgb"), newest.get("thermal")
        if rgb is not None and thermal is not None and rgb.stamp_ns == thermal.stamp_ns:
            yield FramePair(rgb, thermal, rgb.stamp_ns)


def labelled_pairs(recording: Recording) -> Iterator[tuple[FramePair, GroundTruth]]:
    """Pairs of equal stamp with their ground truth, in order; pairs without one are left out."""
    for pair in equal_stamps(recording):
        truth = recording.truth(pair.stamp_ns)
        if truth is not None:
            yield pair, truth


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
    labels, part_of = perception.engine.labels, part_finder(recording)
    whole, parts = _Tally(labels), dict[str, _Tally]()
    for index, (pair, truth) in enumerate(labelled_pairs(recording)):
        changed = change(index, pair)
        if removed is not None:
            changed = without(removed)(index, changed)
        result = judge(perception, pair, changed, probe)
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


def part_finder(recording: Recording) -> Callable[[int], str | None]:
    """Name of the part of a recording that a stamp lies in, ``None`` where nothing is known."""
    phases = sorted(recording.phases, key=lambda phase: phase.start_ns)
    starts = [phase.start_ns for phase in phases]

    def part_of(stamp_ns: int) -> str | None:
        phase = phases[max(bisect_right(starts, stamp_ns) - 1, 0)] if phases else None
        inside = phase is not None and phase.start_ns <= stamp_ns < phase.end_ns
        return phase.name if phase is not None and inside else None

    return part_of


def judge(
    perception: Perception, pair: FramePair, changed: FramePair, probe: bool = False
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
