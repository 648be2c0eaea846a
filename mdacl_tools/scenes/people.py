"""How people are built and dressed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SKINS = ((236, 196, 170), (214, 165, 132), (176, 124, 92), (128, 86, 62), (92, 62, 46))
_HAIRS = ((26, 22, 20), (52, 38, 28), (96, 68, 44), (148, 140, 134), (150, 112, 64))
_TOPS = (
    (28, 30, 36), (54, 58, 66), (34, 44, 74), (120, 124, 130), (196, 194, 188), (226, 224, 220),
    (150, 38, 40), (188, 72, 48), (46, 84, 62), (92, 110, 76), (196, 164, 60), (88, 60, 48),
    (170, 120, 140), (72, 116, 156), (104, 74, 120), (206, 216, 60),
)  # fmt: skip
_BOTTOMS = ((24, 25, 30), (40, 44, 56), (46, 60, 92), (78, 96, 128), (96, 88, 74), (150, 140, 118))
_BAGS = ((30, 30, 34), (60, 70, 60), (120, 44, 40), (44, 62, 110), (170, 150, 120))


@dataclass(frozen=True, slots=True)
class PersonLook:
    """How one person is built and dressed.

    Attributes:
        height: Metres, 1.5 ... 1.95.
        build: Width factor, about 1.
        skin, hair, top, bottom, shoes: RGB colours.
        bag: Colour of a backpack, or ``None``.
        coat: Hem of the top as a share of the way from hip to knee (0 short, 1 to the knee).
        sleeves: Long sleeves.
        shorts: Bare lower legs.
        top_warmth, bottom_warmth: Share of the way from air to skin temperature at the cloth's
            surface.
        skin_celsius: Skin temperature of the face.
        stride: Gait phase at time zero in radians.
    """

    height: float
    build: float
    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    top: tuple[int, int, int]
    bottom: tuple[int, int, int]
    shoes: tuple[int, int, int]
    bag: tuple[int, int, int] | None
    coat: float
    sleeves: bool
    shorts: bool
    top_warmth: float
    bottom_warmth: float
    skin_celsius: float
    stride: float


def random_person(rng: np.random.Generator, air: float) -> PersonLook:
    """Dress one person for ``air`` degrees Celsius."""
    warm = air > 20

    def shade(palette: tuple[tuple[int, int, int], ...]) -> tuple[int, int, int]:
        base = np.array(palette[rng.integers(len(palette))]) * rng.uniform(0.75, 1.15)
        r, g, b = np.clip(base + rng.normal(0, 6, 3), 8, 245).astype(int)
        return int(r), int(g), int(b)

    layers = 0.12 if warm else 0.0
    return PersonLook(
        height=float(np.clip(rng.normal(1.72, 0.09), 1.5, 1.95)),
        build=float(rng.uniform(0.9, 1.2) + (0 if warm else 0.12)),
        skin=shade(_SKINS),
        hair=shade(_HAIRS),
        top=shade(_TOPS),
        bottom=shade(_BOTTOMS),
        shoes=shade(_BAGS) if rng.random() < 0.6 else (205, 205, 200),
        bag=shade(_BAGS) if rng.random() < 0.35 else None,
        coat=float(rng.uniform(0.3, 0.9)) if not warm and rng.random() < 0.4 else 0.12,
        sleeves=bool(not warm or rng.random() < 0.4),
        shorts=bool(warm and rng.random() < 0.5),
        top_warmth=float(rng.uniform(0.5, 0.78) + layers),
        bottom_warmth=float(rng.uniform(0.45, 0.72) + layers),
        skin_celsius=float(rng.uniform(32.0, 35.5) - max(0.0, 10 - air) * 0.15),
        stride=float(rng.uniform(0, 2 * np.pi)),
    )
