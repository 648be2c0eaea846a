"""One labelled image or pair on disk, whatever layout its data set has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from mdacl_ros.types import LABELS, BoolArray, FloatArray, IntArray
from mdacl_tools.recordings.datasets.classes import meaning

INVERTED = "corners in the wrong order (xmin > xmax or ymin > ymax) were exchanged"
POLYGON = "a polygon was taken as the box around it"

LABEL_SETS = ("visible", "infrared")
"""Names of the label sets drawn on the rgb and on the thermal image, in the order of cameras."""


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """One annotation as its file gives it.

    Attributes:
        name: Class name.
        box: x_min, y_min, x_max, y_max in pixels.
        ignore: Marked as crowd, difficult or not to be judged.
        label_sets: Which annotators drew it (``visible``, ``infrared``, ``fusion``); empty where
            nothing is said.
        note: How it was read, where it does not stand there as it should.
    """

    name: str
    box: tuple[float, float, float, float]
    ignore: bool = False
    label_sets: frozenset[str] = frozenset()
    note: str = ""


def in_order(item: LabelledBox) -> LabelledBox:
    """The label with its corners in order; noted where they were not."""
    x0, y0, x1, y1 = item.box
    if not (x1 < x0 or y1 < y0):
        return item
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return replace(item, box=box, note=INVERTED)


@dataclass(frozen=True, slots=True)
class PairRecord:
    """Where one labelled pair lies on disk, with its truth.

    Attributes:
        image_id: Number of the image; unique in its split.
        rgb: Path of the colour image; ``None`` in a set of thermal images only.
        thermal: Path of the thermal image; ``None`` in a set of colour images only.
        boxes: ``(N, 4)`` float32 xyxy pixels of the rgb image (of the only one).
        labels: ``(N,)`` int64, index into :data:`mdacl_ros.types.LABELS`.
        ignore: ``(N,)`` bool; neither object nor background.
        visible: ``(N, 2)`` bool; seen by rgb, by thermal.
        not_exhaustive: Labels of which not every instance is drawn in this image.
        meta: What else is known (``time``, ``sequence``, ...).
        split: Part of the data set (``train``, ``test``, ...).
        left_out: Class name of each annotation that is no class of this project.
        faults: What is wrong with its annotation file, a line each; then there are no boxes.
        notes: How labels were read that do not stand there as they should, one each.
    """

    image_id: int
    rgb: Path | None
    thermal: Path | None
    boxes: FloatArray
    labels: IntArray
    ignore: BoolArray
    visible: BoolArray
    not_exhaustive: tuple[int, ...] = ()
    meta: dict[str, object] = field(default_factory=dict)
    split: str = ""
    left_out: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """File name of the pair, for messages."""
        path = self.rgb or self.thermal
        return path.name if path is not None else str(self.image_id)

    @property
    def files(self) -> tuple[Path, ...]:
        """The image files that there should be, rgb first."""
        return tuple(path for path in (self.rgb, self.thermal) if path is not None)


@dataclass(frozen=True, slots=True)
class Pair:
    """The images of a record to be, and what is known of them beside the boxes."""

    image_id: int
    rgb: Path | None
    thermal: Path | None
    split: str
    meta: dict[str, object] = field(default_factory=dict)


def make_record(
    pair: Pair,
    objects: Sequence[LabelledBox],
    *,
    not_exhaustive: Sequence[int] = (),
    groups: frozenset[str] = frozenset(),
    faults: Sequence[str] = (),
) -> PairRecord:
    """Number annotations by their class name.

    Args:
        pair: The images.
        objects: Annotations of the pair.
        not_exhaustive: Labels that are not completely drawn in it.
        groups: Class names that mean a group of people here, to be ignored.
        faults: What is wrong with the annotation file.
    """
    meanings = [meaning(item.name, groups) for item in objects]
    known = [(o, m) for o, m in zip(objects, meanings, strict=True) if m is not None]
    cameras = np.array([pair.rgb is not None, pair.thermal is not None])
    seen = np.array([_visible(o.label_sets) for o, _ in known], np.bool_).reshape(-1, 2)
    return PairRecord(
        image_id=pair.image_id,
        rgb=pair.rgb,
        thermal=pair.thermal,
        boxes=np.array([o.box for o, _ in known], np.float32).reshape(-1, 4),
        labels=np.array([m.label for _, m in known], np.int64),
        ignore=np.array([o.ignore or m.ignore for o, m in known], np.bool_),
        visible=seen & cameras,
        not_exhaustive=tuple(not_exhaustive),
        meta=pair.meta,
        split=pair.split,
        left_out=tuple(o.name for o, m in zip(objects, meanings, strict=True) if m is None),
        faults=tuple(faults),
        notes=tuple(item.note for item in objects if item.note),
    )


def labels_without(*drawn: str) -> tuple[int, ...]:
    """The labels of all classes but those that a data set draws."""
    return tuple(i for i, name in enumerate(LABELS) if name not in drawn)


def _visible(label_sets: frozenset[str]) -> tuple[bool, bool]:
    """Whether rgb and thermal annotators drew the box; both where nothing is said."""
    said = label_sets & set(LABEL_SETS)
    return (not said or "visible" in said, not said or "infrared" in said)
