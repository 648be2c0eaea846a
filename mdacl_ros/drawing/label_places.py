"""Room for the labels of boxes, so that none hides another: for overlay and RViz markers alike."""

from __future__ import annotations

from collections.abc import Sequence

Rectangle = tuple[float, float, float, float]
"""x0, y0, x1, y1 with y pointing down, in whatever unit."""

LABELS_APART = 60
"""Most labels that are kept apart: there is no room for more, and it takes time."""

ROWS = 6
"""Rows above a box, plus one, in which room for its label is looked for."""


def place_labels(
    area: Rectangle,
    boxes: Sequence[Sequence[float]],
    sizes: Sequence[Sequence[float]],
) -> list[Rectangle]:
    """Place one label for each box, the first boxes first.

    Above the box, below it, then further up; inside it, and over others, where all is taken.

    Args:
        area: What the labels should stay in.
        boxes: x0, y0, x1, y1 of each box.
        sizes: Width and height of each label.
    """
    placed: list[Rectangle] = []
    for (x0, y0, _, y1), (wide, high) in zip(boxes, sizes, strict=True):
        left = max(area[0], min(x0, area[2] - wide))
        rows = [y0 - high, y1, *(y0 - n * high for n in range(2, ROWS))]
        places: list[Rectangle] = [
            (left, top, left + wide, top + high) for top in rows if area[1] <= top <= area[3] - high
        ]
        crowd = placed if len(placed) < LABELS_APART else ()
        free: list[Rectangle] = [p for p in places if not any(overlap(p, other) for other in crowd)]
        inside = max(area[1], min(y0, area[3] - high))
        last_resort = (left, inside, left + wide, inside + high)
        placed.append([*free, *places, last_resort][0])
    return placed


def overlap(a: Rectangle, b: Rectangle) -> bool:
    """Whether two rectangles share more than an edge."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
