"""Reliance: which camera a frame's detections rest on, by leaving out each camera. Ours.

The cameras are two players who share the detection evidence S: what each adds to nothing and to the
other, averaged (the Shapley value). With nothing seen without cameras, and phi_rgb + phi_thermal =
S(both), it comes to

    reliance = (S(rgb) - S(thermal)) / S(both), clipped to [-1, 1].

S is the sum over distinct boxes of what their score has above :data:`NOISE`. It follows the number
of true detections of all three modes (docs/dominance.md); the plain sum of scores would count a
hundred boxes of background.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdacl_ros.boxes import iou_matrix
from mdacl_ros.pipeline.duplicates import without_duplicates
from mdacl_ros.types import FloatArray, IntArray, Predictions

NOISE = 0.1
"""Score up to which a box is no evidence."""

LEAST_EVIDENCE = 0.2
"""Evidence below which nothing is seen: that of one detection with score 0.3."""

SAME_OBJECT = 0.5
"""IoU from which a box of one camera alone is the same object."""

LEAST_HOLD_S = 1.0
"""Seconds that a measurement holds, and over which the alarm averages, at 2.5 Hz and more."""


@dataclass(frozen=True, slots=True)
class Reliance:
    """One measurement.

    Attributes:
        value: In [-1, 1]: +1 RGB alone, -1 thermal alone; ``None``: nothing is seen.
        evidence: S with both cameras, with rgb alone, with thermal alone.
    """

    value: float | None
    evidence: tuple[float, float, float]


def measure_reliance(
    raw: Predictions, present: tuple[bool, bool], duplicate_iou: float
) -> Reliance | None:
    """Measure the reliance of one frame; ``None`` where the probe did not run and both took part.

    Args:
        raw: Predictions of one pair (batch 1).
        present: Which cameras took part; with one of them nothing has to be measured.
        duplicate_iou: Overlap above which a box repeats a better one.
    """
    if not all(present):
        both = evidence(raw.boxes[0], raw.scores[0], raw.labels[0], duplicate_iou)
        rgb, thermal = both * present[0], both * present[1]
        return Reliance(reliance_of(both, rgb, thermal), (both, rgb, thermal))
    if raw.alone_boxes is None or raw.alone_scores is None or raw.alone_labels is None:
        return None
    both = evidence(raw.boxes[0], raw.scores[0], raw.labels[0], duplicate_iou)
    rgb, thermal = (
        evidence(boxes, scores, labels, duplicate_iou)
        for boxes, scores, labels in zip(
            raw.alone_boxes[0], raw.alone_scores[0], raw.alone_labels[0], strict=True
        )
    )
    return Reliance(reliance_of(both, rgb, thermal), (both, rgb, thermal))


def evidence(
    boxes: FloatArray, scores: FloatArray, labels: IntArray, duplicate_iou: float
) -> float:
    """Detection evidence S >= 0 of ``(N, 4)`` boxes with ``(N,)`` scores, best first."""
    kept = without_duplicates(boxes, scores, labels, scores > NOISE, duplicate_iou)
    return float((scores[kept] - NOISE).sum())


def reliance_of(both: float, rgb: float, thermal: float) -> float | None:
    """Reliance in [-1, 1] from the evidence of three modes; ``None``: nothing is seen."""
    if both < LEAST_EVIDENCE:
        return None
    return float(np.clip((rgb - thermal) / both, -1.0, 1.0))


def exact_rgb_shares(raw: Predictions) -> FloatArray | None:
    """How much of each box rests on RGB, by the fall of its own score without each camera.

    The same two-player share: ``1/2 + (s_rgb - s_thermal) / (2 s)`` with s_m the score of the best
    box of the same class that overlaps it, with camera m alone.

    Args:
        raw: Predictions of one pair (batch 1).

    Returns:
        ``(N,)`` float32 in [0, 1]; ``None`` unless the probe ran.
    """
    alone = scores_alone(raw)
    if alone is None:
        return None
    scores = np.maximum(raw.scores[0], np.float32(1e-6))
    return np.clip(0.5 + (alone[0] - alone[1]) / (2 * scores), 0, 1).astype(np.float32)


def scores_alone(raw: Predictions) -> FloatArray | None:
    """Score of each box's object with rgb alone and with thermal alone, ``(2, N)``; 0: not seen."""
    if raw.alone_boxes is None or raw.alone_scores is None or raw.alone_labels is None:
        return None
    found = np.zeros(raw.alone_scores.shape[1:], np.float32)
    for camera in range(2):
        same = iou_matrix(raw.boxes[0], raw.alone_boxes[0, camera]) >= SAME_OBJECT
        same &= raw.labels[0][:, None] == raw.alone_labels[0, camera]
        found[camera] = np.where(same, raw.alone_scores[0, camera], 0).max(1)
    return found


def hold_s(rate: float) -> float:
    """Seconds that a measurement holds: until two more of ``rate`` a second did not arrive."""
    return max(LEAST_HOLD_S, 2.5 / rate) if rate > 0 else LEAST_HOLD_S


class HeldReliance:
    """The newest measurement, for the frames between two of them."""

    def __init__(self) -> None:
        self._value: float | None = None
        self._present, self._stamp_ns = (False, False), 0

    def update(
        self,
        measured: Reliance | None,
        present: tuple[bool, bool],
        stamp_ns: int,
        held_s: float = LEAST_HOLD_S,
    ) -> float | None:
        """Take a frame's measurement, if there is one, and return what holds now.

        Args:
            measured: Of this frame.
            present: Which cameras took part: a measurement of others no longer holds.
            stamp_ns: Of this frame.
            held_s: Seconds that a measurement holds, see :func:`hold_s`.
        """
        if measured is not None:
            self._value, self._present, self._stamp_ns = measured.value, present, stamp_ns
        elif present != self._present or not 0 <= stamp_ns - self._stamp_ns <= held_s * 1e9:
            self._value = None
        return self._value
