"""The missing ladder: what is left as ever more frames lose one camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mdacl_ros.pipeline.perception import Perception
from mdacl_ros.types import MODALITIES, FramePair, Modality, other_camera
from mdacl_tools.scoring.in_memory import MemoryRecording
from mdacl_tools.scoring.pair_scoring import Change, Evaluation, evaluate, without
from mdacl_tools.util.numbers import rounded

RUNGS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the frames that lose the camera."""


@dataclass(frozen=True, slots=True)
class RemovalRow:
    """One rung.

    Attributes:
        camera: The camera that is missing.
        missing: Share of the frames without it, in [0, 1].
        map50: AP at IoU 0.50 averaged over classes, in [0, 1].
        map: AP averaged over IoU 0.50:0.95 and classes.
        mdi: Mean per-frame estimate of the Modality Dominance Index.
        map50_by_part: mAP50 of each named part (``day``, ``night``), where the data tells.
    """

    camera: Modality
    missing: float
    map50: float
    map: float
    mdi: float
    map50_by_part: dict[str, float]


@dataclass(frozen=True, slots=True)
class RemovalTable:
    """The ladders of both cameras, and what dedicated single-camera detectors score.

    Attributes:
        rows: RGB's ladder, then thermal's, from nothing missing to all.
        baselines: By the camera a dedicated detector works with; empty where none was given.
    """

    rows: tuple[RemovalRow, ...]
    baselines: dict[Modality, RemovalRow]

    def retention(self, missing: Modality) -> float | None:
        """mAP50 with a camera always missing, as a share of the other's dedicated detector's.

        ``None`` where that detector was not given or finds nothing.
        """
        other = other_camera(missing)
        if other not in self.baselines or self.baselines[other].map50 <= 0:
            return None
        alone = next(r for r in self.rows if r.camera == missing and r.missing == 1.0)
        return alone.map50 / self.baselines[other].map50

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded."""
        return {
            "rows": [_row_to_json(row) for row in self.rows],
            "baselines": {camera: _row_to_json(row) for camera, row in self.baselines.items()},
            "retention": {camera: rounded(self.retention(camera)) for camera in MODALITIES},
        }


def removal_ladder(
    perception: Perception,
    recording: MemoryRecording,
    seed: int = 0,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[RemovalRow, ...]:
    """Score every rung of both ladders.

    Args:
        perception: What is scored; its threshold should be near zero.
        recording: Labelled pairs.
        seed: Decides which frames go first; a frame that misses a camera on one rung misses it on
            all later ones.
        advance: Told after each pair; there are ``2 * len(RUNGS) - 1`` times as many as pairs.
    """
    count = recording.frames["rgb"]
    whole = evaluate(perception, recording, advance=advance)
    rows = []
    for camera in MODALITIES:
        order = np.random.default_rng(seed).permutation(count)
        for share in RUNGS:
            lost = frozenset(order[: round(share * count)].tolist())
            result = (
                evaluate(perception, recording, advance=advance, change=losing(camera, lost))
                if lost
                else whole
            )
            rows.append(row_of(camera, share, result))
    return tuple(rows)


def losing(camera: Modality, lost: frozenset[int]) -> Change:
    """Take a camera away from the pairs with these numbers."""
    remove = without(camera)

    def change(index: int, pair: FramePair) -> FramePair:
        return remove(index, pair) if index in lost else pair

    return change


def row_of(camera: Modality, missing: float, result: Evaluation) -> RemovalRow:
    """What is kept of one pass."""
    parts = {name: part.scores.map50 for name, part in result.parts.items()}
    return RemovalRow(camera, missing, result.scores.map50, result.scores.map, result.mdi, parts)


def _row_to_json(row: RemovalRow) -> dict[str, Any]:
    values = {k: rounded(v) if isinstance(v, float) else v for k, v in asdict(row).items()}
    return values | {"map50_by_part": {k: rounded(v) for k, v in row.map50_by_part.items()}}
