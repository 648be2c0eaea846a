"""What the class names of public data sets mean here."""

from __future__ import annotations

from dataclasses import dataclass

from mdacl_ros.types import LABELS

SAME = {
    "person": ("person", "people", "pedestrian"),
    "car": ("car",),
    "bicycle": ("bicycle", "bike"),
}
"""Other names of our classes."""

NEAR = {
    "person": ("person?", "person?a", "rider", "cyclist", "crowd"),
    "car": (
        "bus", "truck", "van", "train", "tram", "trailer", "caravan", "ambulance", "minibus",
        "vehicle", "other vehicle", "othervehicle", "construction vehicle", "tractor",
    ),
    "bicycle": ("motorcycle", "motorbike", "motor", "scooter", "moped", "tricycle"),
}  # fmt: skip
"""Classes too much like one of ours to be background, and not ours: regions to ignore."""

_UNRELATED_NAMES = (
    # M3FD; FLIR
    "lamp, dog, deer, light, hydrant, sign, skateboard, stroller, "
    # the rest of COCO's eighty
    "airplane, boat, traffic light, fire hydrant, stop sign, parking meter, bench, bird, cat, "
    "horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, handbag, tie, "
    "suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, "
    "surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, "
    "apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, "
    "potted plant, bed, dining table, toilet, tv, laptop, mouse, remote, keyboard, "
    "cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, "
    "teddy bear, hair drier, toothbrush"
)

UNRELATED = frozenset(name.strip() for name in _UNRELATED_NAMES.split(","))
"""Classes that are background to us. A name that is in no table is left out as well, but
``mdacl data check`` asks about it."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a class name stands for.

    Attributes:
        label: Index into :data:`mdacl_ros.types.LABELS`.
        ignore: Whether it is only near that class.
    """

    label: int
    ignore: bool


_MEANINGS = {
    name: Meaning(LABELS.index(label), ignore)
    for table, ignore in ((SAME, False), (NEAR, True))
    for label, names in table.items()
    for name in names
}


def meaning(name: str, groups: frozenset[str] = frozenset()) -> Meaning | None:
    """Look a class name up, whatever its case and separators.

    Args:
        name: As the data set writes it.
        groups: Names that mean a group of people in this data set (KAIST's ``people``).

    Returns:
        Its label here, or ``None`` if it is background.
    """
    name = _plain(name)
    if name in groups:
        return Meaning(LABELS.index("person"), ignore=True)
    return _MEANINGS.get(name)


def is_known(name: str) -> bool:
    """Whether it has been decided what a class name means."""
    return _plain(name) in _MEANINGS or _plain(name) in UNRELATED


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", " ").replace("-", " ")
