"""Objects of other pairs pasted into a pair, out of both images at once (after arXiv 2012.07177).

Ours: where the labels say which camera sees an object, it is pasted into that camera's image only,
and an object that moves along the ground changes its size with its distance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mdacl_ros.types import FloatArray
from mdacl_tools.learning.paste_sources import (
    SMALLEST,
    DonorObject,
    Donors,
    covered_shares,
    draw_object,
)
from mdacl_tools.learning.patch import MARGIN, paste_patch
from mdacl_tools.learning.samples import Sample

MOST = 3  # objects pasted into one pair
TRIES = 4  # for an object and a place that fit
NEARER = (0.6, 1.6)  # range of the factor by which an object is moved towards the camera
HIDDEN, TOUCHED = 0.7, 0.3  # covered share beyond which a target is dropped, is ignored


def paste_objects(sample: Sample, donors: Donors, rng: np.random.Generator) -> Sample:
    """Paste one to three objects; fewer, or none, where no object or place fits."""
    result = sample
    for _ in range(int(rng.integers(1, MOST + 1))):
        for _ in range(TRIES):
            found = draw_object(sample, donors, rng)
            if found is None:
                continue
            place = _draw_place(sample, found, donors.horizon, rng)
            if _fits(result, place):
                mirrored = bool(rng.random() < 0.5)
                if result is sample:
                    result = replace(sample, rgb=sample.rgb.copy(), thermal=sample.thermal.copy())
                _draw(result, found, place, mirrored)
                result = _with_truth(result, found, place)
                break
    return result


def _draw_place(
    target: Sample, found: DonorObject, horizon: float | None, rng: np.random.Generator
) -> FloatArray:
    """Where the object shall stand, ``(4,)`` xyxy in pixels of the target.

    Without a horizon, or above it, the object keeps its row and about its size.
    """
    height, width = target.thermal.shape
    box = found.box * (height / found.sample.thermal.shape[0])
    zoom, bottom = rng.uniform(0.9, 1.1), float(box[3])
    if horizon is not None and bottom > (horizon + 0.02) * height:
        nearer = float(np.exp(rng.uniform(*np.log(NEARER))))
        bottom = horizon * height + (bottom - horizon * height) * nearer
        zoom *= nearer
    w, h = (box[2:] - box[:2]) * zoom
    left = rng.uniform(0, max(0.0, width - float(w)))
    return np.array([left, bottom - h, left + w, bottom], np.float32)


def _fits(target: Sample, place: FloatArray) -> bool:
    """In the image, clear of ignore regions, and not drawn over what stands nearer."""
    h, w = target.thermal.shape
    if place.min() < 0 or place[2] > w or place[3] > h or place[3] - place[1] < SMALLEST:
        return False
    margin = (place[2:] - place[:2]) * np.float32(MARGIN)
    grown = np.concatenate([place[:2] - margin, place[2:] + margin])
    over_ignored = (covered_shares(target.boxes, grown) > 0) & target.ignore
    covered = covered_shares(target.boxes, place) > TOUCHED
    return not (over_ignored | (covered & (target.boxes[:, 3] > place[3]))).any()


def _draw(target: Sample, found: DonorObject, place: FloatArray, mirrored: bool) -> None:
    """Into the images of the cameras that see the object, in place."""
    seen = found.sample.visible[found.index] & np.array(target.cameras)
    if seen[0]:
        paste_patch(target.rgb, found.sample.rgb, found.box, place, mirrored)
    if seen[1]:
        paste_patch(target.thermal, found.sample.thermal, found.box, place, mirrored)


def _with_truth(target: Sample, found: DonorObject, place: FloatArray) -> Sample:
    """Add the object; drop what it hides and ignore what it covers in part."""
    covered = covered_shares(target.boxes, place)
    keep = (covered <= HIDDEN) | target.ignore
    donor, index = found.sample, found.index
    return replace(
        target,
        boxes=np.concatenate([target.boxes[keep], place[None]]),
        labels=np.append(target.labels[keep], donor.labels[index]),
        ignore=np.append((target.ignore | (covered > TOUCHED))[keep], False),
        visible=np.concatenate([target.visible[keep], donor.visible[index][None]]),
    )
