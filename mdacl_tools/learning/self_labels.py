"""Self-training: a detector labels recordings that nobody has labelled.

A box is kept where the detector says the same of the pair and of its mirror image; what it is less
sure of becomes an ignore region, so that the student is neither taught it nor punished for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mdacl_ros.boxes import iou_matrix
from mdacl_ros.pipeline.perception import Perception
from mdacl_ros.types import Detections, FloatArray, Frame, FramePair, GroundTruth, IntArray

AGREEMENT_IOU = 0.6
"""Overlap from which a box and a mirrored one are the same object."""

ALONE = 0.5
"""Factor on the score of a box that only one of the two views gives."""


@dataclass(frozen=True, slots=True)
class LabelThresholds:
    """When an answer becomes a label; scores in [0, 1].

    Attributes:
        sure: From this score on it is an object.
        doubtful: From this score on, below ``sure``, it is an ignore region.
    """

    sure: float = 0.5
    doubtful: float = 0.15


def label_pair(perception: Perception, pair: FramePair, thresholds: LabelThresholds) -> GroundTruth:
    """Label one registered pair.

    Args:
        perception: The teacher; its score threshold must not be above ``doubtful``.
        pair: Both frames, RGB in the pixels of the labels.
        thresholds: When an answer becomes a label.

    Returns:
        Boxes in RGB pixels.
    """
    assert pair.rgb is not None
    width = pair.rgb.image.shape[1]
    seen = perception.process(pair).detections
    perception.reset()
    mirrored = perception.process(mirror_pair(pair)).detections
    perception.reset()
    boxes, scores, labels = agree(seen, mirror_detections(mirrored, width))
    keep = scores >= thresholds.doubtful
    return GroundTruth(boxes[keep], labels[keep], scores[keep] < thresholds.sure)


def mirror_pair(pair: FramePair) -> FramePair:
    """The pair seen in a mirror, left for right."""
    return replace(pair, rgb=_mirror(pair.rgb), thermal=_mirror(pair.thermal))


def _mirror(frame: Frame | None) -> Frame | None:
    if frame is None:
        return None
    return replace(frame, image=np.ascontiguousarray(frame.image[:, ::-1]))


def mirror_detections(detections: Detections, width: int) -> Detections:
    """Bring detections of a mirrored image back.

    Args:
        detections: Boxes xyxy in pixels.
        width: Of the image.
    """
    x0, y0, x1, y1 = detections.boxes.T
    return replace(detections, boxes=np.stack([width - x1, y0, width - x0, y1], 1))


def agree(a: Detections, b: Detections) -> tuple[FloatArray, FloatArray, IntArray]:
    """Join two views of one scene: mean box and score where they agree, a lower score elsewhere.

    Each box finds at most one partner of its class, the best scores choosing first.

    Returns:
        boxes ``(N, 4)``, scores ``(N,)``, labels ``(N,)``.
    """
    free = np.ones(len(b.boxes), bool)
    boxes, scores, labels = [], [], []
    for i in np.argsort(-a.scores):
        overlap = iou_matrix(a.boxes[i : i + 1], b.boxes)[0] * (free & (b.labels == a.labels[i]))
        j = int(overlap.argmax()) if len(overlap) else -1
        if j >= 0 and overlap[j] >= AGREEMENT_IOU:
            free[j] = False
            boxes.append((a.boxes[i] + b.boxes[j]) / 2)
            scores.append((a.scores[i] + b.scores[j]) / 2)
        else:
            boxes.append(a.boxes[i])
            scores.append(a.scores[i] * ALONE)
        labels.append(a.labels[i])
    return (
        np.array([*boxes, *b.boxes[free]], np.float32).reshape(-1, 4),
        np.array([*scores, *(b.scores[free] * ALONE)], np.float32),
        np.array([*labels, *b.labels[free]], np.int64),
    )
