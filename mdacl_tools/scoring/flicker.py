"""Temporal flicker: detections that vanish for a frame and return, or are there for one only."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdacl_ros.types import FloatArray, IntArray
from mdacl_tools.scoring.boxes import pair_up
from mdacl_tools.scoring.frames import FrameRecord

SAME_IOU = 0.4
"""Overlap of an object's boxes from one frame to the next."""

CUT_NS = 1_000_000_000
"""Frames farther apart than this do not follow each other."""

_Shown = tuple[int, FloatArray, IntArray]


class Flicker:
    """Follows shown detections over three frames.

    Args:
        threshold: Score from which a detection is shown.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._frames: list[_Shown] = []
        self._judged = self._vanished = self._single = 0

    def add(self, record: FrameRecord) -> None:
        """Take the next frame."""
        shown = record.scores >= self._threshold
        if self._frames and not 0 < record.stamp_ns - self._frames[-1][0] <= CUT_NS:
            self._frames.clear()
        self._frames.append((record.stamp_ns, record.boxes[shown], record.labels[shown]))
        if len(self._frames) == 3:
            self._judge(*self._frames)
            del self._frames[0]

    def to_json(self) -> dict[str, Any]:
        """Counts and share; the share is ``None`` where nothing could be judged."""
        flickering = self._vanished + self._single
        return {
            "detections": self._judged,
            "vanished": self._vanished,
            "single": self._single,
            "share": flickering / self._judged if self._judged else None,
        }

    def _judge(self, before: _Shown, now: _Shown, after: _Shown) -> None:
        """Judge the middle one of three frames that follow each other."""
        came = pair_up(*now[1:], *before[1:], SAME_IOU)
        stays = pair_up(*now[1:], *after[1:], SAME_IOU)
        self._single += int(((came < 0) & (stays < 0)).sum())
        left = np.setdiff1d(np.arange(len(before[1])), came)
        arrived = np.setdiff1d(np.arange(len(after[1])), stays)
        back = pair_up(
            before[1][left], before[2][left], after[1][arrived], after[2][arrived], SAME_IOU
        )
        gone = int((back >= 0).sum())
        self._vanished += gone
        self._judged += len(now[1]) + gone
