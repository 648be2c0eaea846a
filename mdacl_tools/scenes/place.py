"""Where a scene happens: camera, climate, the street's cross-section, buildings and props."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdacl_tools.scenes.config import Layout, SceneConfig
from mdacl_tools.scenes.geometry import Camera


@dataclass(frozen=True, slots=True)
class Climate:
    """Temperatures in degrees Celsius, by (day, night).

    Attributes:
        air: Air, also clothes' outer reference and unheated objects.
        road: Paved ground in the sun; in shade it is nearer to air.
        wall: Building fronts.
        leaves: Trees and grass.
        sky: Apparent temperature straight up; the horizon is near air.
        sunny: Direct sun by day.
    """

    air: tuple[float, float]
    road: tuple[float, float]
    wall: tuple[float, float]
    leaves: tuple[float, float]
    sky: tuple[float, float]
    sunny: bool

    def at(self, pair: tuple[float, float], darkness: float) -> float:
        """One of the pairs at ``darkness`` 0 (day) ... 1 (night)."""
        return pair[0] + (pair[1] - pair[0]) * darkness


@dataclass(frozen=True, slots=True)
class Building:
    """A box-shaped building seen from its front: base corners (x, z) and height in metres."""

    start: tuple[float, float]
    end: tuple[float, float]
    height: float
    shade: float


@dataclass(frozen=True, slots=True)
class Prop:
    """A small fixed thing: ``kind`` is a painter in :mod:`mdacl_tools.scenes.props`."""

    kind: str
    x: float
    z: float
    size: float


@dataclass(frozen=True, slots=True)
class Place:
    """A place before anything is painted.

    Attributes:
        layout: ``street`` or ``yard``.
        camera: The pinhole, at the size of the RGB picture.
        climate: Temperatures.
        road: World x of the road's left and right kerb in metres.
        walls: World x of the left and right building lines.
        end: World z of what closes the view.
        sun: Unit direction of the sunlight (points down).
        buildings, props: What stands around.
        lamps: World x, z of street lamps, 5 m high.
        ego_lamp: Strength of the robot's own light at night, 0 none.
    """

    layout: Layout
    camera: Camera
    climate: Climate
    road: tuple[float, float]
    walls: tuple[float, float]
    end: float
    sun: tuple[float, float, float]
    buildings: tuple[Building, ...]
    props: tuple[Prop, ...]
    lamps: tuple[tuple[float, float], ...]
    ego_lamp: float


def make_place(config: SceneConfig, rng: np.random.Generator) -> Place:
    """Draw a place by lot."""
    layout: Layout = config.layout or ("street" if rng.random() < 0.62 else "yard")
    camera = _camera(config, rng, layout)
    climate = _climate(config, rng)
    half = rng.uniform(3.2, 5.2)
    # The robot stands on the pavement, or on the road's middle where no lane runs into it.
    aside = rng.choice([-1, 1]) * (half + rng.uniform(0.4, 2.0))
    shift = aside if rng.random() < 0.55 else rng.uniform(-0.1, 0.1) * half
    road = (-half - shift, half - shift)
    if layout == "yard":
        walls, end = (-rng.uniform(9, 22), rng.uniform(9, 22)), rng.uniform(16, 34)
    else:
        walls = (
            min(road[0], -1.5) - rng.uniform(2.2, 7),
            max(road[1], 1.5) + rng.uniform(2.2, 7),
        )
        end = rng.uniform(55, 110)
    turn, high = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 1.1)
    sun = (np.sin(turn) * np.cos(high), -np.sin(high), np.cos(turn) * np.cos(high))
    return Place(
        layout=layout,
        camera=camera,
        climate=climate,
        road=road,
        walls=walls,
        end=float(end),
        sun=(float(sun[0]), float(sun[1]), float(sun[2])),
        buildings=tuple(_buildings(rng, layout, walls, end)),
        props=tuple(_props(rng, layout, road, walls, end)),
        lamps=tuple(_lamps(rng, layout, road, end)),
        ego_lamp=float(rng.uniform(0.3, 1.0) if rng.random() < 0.35 else 0.0),
    )


def _camera(config: SceneConfig, rng: np.random.Generator, layout: Layout) -> Camera:
    """A robot's or a car's camera, 0.9 to 2.2 m up, 48 to 70 degrees wide."""
    width, height = config.size
    field = np.deg2rad(rng.uniform(48, 70))
    focal = 0.5 * max(width, height * 4 / 3) / np.tan(field / 2)
    yaw = rng.uniform(-0.12, 0.12) if layout == "street" else rng.uniform(-0.3, 0.3)
    mount, pitch = float(rng.uniform(0.9, 2.2)), float(rng.uniform(-0.05, 0.09))
    return Camera(width, height, float(focal), mount, pitch, float(yaw))


def _climate(config: SceneConfig, rng: np.random.Generator) -> Climate:
    """Winter to heat wave; sunlit ground may be hotter than people."""
    drawn = rng.uniform(-4, 33)
    air = drawn if config.air_celsius is None else config.air_celsius
    sunny = bool(rng.random() < 0.6)
    gain = rng.uniform(0.2, 0.55) * max(4.0, air) if sunny else rng.uniform(-0.5, 2.0)
    night = air - rng.uniform(3, 9)
    return Climate(
        air=(air, night),
        road=(air + gain, night + rng.uniform(-1.0, 4.0)),
        wall=(air + gain * rng.uniform(0.1, 0.6), night + rng.uniform(0.0, 3.5)),
        leaves=(air + rng.uniform(-1.5, 1.0), night + rng.uniform(-1.0, 1.0)),
        sky=(air - rng.uniform(5, 26), night - rng.uniform(4, 22)),
        sunny=sunny,
    )


def _buildings(
    rng: np.random.Generator, layout: Layout, walls: tuple[float, float], end: float
) -> list[Building]:
    """A row on either side and one that closes the view; gaps let the sky in."""
    rows: list[Building] = []
    for side, x in zip((-1, 1), walls, strict=True):
        z = rng.uniform(1.5, 4.0)
        while z < end:
            depth = rng.uniform(7, 22)
            if rng.random() < 0.75:
                back = x + side * rng.uniform(0, 2.5)
                low, high = (4.0, 13.0) if layout == "yard" else (6.0, 20.0)
                rows.append(Building((back, z), (back, z + depth), rng.uniform(low, high), 0.82))
                rows.append(Building((back, z), (back + side * 9.0, z), rows[-1].height, 0.68))
            z += depth + rng.uniform(0, 5)
    x = walls[0] - 14.0
    while x < walls[1] + 14.0:
        width = rng.uniform(8, 20)
        if rng.random() < (0.85 if layout == "yard" else 0.6):
            back = end + rng.uniform(0, 3)
            rows.append(Building((x, back), (x + width, back), rng.uniform(5, 18), 1.0))
        x += width + rng.uniform(0, 3)
    return rows


def _props(
    rng: np.random.Generator,
    layout: Layout,
    road: tuple[float, float],
    walls: tuple[float, float],
    end: float,
) -> list[Prop]:
    """Trees, bollards, signs, bins, planters, cones, vents along the edges."""
    props: list[Prop] = []
    kinds = rng.choice(
        ["bollard", "sign", "bin", "planter", "cone", "hydrant", "heater", "board"],
        size=int(rng.integers(3, 11)),
    )
    for kind in kinds:
        z = float(rng.uniform(4.5, min(end - 1, 32)))
        side = int(rng.integers(2))
        margin = rng.uniform(0.3, 1.6)
        x = road[0] - margin if side == 0 else road[1] + margin
        if layout == "yard":
            x = float(rng.uniform(walls[0] + 1, walls[1] - 1))
        props.append(Prop(str(kind), float(x), z, float(rng.uniform(0.8, 1.25))))
    if rng.random() < 0.3:
        z0, side = rng.uniform(5, 8), int(rng.integers(2))
        x = road[side] + (-0.5 if side == 0 else 0.5)
        props += [Prop("bollard", float(x), float(z0 + 2.2 * k), 1.0) for k in range(6)]
    for _ in range(int(rng.integers(1, 8))):
        side = int(rng.integers(2))
        z = float(rng.uniform(7, min(end + 12, 60)))
        out = rng.uniform(1.0, 3.5)
        x = road[0] - out if side == 0 else road[1] + out
        if layout == "yard":
            x = walls[side] + (1 if side == 0 else -1) * rng.uniform(0.5, 5)
        kind = "tree" if rng.random() < 0.75 else "bush"
        props.append(Prop(kind, float(x), z, float(rng.uniform(0.7, 1.4))))
    return props


def _lamps(
    rng: np.random.Generator, layout: Layout, road: tuple[float, float], end: float
) -> list[tuple[float, float]]:
    """Street lamps on one side, or two in a yard."""
    side = int(rng.integers(2))
    x = road[side] + (-0.7 if side == 0 else 0.7)
    gap, z = rng.uniform(12, 24), rng.uniform(6, 14)
    count = int(rng.integers(1, 3)) if layout == "yard" else int(max(1, (min(end, 70) - z) // gap))
    return [(float(x), float(z + k * gap)) for k in range(count)]
