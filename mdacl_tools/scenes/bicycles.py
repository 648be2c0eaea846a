"""Bicycles: frame, wheels and handlebar as lines in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdacl_tools.scenes.geometry import Camera, Points, heading_axes
from mdacl_tools.scenes.sprite import Paint, Sprite

_COLOURS = (
    (190, 40, 36),
    (36, 60, 130),
    (30, 30, 34),
    (200, 200, 204),
    (40, 110, 80),
    (210, 150, 30),
)
_WHEEL = 0.335
_HUBS = (0.53, -0.53)


@dataclass(frozen=True, slots=True)
class BicycleLook:
    """One bicycle: frame colour, basket, and whether someone rides it."""

    colour: tuple[int, int, int]
    basket: bool
    ridden: bool


def random_bicycle(rng: np.random.Generator, *, ridden: bool) -> BicycleLook:
    """Pick a colour and equipment."""
    base = np.array(_COLOURS[rng.integers(len(_COLOURS))]) + rng.normal(0, 8, 3)
    r, g, b = np.clip(base, 10, 230).astype(int)
    return BicycleLook((int(r), int(g), int(b)), bool(rng.random() < 0.5), ridden)


def bicycle_corners(x: float, z: float, heading: float) -> Points:
    """``(8, 3)`` corners of the bounding cuboid."""
    forward, right = heading_axes(heading)
    return np.stack(
        [
            np.array([x, up, z]) + along * forward + side * right
            for along in (-0.88, 0.88)
            for up in (0.0, 1.06)
            for side in (-0.26, 0.26)
        ]
    )


def draw_bicycle(
    sprite: Sprite,
    camera: Camera,
    look: BicycleLook,
    place: tuple[float, float, float],
    phase: float,
    air: float,
) -> None:
    """Draw the bicycle at world x, z, heading; ``phase`` turns the cranks."""
    x, z, heading = place
    forward, right = heading_axes(heading)
    origin = np.array([x, 0.0, z])
    depth = max(float(camera.to_camera(origin)[2]), 0.5)
    metre = camera.focal / depth
    warm = 3.0 if look.ridden else 0.0
    tyre: Paint = (28, 28, 30, air + 1 + warm)
    tube: Paint = (*look.colour, air - 1)
    steel: Paint = (150, 152, 156, air - 2)

    def at(along: float, up: float, side: float = 0.0) -> Points:
        return origin + along * forward + side * right + np.array([0.0, up, 0.0])

    def line(points: list[Points], width: float, paint: Paint, *, closed: bool = False) -> None:
        sprite.outline(camera.project(np.stack(points))[0], width * metre, paint, closed=closed)

    for hub in _HUBS:
        turn = np.linspace(0, 2 * np.pi, 26, endpoint=False)
        rim = [at(hub + _WHEEL * np.cos(t), _WHEEL + _WHEEL * np.sin(t)) for t in turn]
        if metre > 60:
            for t in turn[:13:2]:
                a, b = 0.95 * _WHEEL * np.cos(t), 0.95 * _WHEEL * np.sin(t)
                line([at(hub - a, _WHEEL - b), at(hub + a, _WHEEL + b)], 0.004, steel)
        line(rim, 0.045, tyre, closed=True)
    crank, seat, head = at(-0.08, 0.29), at(-0.24, 0.86), at(0.36, 0.86)
    rear, front = at(_HUBS[1], _WHEEL), at(_HUBS[0], _WHEEL)
    for a, b in ((rear, crank), (rear, seat), (crank, seat), (crank, head), (seat, head)):
        line([a, b], 0.04, tube)
    line([front, at(0.40, 0.74), at(0.35, 0.98)], 0.04, tube)
    line(
        [at(0.46, 1.0, -0.25), at(0.35, 0.99, -0.1), at(0.35, 0.99, 0.1), at(0.46, 1.0, 0.25)],
        0.03,
        steel,
    )
    line([seat, at(-0.25, 0.94)], 0.03, steel)
    line([at(-0.38, 0.96), at(-0.12, 0.95)], 0.07, tyre)
    pedal = 0.17 * np.array([np.cos(phase), np.sin(phase)])
    line(
        [at(-0.08 - pedal[0], 0.29 - pedal[1]), at(-0.08 + pedal[0], 0.29 + pedal[1])], 0.03, steel
    )
    if look.basket:
        box = [at(0.42, 0.74), at(0.74, 0.76), at(0.78, 0.98), at(0.40, 0.96)]
        line(box, 0.03, steel, closed=True)
        line([at(0.44, 0.86), at(0.74, 0.88)], 0.03, steel)
    for along in (_HUBS[1] - 0.2, _HUBS[1] + 0.05):
        line([at(along, 0.70), at(along + 0.15, 0.71)], 0.03, steel)
