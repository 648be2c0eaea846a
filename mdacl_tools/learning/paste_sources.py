"""Objects of labelled pairs that may be pasted into another pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mdacl_ros.types import BoolArray, FloatArray
from mdacl_tools.learning.samples import Sample

SMALLEST = 12.0  # height of an object, pixels
LIKE = 2.0  # largest ratio of the brightness of two RGB images that exchange objects


@dataclass(frozen=True, slots=True)
class Donors:
    """Pairs to take objects from.

    Attributes:
        samples: Labelled pairs.
        horizon: Row at which objects would vanish, as a share of the image height; ``None`` where
            the pairs do not share one.
    """

    samples: Sequence[Sample]
    horizon: float | None


@dataclass(frozen=True, slots=True)
class DonorObject:
    """One object of a pair.

    Attributes:
        sample: The pair.
        index: Row of its truth.
    """

    sample: Sample
    index: int

    @property
    def box(self) -> FloatArray:
        """``(4,)`` xyxy in pixels of the pair."""
        return self.sample.boxes[self.index]


def find_donors(samples: Sequence[Sample], most: int = 200) -> Donors:
    """Offer the objects of all samples; estimate their horizon from about ``most`` of them.

    On flat ground the heights of objects of one class are proportional to the distance of their
    lower edge from the horizon. The horizon counts as found where a line explains the heights of at
    least 30 objects (r >= 0.6).
    """
    shown = samples[:: max(1, len(samples) // most)]
    bottom = np.concatenate([s.boxes[:, 3] / s.thermal.shape[0] for s in shown])
    height = np.concatenate([(s.boxes[:, 3] - s.boxes[:, 1]) / s.thermal.shape[0] for s in shown])
    labels = np.concatenate([s.labels for s in shown])
    usable = ~np.concatenate([s.ignore for s in shown]) & (bottom < 0.99)  # not cut off below
    horizons = []
    for label in np.unique(labels):
        x, y = bottom[usable & (labels == label)], height[usable & (labels == label)]
        if len(x) >= 30 and x.std() > 0 and y.std() > 0 and np.corrcoef(x, y)[0, 1] >= 0.6:
            slope, offset = np.polyfit(x, y, 1)
            horizons.append(-offset / slope)
    return Donors(samples, float(np.median(horizons)) if horizons else None)


def draw_object(target: Sample, donors: Donors, rng: np.random.Generator) -> DonorObject | None:
    """Draw a pair, then a class, then an object; ``None`` where that pair offers none.

    Offered are whole, free-standing objects that a camera of the target can see, of pairs about as
    bright as the target.
    """
    donor = donors.samples[int(rng.integers(len(donors.samples)))]
    here = np.array(target.cameras)
    if donor is target or not np.array(donor.cameras)[here].all() or not _like(target, donor):
        return None
    usable = _whole(donor) & donor.visible[:, here].any(1)
    if not usable.any():
        return None
    label = rng.choice(np.unique(donor.labels[usable]))
    return DonorObject(donor, int(rng.choice(np.flatnonzero(usable & (donor.labels == label)))))


def covered_shares(boxes: FloatArray, cover: FloatArray) -> FloatArray:
    """Share of the area of each of ``(N, 4)`` boxes that lies under one ``(4,)`` box, ``(N,)``."""
    low, high = np.maximum(boxes[:, :2], cover[:2]), np.minimum(boxes[:, 2:], cover[2:])
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    share: FloatArray = (high - low).clip(0, None).prod(1) / np.maximum(area, np.float32(1e-6))
    return share


def _like(a: Sample, b: Sample) -> bool:
    """Whether two RGB images (if both have one) are about equally bright: no day into night."""
    if not (a.cameras[0] and b.cameras[0]):
        return True
    levels = [float(s.rgb[::16, ::16].mean()) + 4.0 for s in (a, b)]
    return max(levels) <= LIKE * min(levels)


def _whole(sample: Sample) -> BoolArray:
    """Objects that are neither small, cut off by the border nor near others, ``(N,)``."""
    boxes = sample.boxes
    h, w = sample.thermal.shape
    tall = boxes[:, 3] - boxes[:, 1] >= SMALLEST
    inside = (boxes[:, :2] >= 2).all(1) & (boxes[:, 2:] <= (w - 2, h - 2)).all(1)
    shares = np.stack([covered_shares(boxes, box) for box in boxes], 1) if len(boxes) else np.eye(0)
    np.fill_diagonal(shares, 0)
    return ~sample.ignore & tall & inside & (shares.max(1, initial=0) < 0.2)
