"""Paired augmentation: one geometry for both images, its own photometry for each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from mdacl_ros.types import MODALITIES, BoolArray, ByteArray, FloatArray, IntArray
from mdacl_tools.corruption import corrupt_rgb, corrupt_thermal
from mdacl_tools.learning.copy_paste import paste_objects
from mdacl_tools.learning.crop import Crop, ViewConfig, random_crop
from mdacl_tools.learning.erasing import erase
from mdacl_tools.learning.misleading import MISLEADING, LabelledScene, mislead
from mdacl_tools.learning.mosaic import mosaic
from mdacl_tools.learning.paste_sources import Donors
from mdacl_tools.learning.photometry import vary_rgb, vary_thermal
from mdacl_tools.learning.samples import Sample


@dataclass(frozen=True, slots=True)
class AugmentationConfig:
    """How strongly training pairs are varied; probabilities in [0, 1].

    Attributes:
        size: Width and height of the crop fed to the network, multiples of 32.
        scale: Range of the random zoom of the source image.
        flip: Probability of mirroring left-right.
        shift: Largest random misregistration of thermal against RGB, pixels.
        drop_modality: Probability that either camera is absent (each equally).
        partial_coverage: Probability that thermal covers the view only partly.
        corrupt: Probability that one modality is corrupted (each equally).
        invert_thermal: Probability of flipped thermal polarity (a hot day).
        mosaic: Probability that four pairs are joined into one.
        copy_paste: Probability that objects of other pairs are pasted in.
        thermal_tone: Strength of a random tone curve and detail filter on thermal, as another
            camera would show the scene; 0 for none, 0.5 is strong.
        erase: Probability that objects are erased in one camera's image only.
        mislead: Probability that one camera misleads: it shows another scene, decoys, a blank.
        mislead_kinds: Ways to mislead, of `mdacl_tools.learning.misleading`; the others are kept
            for testing.
    """

    size: tuple[int, int] = (384, 320)
    scale: tuple[float, float] = (0.5, 1.6)
    flip: float = 0.5
    shift: float = 4.0
    drop_modality: float = 0.2
    partial_coverage: float = 0.1
    corrupt: float = 0.35
    invert_thermal: float = 0.05
    mosaic: float = 0.0
    copy_paste: float = 0.0
    thermal_tone: float = 0.0
    erase: float = 0.0
    mislead: float = 0.0
    mislead_kinds: tuple[str, ...] = (
        "rgb_other_scene",
        "rgb_blank",
        "rgb_decoys",
        "thermal_other_scene",
        "thermal_blank",
        "thermal_misaligned",
    )


@dataclass(frozen=True, slots=True)
class TrainingItem:
    """One augmented pair, ready to be batched.

    Attributes:
        rgb: ``(H, W, 3)`` uint8.
        thermal: ``(H, W)`` float32 in [0, 1].
        present: ``(2, H/32, W/32)`` float32 availability.
        boxes: ``(N, 4)`` float32 xyxy pixels of the crop.
        labels: ``(N,)`` int64.
        ignore: ``(N,)`` bool.
        exhaustive: ``(K,)`` bool.
        covered: ``(2, H/32, W/32)`` float32; where there is an image, also one that was dropped:
            a dropped image is left as it is, and marked absent.
    """

    rgb: ByteArray
    thermal: FloatArray
    present: FloatArray
    boxes: FloatArray
    labels: IntArray
    ignore: BoolArray
    exhaustive: BoolArray
    covered: FloatArray


def augment(
    sample: Sample,
    config: AugmentationConfig,
    rng: np.random.Generator,
    donors: Donors | None = None,
) -> TrainingItem:
    """Draw one random variation of a sample.

    Args:
        sample: The pair.
        config: What is varied.
        rng: Source of every draw; options that are off draw nothing.
        donors: Other pairs, for ``mosaic`` and ``copy_paste``.

    Raises:
        ValueError: ``mosaic``, ``copy_paste`` or ``mislead`` is on and there are no donors.
    """
    crop = _view(sample, config, rng, donors)
    rgb = vary_rgb(crop.rgb, rng)
    thermal = vary_thermal(crop.thermal, config.invert_thermal, config.thermal_tone, rng)
    if rng.random() < config.corrupt:
        if rng.random() < 0.5:
            rgb = corrupt_rgb(rgb, rng)
        else:
            thermal = corrupt_thermal(thermal, rng)
    crop = replace(crop, rgb=rgb, thermal=thermal)
    if config.mislead > 0 and rng.random() < config.mislead:
        crop = _misled(crop, config, rng, _needed(donors))
        config = replace(config, drop_modality=0.0)  # alone, nothing could say that it misleads
    if config.erase > 0 and rng.random() < config.erase:
        crop = erase(crop, rng)
    return _item(crop, _availability(config, crop.cameras, rng) * crop.present)


def _view(
    sample: Sample, config: AugmentationConfig, rng: np.random.Generator, donors: Donors | None
) -> Crop:
    """The geometry: one view of the pair, or of it and three others."""
    view = ViewConfig(config.scale, config.flip, config.shift)
    if config.copy_paste > 0 and rng.random() < config.copy_paste:
        sample = paste_objects(sample, _needed(donors), rng)
    if config.mosaic > 0 and rng.random() < config.mosaic:
        others = _needed(donors).samples
        chosen = [others[int(i)] for i in rng.integers(len(others), size=3)]
        return mosaic([sample, *chosen], config.size, view, rng)
    return random_crop(sample, config.size, view, rng)


def _misled(
    crop: Crop, config: AugmentationConfig, rng: np.random.Generator, donors: Donors
) -> Crop:
    """Let one camera mislead. A pair of one camera stays as it is: nothing could tell."""
    if not crop.cameras.all():
        return crop
    kind = config.mislead_kinds[int(rng.integers(len(config.mislead_kinds)))]
    donor = donors.samples[int(rng.integers(len(donors.samples)))]
    other = random_crop(donor, config.size, ViewConfig(config.scale, config.flip, 0.0), rng)
    scene = LabelledScene(other.rgb, other.thermal, other.boxes)
    camera = MISLEADING[kind].camera
    changed = {camera: mislead(kind, getattr(crop, camera), scene, rng)}
    visible = crop.visible.copy()
    if MISLEADING[kind].blinds:
        visible[:, MODALITIES.index(camera)] = False
    return replace(crop, visible=visible, **changed)


def _needed(donors: Donors | None) -> Donors:
    if donors is None:
        raise ValueError(
            "augmentation: mosaic, copy_paste or mislead is on, wanted donors, got none"
        )
    return donors


def _item(crop: Crop, present: FloatArray) -> TrainingItem:
    """Darken what no camera covers, and ignore what cannot be seen then."""
    dropped = ~present.any((1, 2), keepdims=True)  # (2, 1, 1)
    covered = np.where(dropped, crop.present, present)
    hidden = ~(crop.visible & _covered(crop.boxes, present)).any(1)
    return TrainingItem(
        rgb=_masked(crop.rgb, covered[0]),
        thermal=_masked(crop.thermal, covered[1]),
        present=present,
        boxes=crop.boxes,
        labels=crop.labels,
        ignore=crop.ignore | hidden,  # nothing left to see it by: not to be punished
        exhaustive=crop.exhaustive,
        covered=covered,
    )


def _masked(image: np.ndarray, cells: FloatArray) -> np.ndarray:
    """The image, 0 outside the covered cells."""
    if cells.all():
        return image
    mask: np.ndarray = cv2.resize(cells, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return cv2.copyTo(image, mask.astype(np.uint8))


def _covered(boxes: FloatArray, present: FloatArray) -> np.ndarray:
    """Whether each modality covers each box's centre, ``(N, 2)`` bool."""
    rows, columns = present.shape[1:]
    x, y = (boxes.reshape(-1, 2, 2).mean(1) / 32).astype(int).T
    return present[:, y.clip(0, rows - 1), x.clip(0, columns - 1)].T > 0


def _availability(
    config: AugmentationConfig, cameras: BoolArray, rng: np.random.Generator
) -> FloatArray:
    """Draw which of the existing cameras covers which 32-pixel cell, ``(2, H/32, W/32)``."""
    present = np.ones((2, config.size[1] // 32, config.size[0] // 32), np.float32)
    draw = rng.random()
    if draw < config.drop_modality:
        dropped = int(rng.integers(2))
        present[dropped] = not cameras[1 - dropped]  # the only camera stays
    elif cameras.all() and draw < config.drop_modality + config.partial_coverage:
        rows, columns = present.shape[1:]
        top, left = int(rng.integers(rows // 2)), int(rng.integers(columns // 2))
        present[1] = 0
        present[1, top : top + rows // 2 + 1, left : left + columns // 2 + 1] = 1
    return present
