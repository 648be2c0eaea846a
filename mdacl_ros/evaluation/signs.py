"""What can be seen to be wrong in a camera's picture, frame by frame; events are made of it."""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_ros.replay.recording import Event
from mdacl_ros.types import Array, Modality

STRIDE = 8
"""Every eighth pixel of every eighth row is looked at: 80 x 60 of a 640 x 480 image."""

FROZEN_NS = 400_000_000
FROZEN_REPEATS = 3
"""A picture that repeats so often and so long is frozen; a driver may double frames of a slow
camera, and one whose shutter closes stands still for less."""

REMEMBERED = 64
"""Frames of which the signs are kept until they are paired."""


@dataclass(slots=True)
class _Still:
    """How long a camera's picture has not changed."""

    fingerprint: int = 0
    since_ns: int = 0
    repeats: int = 0


class Signs:
    """Looks at frames as they arrive and remembers what it saw until they are paired."""

    def __init__(self) -> None:
        self._still: dict[Modality, _Still] = {}
        self._seen: dict[Modality, deque[tuple[int, tuple[str, ...]]]] = {
            "rgb": deque(maxlen=REMEMBERED),
            "thermal": deque(maxlen=REMEMBERED),
        }

    def __call__(self, event: Event) -> None:
        """Look at a frame."""
        found = rgb_signs(event.frame.image) if event.camera == "rgb" else ()
        if self._frozen(event):
            found = (*found, f"freeze_{event.camera}")
        self._seen[event.camera].append((event.frame.stamp_ns, found))

    def of(self, camera: Modality, stamp_ns: int) -> tuple[str, ...]:
        """What was seen in a frame."""
        for stamp, found in reversed(self._seen[camera]):
            if stamp == stamp_ns:
                return found
        return ()

    def _frozen(self, event: Event) -> bool:
        image, stamp_ns = event.frame.image, event.frame.stamp_ns
        fingerprint = zlib.crc32(np.ascontiguousarray(image[::STRIDE, ::STRIDE]).tobytes())
        still = self._still.setdefault(event.camera, _Still())
        if fingerprint != still.fingerprint or stamp_ns < still.since_ns:
            self._still[event.camera] = _Still(fingerprint, stamp_ns)
            return False
        still.repeats += 1
        return still.repeats >= FROZEN_REPEATS and stamp_ns - still.since_ns >= FROZEN_NS


def rgb_signs(image: Array) -> tuple[str, ...]:
    """``dark``, ``glare`` or ``smoke`` in a colour image; docs/evaluation.md has the hit rates.

    Smoke and fog lift the darkest channel everywhere (dark channel prior, He et al., CVPR 2009) and
    wash out contrast.

    Args:
        image: ``(H, W, 3)`` uint8.
    """
    small = image[::STRIDE, ::STRIDE].astype(np.float32) / 255  # (h, w, 3)
    luma = small @ np.array((0.299, 0.587, 0.114), np.float32)
    darkest = small.min(axis=2)
    veil = cv2.erode(darkest, np.ones((5, 5), np.uint8))
    middle, bright = float(np.median(luma)), float(np.percentile(luma, 90))
    lifted = float(np.percentile(veil, 10))
    edges = float(np.abs(np.diff(luma, axis=1)).mean()) / (float(luma.mean()) + 0.02)
    if float((darkest > 0.97).mean()) > 0.2 or (bright > 0.9 and lifted > 0.2):
        return ("glare",)
    washed_out = float(luma.std()) < 0.2 * middle and middle > 0.05
    if lifted > 0.18 or (float(np.median(veil)) > 0.3 and edges < 0.07) or washed_out:
        return ("smoke",)
    return ("dark",) if middle < 0.15 else ()
