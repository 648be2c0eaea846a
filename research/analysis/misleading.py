"""What a detector makes of pairs in which one camera misleads.

found = collected(perception, recording, misled("rgb_decoys", recording))
print(at_recall(found, 0.6).per_image)
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mdacl_ros.boxes import iou_matrix
from mdacl_ros.pipeline.perception import Perception
from mdacl_ros.types import Detections, FloatArray, FramePair, GroundTruth
from mdacl_tools.learning.misleading import MISLEADING, LabelledScene, mislead
from mdacl_tools.scoring.boxes import pair_up
from mdacl_tools.scoring.coco_metrics import CocoMetrics
from mdacl_tools.scoring.in_memory import MemoryRecording
from mdacl_tools.scoring.pair_scoring import Change, judge, labelled_pairs, renumbered
from mdacl_tools.util.numbers import rounded

KindScores = dict[str, float | None]
"""Of one kind: ``map50``, ``false_positives`` an image, ``recall``."""

MATCH = 0.5
"""IoU from which a detection finds an object of its class."""

RECALL = 0.5
"""Share of the objects at which the false positives of detectors are compared."""

IGNORED = 0.3
"""IoU with an ignore region beyond which a detection is neither right nor wrong."""


@dataclass(frozen=True, slots=True)
class FalsePositives:
    """False positives of a detector that finds a given share of the objects.

    Attributes:
        per_image: Mean number; NaN where the recall is not reached at any score.
        threshold: Score from which detections count to reach it.
        recall: The largest recall at any score.
    """

    per_image: float
    threshold: float
    recall: float


def misled(kind: str, recording: MemoryRecording, seed: int = 0) -> Change:
    """Let one camera of every pair mislead, with the pair half a recording away as other scene.

    Args:
        kind: Key of :data:`mdacl_tools.learning.misleading.MISLEADING`.
        recording: The pairs; thermal 8-bit.
        seed: Seed of all draws.
    """
    pairs = list(labelled_pairs(recording))
    camera = MISLEADING[kind].camera

    def change(index: int, pair: FramePair) -> FramePair:
        rng = np.random.default_rng((seed, zlib.crc32(kind.encode()), index))
        other, truth = pairs[(index + len(pairs) // 2) % len(pairs)]
        assert other.rgb is not None
        assert other.thermal is not None
        boxes = truth.boxes[~truth.ignore]
        scene = LabelledScene(other.rgb.image, _unit(other.thermal.image), boxes)
        if camera == "rgb":
            assert pair.rgb is not None
            image = mislead(kind, pair.rgb.image, scene, rng)
            return replace(pair, rgb=replace(pair.rgb, image=image))
        assert pair.thermal is not None
        image = mislead(kind, _unit(pair.thermal.image), scene, rng)
        levels = np.rint(image * 255).astype(np.uint8)
        return replace(pair, thermal=replace(pair.thermal, image=levels))

    return change


def _unit(thermal: np.ndarray) -> FloatArray:
    return thermal.astype(np.float32) / np.float32(255)


def collected(
    perception: Perception,
    recording: MemoryRecording,
    change: Change = lambda _, pair: pair,
) -> list[tuple[Detections, GroundTruth]]:
    """Detections and truth, in the model's classes, of every changed pair.

    Args:
        perception: What is judged; its threshold should be near zero.
        recording: Labelled pairs.
        change: Done to every pair.
    """
    labels = perception.engine.labels
    return [
        (judge(perception, pair, change(index, pair)).detections, renumbered(truth, labels)[0])
        for index, (pair, truth) in enumerate(labelled_pairs(recording))
    ]


def misleading_scores(
    perception: Perception,
    recording: MemoryRecording,
    kinds: Sequence[str],
    recall: float = RECALL,
    tell: Callable[[str, KindScores], None] = lambda _kind, _scores: None,
) -> dict[str, KindScores]:
    """Scores of the unchanged pairs (``intact``) and with one camera misleading, by kind.

    Args:
        perception: What is judged; its threshold should be near zero.
        recording: Labelled pairs.
        kinds: Keys of :data:`mdacl_tools.learning.misleading.MISLEADING`.
        recall: At which false positives are counted.
        tell: Given each kind's scores as they come.

    Returns:
        ``map50`` in [0, 1]; ``false_positives`` an image at ``recall``, ``None`` where it is not
        reached; ``recall``, the largest at any score.
    """
    changes: dict[str, Change] = {"intact": lambda _, pair: pair}
    changes |= {kind: misled(kind, recording) for kind in kinds}
    scores: dict[str, KindScores] = {}
    for kind, change in changes.items():
        found = collected(perception, recording, change)
        wrong = at_recall(found, recall)
        scores[kind] = {
            "map50": rounded(_map50(found, perception.engine.labels)),
            "false_positives": rounded(wrong.per_image),
            "recall": rounded(wrong.recall),
        }
        tell(kind, scores[kind])
    return scores


def _map50(found: Sequence[tuple[Detections, GroundTruth]], labels: Sequence[str]) -> float:
    metrics = CocoMetrics(labels)
    for number, (detections, truth) in enumerate(found, 1):
        metrics.add(number, detections, truth)
    return metrics.summarize().map50


def at_recall(found: Sequence[tuple[Detections, GroundTruth]], recall: float) -> FalsePositives:
    """False positives at the highest score from which ``recall`` of the objects are found.

    Detections are matched best first to objects of their class; those that lie on ignore regions
    count as neither.

    Args:
        found: Detections and truth of every image.
        recall: In (0, 1].
    """
    scores, right, objects = [], [], 0
    for detections, truth in found:
        objects += int((~truth.ignore).sum())
        for score, verdict in _matched(detections, truth):
            scores.append(score)
            right.append(verdict)
    order = np.argsort(-np.array(scores), kind="stable")
    hits = np.array(right, bool)[order].cumsum()
    wanted = max(1, int(np.ceil(recall * objects)))
    most = float(hits[-1]) / max(1, objects) if len(hits) else 0.0
    reached = np.flatnonzero(hits >= wanted)
    if not len(reached):
        return FalsePositives(float("nan"), 0.0, most)
    last = int(reached[0])
    wrong = last + 1 - int(hits[last])
    return FalsePositives(wrong / len(found), float(np.array(scores)[order][last]), most)


def _matched(detections: Detections, truth: GroundTruth) -> list[tuple[float, bool]]:
    """Score and whether it found an object, of each detection that counts."""
    boxes, labels = truth.boxes[~truth.ignore], truth.labels[~truth.ignore]
    chosen = pair_up(detections.boxes, detections.labels, boxes, labels, MATCH)
    ignored = iou_matrix(detections.boxes, truth.boxes[truth.ignore]).max(1, initial=0) > IGNORED
    return [
        (float(score), bool(partner >= 0))
        for score, partner, nobody in zip(detections.scores, chosen, ignored, strict=True)
        if partner >= 0 or not nobody
    ]
