"""How much of the clean score stays when one camera's images go bad.

table = corruption_retention(perception, recording)             # every kind at every strength
cheap = corruption_retention(perception, recording, 61, mixed=True)   # one pass a kind
print(table.mean_retention, table.by_kind())
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from mdacl_ros.pipeline.perception import Perception
from mdacl_ros.types import Frame, FramePair, Modality
from mdacl_tools.corruption import CORRUPTIONS, STRENGTHS, corrupt
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.scoring.in_memory import MemoryRecording
from mdacl_tools.scoring.pair_scoring import Change, Evaluation, evaluate
from mdacl_tools.util.numbers import mean, rounded


@dataclass(frozen=True, slots=True)
class CorruptionRow:
    """One pass with one camera corrupted.

    Attributes:
        kind: Name in :data:`mdacl_tools.corruption.CORRUPTIONS`.
        camera: The camera that was corrupted.
        strength: 1 (barely visible) to 5 (severe); ``None``: all five in turn.
        map50: AP at IoU 0.50 averaged over classes, in [0, 1].
        map: AP averaged over IoU 0.50:0.95 and classes.
        retention: Share of the clean mAP50 that stays; NaN where that is zero.
        mdi: Mean per-frame estimate of the Modality Dominance Index.
    """

    kind: str
    camera: Modality
    strength: int | None
    map50: float
    map: float
    retention: float
    mdi: float


@dataclass(frozen=True, slots=True)
class CorruptionTable:
    """All corruptions of one detector on the same images.

    Attributes:
        clean: The same images as they are.
        rows: Kind by kind, strengths ascending.
    """

    clean: Evaluation
    rows: tuple[CorruptionRow, ...]

    @property
    def mean_retention(self) -> float:
        """Mean share of the clean mAP50 over all kinds and strengths."""
        return mean(row.retention for row in self.rows)

    def by_kind(self) -> dict[str, float]:
        """Mean retention over the strengths of each kind."""
        kinds = dict.fromkeys(row.kind for row in self.rows)
        return {k: mean(r.retention for r in self.rows if r.kind == k) for k in kinds}

    def by_camera(self) -> dict[Modality, float]:
        """Mean retention over the corruptions of each camera."""
        cameras = dict.fromkeys(row.camera for row in self.rows)
        return {c: mean(r.retention for r in self.rows if r.camera == c) for c in cameras}

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded; ``None`` instead of NaN."""
        return {
            "clean": self.clean.scores.to_json() | {"mdi": rounded(self.clean.mdi)},
            "mean_retention": rounded(self.mean_retention),
            "retention_by_camera": {k: rounded(v) for k, v in self.by_camera().items()},
            "retention_by_kind": {k: rounded(v) for k, v in self.by_kind().items()},
            "rows": [
                {k: rounded(v) if isinstance(v, float) else v for k, v in asdict(row).items()}
                for row in self.rows
            ],
        }


def corruption_retention(
    perception: Perception,
    recording: Recording,
    images: int | None = None,
    mixed: bool = False,
    seed: int = 0,
    advance: Callable[[int], None] = lambda _: None,
    kinds: Collection[str] = tuple(CORRUPTIONS),
) -> CorruptionTable:
    """Score a detector on clean images, then with each camera corrupted in each way.

    Args:
        perception: What is scored; its threshold should be near zero.
        recording: Labelled pairs; read once unless it is held in memory already.
        images: How many pairs to use, spread evenly; ``None``: all.
        mixed: One pass a kind, with strengths 1 to 5 in turn over the images, instead of a pass
            for every strength.
        seed: Equal seeds give equal images. A pair meets the same draw (direction of a shift, place
            of a glare) at every strength, so that strengths can be compared.
        advance: Told after each pair; there are :func:`passes` times as many as pairs.
        kinds: Which corruptions: keys of :data:`mdacl_tools.corruption.CORRUPTIONS`.

    Raises:
        RecordingError: There is nothing to score.
    """
    if images is not None or not isinstance(recording, MemoryRecording):
        recording = MemoryRecording(recording, images)
    clean = evaluate(perception, recording, advance=advance)
    whole = clean.scores.map50
    rows = []
    for kind in kinds:
        for strength in (None,) if mixed else STRENGTHS:
            change = corrupted(kind, strength, seed)
            result = evaluate(perception, recording, advance=advance, change=change)
            scores = result.scores
            share = scores.map50 / whole if whole > 0 else math.nan
            camera = CORRUPTIONS[kind].camera
            rows.append(
                CorruptionRow(kind, camera, strength, scores.map50, scores.map, share, result.mdi)
            )
    return CorruptionTable(clean, tuple(rows))


def passes(mixed: bool = False, kinds: Collection[str] = tuple(CORRUPTIONS)) -> int:
    """How often :func:`corruption_retention` goes over the images."""
    return 1 + len(kinds) * (1 if mixed else len(STRENGTHS))


def corrupted(kind: str, strength: int | None, seed: int = 0) -> Change:
    """Corrupt one camera of every pair.

    Args:
        kind: Name in :data:`mdacl_tools.corruption.CORRUPTIONS`.
        strength: 1 to 5; ``None``: in turn over the pairs.
        seed: Seed of all draws.
    """
    camera = CORRUPTIONS[kind].camera

    def change(index: int, pair: FramePair) -> FramePair:
        rng = np.random.default_rng((seed, zlib.crc32(kind.encode()), index))
        chosen = STRENGTHS[index % len(STRENGTHS)] if strength is None else strength
        if camera == "rgb":
            return replace(pair, rgb=_corrupt_frame(pair.rgb, kind, chosen, rng))
        return replace(pair, thermal=_corrupt_frame(pair.thermal, kind, chosen, rng))

    return change


def _corrupt_frame(
    frame: Frame | None, kind: str, strength: int, rng: np.random.Generator
) -> Frame | None:
    return frame and replace(frame, image=corrupt(kind, frame.image, strength, rng))
