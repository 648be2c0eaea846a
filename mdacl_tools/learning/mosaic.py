"""Four pairs in one (after arXiv 2004.10934), cut between cells: availability stays exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mdacl_tools.learning.crop import CELL, Crop, ViewConfig, random_crop
from mdacl_tools.learning.samples import Sample

ZOOM = 0.7  # a tile shows more of its source than a view of its size would


def mosaic(
    samples: Sequence[Sample],
    size: tuple[int, int],
    config: ViewConfig,
    rng: np.random.Generator,
) -> Crop:
    """Fill the four corners with views of four samples.

    A class that is not completely labelled in one part is not in the whole.

    Args:
        samples: Four: top left, top right, bottom left, bottom right.
        size: Width and height, multiples of 32 and at least 64.
        config: How each part is drawn, at a zoom of :data:`ZOOM` of it.
        rng: Source of the draws.
    """
    config = replace(config, scale=(config.scale[0] * ZOOM, config.scale[1] * ZOOM))
    across, down = (_cut(length // CELL, rng) * CELL for length in size)
    columns, rows = ((0, across), (across, size[0])), ((0, down), (down, size[1]))
    places = [(x, y) for y in rows for x in columns]
    parts = [
        random_crop(sample, (x[1] - x[0], y[1] - y[0]), config, rng)
        for sample, (x, y) in zip(samples, places, strict=True)
    ]
    whole = _canvas(size, parts)
    for part, ((left, right), (top, bottom)) in zip(parts, places, strict=True):
        whole.rgb[top:bottom, left:right] = part.rgb
        whole.thermal[top:bottom, left:right] = part.thermal
        cells = np.s_[:, top // CELL : bottom // CELL, left // CELL : right // CELL]
        whole.present[cells] = part.present
    offsets = [np.array([x[0], y[0]] * 2, np.float32) for x, y in places]
    boxes = [part.boxes + offset for part, offset in zip(parts, offsets, strict=True)]
    return replace(whole, boxes=np.concatenate(boxes))


def _cut(cells: int, rng: np.random.Generator) -> int:
    """A cell border in the middle two fifths."""
    low = max(1, round(cells * 0.3))
    return int(rng.integers(low, max(low, cells - low) + 1))


def _canvas(size: tuple[int, int], parts: Sequence[Crop]) -> Crop:
    """The whole with its truth, images still empty."""
    width, height = size
    return Crop(
        rgb=np.zeros((height, width, 3), np.uint8),
        thermal=np.zeros((height, width), np.float32),
        present=np.zeros((2, height // CELL, width // CELL), np.float32),
        boxes=np.zeros((0, 4), np.float32),
        labels=np.concatenate([p.labels for p in parts]),
        ignore=np.concatenate([p.ignore for p in parts]),
        visible=np.concatenate([p.visible for p in parts]),
        exhaustive=np.logical_and.reduce([p.exhaustive for p in parts]),
    )
