"""Erase things in one camera's image only, so that the other has to answer (arXiv 1708.04896)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mdacl_tools.learning.crop import Crop

MOST = 3  # rectangles of one image
HIDDEN = 0.6  # share of a box beyond which an object counts as erased


def erase(crop: Crop, rng: np.random.Generator) -> Crop:
    """Cover up to three objects that both cameras see, or random places, in one of the images.

    The availability map stays: the network has to notice by itself. A crop of one camera is
    returned as it is.
    """
    if not crop.cameras.all():
        return crop
    camera = int(rng.integers(2))
    image = (crop.rgb, crop.thermal)[camera].copy()
    visible = crop.visible.copy()
    both = np.flatnonzero(crop.visible.all(1) & ~crop.ignore)
    rng.shuffle(both)
    for turn in range(int(rng.integers(1, MOST + 1))):
        box = crop.boxes[both[turn]] if turn < len(both) else _anywhere(crop, rng)
        x0, y0, x1, y1 = _rectangle(box, crop.thermal.shape, rng)
        image[y0:y1, x0:x1] = _filling(image, (y1 - y0, x1 - x0), rng)
        visible[_inside(crop, (x0, y0, x1, y1)) > HIDDEN, camera] = False
    changed = {"rgb": image} if camera == 0 else {"thermal": image}
    return replace(crop, visible=visible, **changed)


def _anywhere(crop: Crop, rng: np.random.Generator) -> np.ndarray:
    """A box of a tenth to a third of the sides."""
    h, w = crop.thermal.shape
    side = rng.uniform(0.1, 0.33, 2) * (w, h)
    corner = rng.random(2) * ((w, h) - side)
    return np.concatenate([corner, corner + side])


def _rectangle(
    box: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Whole pixels around a box, up to a quarter of its sides beyond it."""
    margin = rng.uniform(0.05, 0.25, 4) * np.tile(box[2:] - box[:2], 2) * (-1, -1, 1, 1)
    x0, y0, x1, y1 = np.rint((box + margin).clip(0, [shape[1], shape[0]] * 2)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _filling(image: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A level of the image itself under random grain; the image's type."""
    h, w = image.shape[:2]
    level = image[int(rng.integers(h)), int(rng.integers(w))]
    most = 255.0 if image.dtype == np.uint8 else 1.0
    grain = rng.standard_normal((*size, *image.shape[2:]), np.float32) * most * rng.uniform(0, 0.1)
    return (level + grain).clip(0, most).astype(image.dtype)


def _inside(crop: Crop, rectangle: tuple[int, int, int, int]) -> np.ndarray:
    """Share of each box that lies in the rectangle, ``(N,)``."""
    low = np.maximum(crop.boxes[:, :2], rectangle[:2])
    high = np.minimum(crop.boxes[:, 2:], rectangle[2:])
    area = (crop.boxes[:, 2:] - crop.boxes[:, :2]).prod(1)
    return (high - low).clip(0, None).prod(1) / np.maximum(area, 1e-6)
