"""Cars: shapes, paints, where their lamps are; see car_drawing.py for the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdacl_tools.scenes.geometry import Camera, Points, heading_axes

Spot = tuple[float, float, float]
"""Car coordinates in metres: along (front positive), up, right."""

# Outline of the side view from the front bumper over the roof to the rear bumper: x as a share of
# the length (front +0.5), y as a share of the height.
PROFILES: dict[str, tuple[tuple[float, float], ...]] = {
    "sedan": (
        (0.495, 0.16), (0.5, 0.40), (0.475, 0.5), (0.24, 0.64), (0.07, 0.95), (0.0, 0.995),
        (-0.14, 0.99), (-0.22, 0.94), (-0.375, 0.68), (-0.48, 0.64), (-0.5, 0.46), (-0.49, 0.17),
    ),
    "hatch": (
        (0.495, 0.15), (0.5, 0.40), (0.47, 0.5), (0.28, 0.62), (0.10, 0.94), (0.02, 0.995),
        (-0.30, 0.98), (-0.38, 0.93), (-0.475, 0.62), (-0.5, 0.42), (-0.49, 0.16),
    ),
    "suv": (
        (0.495, 0.18), (0.5, 0.46), (0.48, 0.56), (0.25, 0.64), (0.12, 0.94), (0.06, 0.99),
        (-0.36, 0.99), (-0.42, 0.95), (-0.485, 0.62), (-0.5, 0.44), (-0.49, 0.19),
    ),
    "van": (
        (0.495, 0.13), (0.5, 0.36), (0.485, 0.45), (0.38, 0.56), (0.22, 0.94), (0.16, 0.985),
        (-0.44, 0.995), (-0.475, 0.97), (-0.495, 0.56), (-0.5, 0.34), (-0.49, 0.14),
    ),
}  # fmt: skip
BELT = {"sedan": 0.66, "hatch": 0.64, "suv": 0.63, "van": 0.57}
_SIZES = {  # length, width, height in metres
    "sedan": (4.6, 1.82, 1.45), "hatch": (4.0, 1.74, 1.5), "suv": (4.5, 1.88, 1.7),
    "van": (5.0, 1.95, 2.05),
}  # fmt: skip
_COLOURS = (
    (232, 233, 235), (198, 202, 206), (140, 145, 150), (78, 82, 88), (24, 26, 30), (34, 44, 78),
    (120, 22, 26), (168, 40, 36), (52, 84, 120), (58, 74, 60), (176, 158, 118), (214, 170, 40),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CarLook:
    """One car.

    Attributes:
        kind: Key of :data:`PROFILES`.
        size: Length, width, height in metres.
        colour: RGB paint.
        running: Engine on: hood, wheels and exhaust are warm, lamps may be lit.
        heat: How warm it is driven, 0..1.
        wheel: Wheel radius in metres.
    """

    kind: str
    size: tuple[float, float, float]
    colour: tuple[int, int, int]
    running: bool
    heat: float
    wheel: float


@dataclass(frozen=True, slots=True)
class Lamp:
    """Something that shines at the camera: world position, RGB colour, radius in metres."""

    position: Points
    colour: tuple[float, float, float]
    radius: float


def random_car(rng: np.random.Generator, *, running: bool) -> CarLook:
    """Pick a body, a paint and how warm it is."""
    kind = str(rng.choice(list(PROFILES), p=[0.36, 0.26, 0.26, 0.12]))
    length, width, height = np.array(_SIZES[kind]) * rng.uniform(0.94, 1.06, 3)
    base = np.array(_COLOURS[rng.integers(len(_COLOURS))]) + rng.normal(0, 6, 3)
    r, g, b = np.clip(base, 10, 240).astype(int)
    heat = rng.uniform(0.3, 1.0) if running else rng.uniform(0.0, 0.25) * (rng.random() < 0.3)
    wheel = 0.23 * float(height) if kind == "sedan" else 0.21 * float(height)
    return CarLook(
        kind=kind,
        size=(float(length), float(width), float(height)),
        colour=(int(r), int(g), int(b)),
        running=running,
        heat=float(heat),
        wheel=float(np.clip(wheel, 0.29, 0.38)),
    )


def car_corners(look: CarLook, x: float, z: float, heading: float) -> Points:
    """``(8, 3)`` corners of the bounding cuboid in world metres."""
    length, width, height = look.size
    frame = CarFrame(x, z, heading)
    return np.stack(
        [
            frame.at(a * length, b * height, c * width)
            for a in (-0.5, 0.5)
            for b in (0.0, 1.0)
            for c in (-0.5, 0.5)
        ]
    )


class CarFrame:
    """Car coordinates (along, up, right; metres, origin on the ground) to world."""

    def __init__(self, x: float, z: float, heading: float) -> None:
        self.origin = np.array([x, 0.0, z])
        self.forward, self.right = heading_axes(heading)

    def at(self, along: float, up: float, right: float) -> Points:
        """One world point."""
        return self.origin + along * self.forward + right * self.right + np.array([0.0, up, 0.0])


def car_lamps(look: CarLook, x: float, z: float, heading: float, camera: Camera) -> list[Lamp]:
    """Lit head or tail lamps on the end of a running car that faces the camera."""
    if not look.running:
        return []
    length, width, height = look.size
    frame = CarFrame(x, z, heading)
    towards = float(frame.forward @ (np.array([0.0, 0.0, 0.0]) - frame.origin)) > 0
    along = 0.49 * length if towards else -0.49 * length
    colour = (255.0, 244.0, 220.0) if towards else (255.0, 36.0, 24.0)
    spots = [frame.at(along, 0.45 * height, s * 0.38 * width) for s in (-1, 1)]
    return [Lamp(p, colour, 0.5 if towards else 0.22) for p in spots]
