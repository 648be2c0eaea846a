"""What can be seen to be wrong in a camera's picture, frame by frame; events are made of it."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from mdacl_ros.sensing.pairing.frozen_camera import Repetition
from mdacl_ros.types import MODALITIES, Array, Modality, other_camera
from mdacl_tools.recordings.recording import Event

STRIDE = 8
"""Every eighth pixel of every eighth row is looked at: 80 x 60 of a 640 x 480 image."""

REMEMBERED = 64
"""Frames of which the signs are kept until they are paired."""


class Signs:
    """Looks at frames as they arrive and remembers what it saw until they are paired."""

    def __init__(self) -> None:
        self._pictures = {camera: Repetition() for camera in MODALITIES}
        self._seen: dict[Modality, deque[tuple[int, tuple[str, ...]]]] = {
            "rgb": deque(maxlen=REMEMBERED),
            "thermal": deque(maxlen=REMEMBERED),
        }

    def __call__(self, event: Event) -> None:
        """Look at a frame."""
        found = rgb_signs(event.frame.image) if event.camera == "rgb" else ()
        if self._stands_still(event):
            found = (*found, f"freeze_{event.camera}")
        self._seen[event.camera].append((event.frame.stamp_ns, found))

    def of(self, camera: Modality, stamp_ns: int) -> tuple[str, ...]:
        """What was seen in a frame."""
        for stamp, found in reversed(self._seen[camera]):
            if stamp == stamp_ns:
                return found
        return ()

    def _stands_still(self, event: Event) -> bool:
        """Whether the picture repeats, by the node's own rule, whatever the other camera does."""
        pictures = self._pictures[event.camera]
        other = self._pictures[other_camera(event.camera)]
        pictures.look(event.frame.image, event.frame.stamp_ns, other)
        return pictures.still_ns > 0


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
