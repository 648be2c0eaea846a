"""What can be found in a data set, and how much it matters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of finding.

    Attributes:
        title: As it is printed.
        serious: Whether the data set should not be used before it is mended; else it is to know.
    """

    title: str
    serious: bool = True


ANNOTATION = Kind("annotation file missing or damaged")
MISSING = Kind("image missing")
UNREADABLE = Kind("image unreadable")
SIZE = Kind("pair not registered (aspect ratios differ)")
OUTSIDE = Kind("box out of bounds")
EMPTY = Kind("box empty")
LABEL = Kind("label not as its format has it")
PALETTE = Kind("thermal image in palette colours")
TURNED = Kind("EXIF orientation, not applied: read as it is stored", serious=False)
UNKNOWN = Kind("class unknown, left out")
NOTHING = Kind("not one box in the whole set")
DUPLICATE = Kind("same images twice")
LEAKAGE = Kind("nearly the same images in two splits")
SCALED = Kind("thermal image of another size (will be scaled)", serious=False)
SIMILAR = Kind("nearly the same images in one split", serious=False)
UNLABELLED = Kind("no box", serious=False)

KINDS = (
    ANNOTATION, MISSING, UNREADABLE, PALETTE, SIZE, OUTSIDE, EMPTY, LABEL, UNKNOWN, NOTHING,
    DUPLICATE, LEAKAGE, SCALED, SIMILAR, UNLABELLED, TURNED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DatasetFinding:
    """Something found in one record.

    Attributes:
        kind: What.
        record: Index of the record in its data set.
        detail: Where and how, in a few words.
        box: Index of the box concerned, if it is one.
    """

    kind: Kind
    record: int
    detail: str
    box: int | None = None
