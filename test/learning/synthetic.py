"""Tiny labelled pairs: bright rectangles on a dark ground, seen by both cameras."""

from __future__ import annotations

import numpy as np

from mdacl_tools.learning.samples import Sample

CLASSES = 3


def rectangle_sample(
    boxes: list[tuple[int, int, int, int]],
    labels: list[int] | None = None,
    size: tuple[int, int] = (640, 480),
    visible: list[tuple[bool, bool]] | None = None,
) -> Sample:
    """A sample whose boxes (whole pixels, xyxy) are exactly its bright rectangles."""
    width, height = size
    rgb = np.zeros((height, width, 3), np.uint8)
    thermal = np.zeros((height, width), np.float32)
    for x0, y0, x1, y1 in boxes:
        rgb[y0:y1, x0:x1] = 255
        thermal[y0:y1, x0:x1] = 1.0
    n = len(boxes)
    return Sample(
        name="rectangles",
        rgb=rgb,
        thermal=thermal,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        labels=np.array(labels or [0] * n, np.int64),
        ignore=np.zeros(n, bool),
        visible=np.array(visible or [(True, True)] * n, bool).reshape(-1, 2),
        exhaustive=np.ones(CLASSES, bool),
    )
