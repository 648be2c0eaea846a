"""Fixed things that are not people or vehicles: trees, lamps, bollards, signs, heaters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mdacl_tools.scenes.lighting import LAMP_HEIGHT
from mdacl_tools.scenes.place import Building, Place, Prop
from mdacl_tools.scenes.static_canvas import AIR, LEAVES, StaticCanvas
from mdacl_tools.scenes.textures import building_front


def paint_things(canvas: StaticCanvas, place: Place, rng: np.random.Generator) -> None:
    """Paint buildings, props and lamps, the far ones first."""
    items: list[tuple[float, Callable[[], None]]] = []
    for building in place.buildings:
        far = (building.start[1] + building.end[1]) / 2 + 0.3 * abs(building.start[0])
        items.append((far + 4.0, lambda b=building: _building(canvas, b, rng)))  # type: ignore[misc]
    for prop in place.props:
        items.append((prop.z, lambda p=prop: _PAINTERS[p.kind](canvas, p, rng)))  # type: ignore[misc]
    for x, z in place.lamps:
        items.append((z, lambda x=x, z=z: _lamp(canvas, x, z)))  # type: ignore[misc]
    for _, paint in sorted(items, key=lambda item: -item[0]):
        paint()


def _building(canvas: StaticCanvas, building: Building, rng: np.random.Generator) -> None:
    """One front of a building."""
    (x0, z0), (x1, z1), h = building.start, building.end, building.height
    width = float(np.hypot(x1 - x0, z1 - z0))
    front = building_front(rng, width, h)
    corners = np.array([[x0, h, z0], [x1, h, z1], [x1, 0, z1], [x0, 0, z0]])
    canvas.front(corners, front, building.shade)


def _lamp(canvas: StaticCanvas, x: float, z: float) -> None:
    """A street lamp with its arm and head."""
    arm = -0.8 if x > 0 else 0.8
    canvas.post(x, z, LAMP_HEIGHT, 0.07, (96, 98, 100), -0.5)
    low, high = LAMP_HEIGHT - 0.08, LAMP_HEIGHT
    canvas.polygon(
        [(x, low, z), (x + arm, low, z), (x + arm, high, z), (x, high, z)], (96, 98, 100), AIR
    )
    a, b = sorted((x + arm, x + arm * 0.45))
    head = [(a, low - 0.12, z), (b, low - 0.12, z), (b, low + 0.03, z), (a, low + 0.03, z)]
    canvas.polygon(head, (226, 226, 216), AIR, 7.0, (255.0, 236.0, 196.0))


def _tree(canvas: StaticCanvas, prop: Prop, rng: np.random.Generator) -> None:
    """Trunk, branches and a crown of leaf tufts; bare in some winters."""
    s, x, z = prop.size, prop.x, prop.z
    bark = np.array([86, 72, 58]) * rng.uniform(0.6, 1.15)
    canvas.post(x, z, 2.6 * s, 0.15 * s, bark, 0.8)
    conifer = rng.random() < 0.25
    for _ in range(6):
        a, b = rng.uniform(-1.2, 1.2), rng.uniform(3.0, 5.2)
        foot = rng.uniform(1.8, 2.6) * s
        limb = [(x - 0.05, foot, z), (x + 0.06, foot, z), (x + a * s, b * s, z)]
        canvas.polygon(limb, bark * 0.9, AIR, 0.4)
    if rng.random() < 0.12:
        return
    hue = [(66, 92, 38), (48, 78, 40), (88, 104, 44), (150, 118, 42), (128, 66, 36)]
    leaf = np.array(hue[rng.choice(5, p=[0.32, 0.3, 0.2, 0.1, 0.08])]) * rng.uniform(0.7, 1.15)
    _crown(canvas, (x, 3.9 * s, z), (1.9 * s, 1.9 * s), leaf, rng, conifer=conifer)


def _bush(canvas: StaticCanvas, prop: Prop, rng: np.random.Generator) -> None:
    """A hedge or shrub."""
    leaf = np.array([58, 84, 40]) * rng.uniform(0.6, 1.2)
    wide = rng.uniform(0.7, 2.2) * prop.size
    _crown(
        canvas, (prop.x, 0.5 * prop.size, prop.z), (wide, 0.6 * prop.size), leaf, rng, conifer=False
    )


def _crown(
    canvas: StaticCanvas,
    centre: tuple[float, float, float],
    radii: tuple[float, float],
    leaf: np.ndarray,
    rng: np.random.Generator,
    *,
    conifer: bool,
) -> None:
    """Many tufts, dark below and light above."""
    middle, depth = canvas.camera.project(np.array(centre))
    if depth < 1.5:
        return
    metre = canvas.camera.focal / float(depth)
    count = int(np.clip(2.6 * metre * radii[0], 60, 900))
    fine = min(1.0, np.sqrt(260 / count))
    turn, reach = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0, 1, count))
    dx, dy = reach * np.cos(turn), reach * np.sin(turn)
    if conifer:
        dx = dx * (1 - dy) * 0.55
        dy = dy * 1.25
    order = np.argsort(rng.uniform(0, 1, count) + 0.4 * dy)
    for i in order:
        at = (middle[0] + dx[i] * radii[0] * metre, middle[1] - dy[i] * radii[1] * metre)
        size = fine * rng.uniform(0.09, 0.24) * metre * min(radii) * (0.75 + 0.35 * (1 - reach[i]))
        light = 0.72 + 0.3 * dy[i] + rng.uniform(-0.22, 0.25)
        _tuft(
            canvas,
            at,
            size,
            leaf * light,
            float(depth),
            0.5 * light + float(rng.normal(0, 0.5)),
            rng,
        )


def _tuft(
    canvas: StaticCanvas,
    at: tuple[float, float],
    size: float,
    rgb: np.ndarray,
    depth: float,
    kelvin: float,
    rng: np.random.Generator,
) -> None:
    """A ragged blob of leaves."""
    turn = np.linspace(0, 2 * np.pi, 9, endpoint=False)
    reach = size * rng.uniform(0.55, 1.3, 9)
    rim = np.stack([at[0] + reach * np.cos(turn), at[1] + 0.8 * reach * np.sin(turn)], axis=-1)
    canvas.fill(rim, depth, rgb, LEAVES, kelvin)


def _bollard(canvas: StaticCanvas, prop: Prop, rng: np.random.Generator) -> None:
    """A post or a stone ball that has stored the sun's warmth."""
    if rng.random() < 0.35:
        _ball(canvas, prop, 0.3 * prop.size, rng.uniform(-1, 7))
        return
    canvas.post(
        prop.x, prop.z, 0.9, 0.08, (150, 148, 140) if rng.random() < 0.5 else (58, 60, 64), 0.5
    )
    band = [
        (prop.x - 0.08, 0.7, prop.z),
        (prop.x + 0.08, 0.7, prop.z),
        (prop.x + 0.08, 0.8, prop.z),
        (prop.x - 0.08, 0.8, prop.z),
    ]
    canvas.polygon(band, (220, 200, 60), AIR, 0.5)


def _ball(canvas: StaticCanvas, prop: Prop, radius: float, warm: float) -> None:
    """A stone ball, lit from above."""
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    for share, shade in ((1.0, 0.7), (0.8, 0.9), (0.5, 1.08)):
        r, up = radius * share, radius * (1.25 - 0.25 * share)
        ring = [(prop.x + r * np.cos(t), up + r * np.sin(t), prop.z) for t in turn]
        canvas.polygon(ring, np.array([176, 172, 162]) * shade, AIR, warm * (1.3 - 0.4 * share))


def _sign(canvas: StaticCanvas, prop: Prop, rng: np.random.Generator) -> None:
    """A traffic sign: disc, triangle or board on a pole."""
    x, z, high = prop.x, prop.z, 2.2
    canvas.post(x, z, high + 0.6, 0.035, (140, 142, 144), -1.0)
    rgb = [(36, 84, 170), (196, 40, 36), (228, 226, 220), (226, 176, 40)][int(rng.integers(4))]
    corners = int(rng.choice([3, 4, 20]))
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False) + (
        np.pi / 4 if corners == 4 else np.pi / 2
    )
    for share, paint in ((1.0, (226, 226, 224)), (0.86, rgb), (0.35, (236, 236, 232))):
        ring = [
            (x + 0.33 * share * np.cos(t), high + 0.3 + 0.33 * share * np.sin(t), z) for t in turn
        ]
        canvas.polygon(ring, paint, AIR, -1.5)


def _bin(canvas: StaticCanvas, prop: Prop, rng: np.random.Generator) -> None:
    """A dust bin."""
    rgb = [(52, 92, 62), (60, 64, 70), (150, 120, 44), (44, 70, 120)][int(rng.integers(4))]
    canvas.box(prop.x, prop.z, (0.55, 1.0 * prop.size, 0.55), rgb, kelvin=rng.uniform(-1, 2))


def _planter(canvas: StaticCanvas, prop: Prop, rng: np.random.Generator) -> None:
    """A concrete tub with a shrub."""
    canvas.box(prop.x, prop.z, (1.1, 0.5, 0.9), (160, 152, 140), kelvin=1.0)
    leaf = np.array([64, 92, 44]) * rng.uniform(0.7, 1.2)
    _crown(canvas, (prop.x, 0.8, prop.z), (0.6, 0.4), leaf, rng, conifer=False)


def _cone(canvas: StaticCanvas, prop: Prop, rng: np.random.Generator) -> None:
    """A traffic cone."""
    x, z = prop.x, prop.z
    canvas.box(x, z, (0.4, 0.04, 0.4), (40, 40, 42))
    for low, high, rgb in (
        (0.04, 0.25, (226, 84, 36)),
        (0.25, 0.42, (232, 232, 228)),
        (0.42, 0.7, (226, 84, 36)),
    ):
        a, b = 0.17 * (1 - low / 0.8), 0.17 * (1 - high / 0.8)
        canvas.polygon(
            [(x - a, low, z), (x + a, low, z), (x + b, high, z), (x - b, high, z)], rgb, AIR
        )


def _hydrant(canvas: StaticCanvas, prop: Prop, rng: np.random.Generator) -> None:
    """A hydrant: a post of nearly a child's height, at air temperature."""
    canvas.post(prop.x, prop.z, 0.75, 0.13, (176, 44, 36), 0.3)
    canvas.post(prop.x, prop.z, 0.85, 0.08, (196, 60, 44), 0.3, bottom=0.75)


def _heater(canvas: StaticCanvas, prop: Prop, rng: np.random.Generator) -> None:
    """A power cabinet or vent as hot as a person, but not shaped like one."""
    hot = rng.uniform(3, 20)
    canvas.box(
        prop.x, prop.z, (0.9 * prop.size, 1.1 * prop.size, 0.5), (168, 170, 160), kelvin=hot * 0.35
    )
    x, z = prop.x, prop.z - 0.26
    panel = [(x - 0.3, 0.5, z), (x + 0.3, 0.5, z), (x + 0.3, 0.9, z), (x - 0.3, 0.9, z)]
    canvas.polygon(panel, (120, 122, 116), AIR, hot)


def _board(canvas: StaticCanvas, prop: Prop, rng: np.random.Generator) -> None:
    """An advertisement, with or without light behind it."""
    x, z, w, h = prop.x, prop.z, 0.65, 1.9
    canvas.polygon(
        [(x - w, 0.1, z), (x + w, 0.1, z), (x + w, h + 0.2, z), (x - w, h + 0.2, z)],
        (70, 72, 76),
        AIR,
    )
    rgb = np.array([rng.uniform(90, 240) for _ in range(3)])
    glow = tuple((rgb * 0.8).tolist()) if rng.random() < 0.5 else None
    a, top = w - 0.06, h + 0.1
    poster = [(x - a, 0.3, z), (x + a, 0.3, z), (x + a, top, z), (x - a, top, z)]
    lit = (glow[0], glow[1], glow[2]) if glow else None
    canvas.polygon(poster, rgb, AIR, 2.0 if glow else 0.0, lit)
    for k in range(4):
        y, wide = 0.5 + 0.3 * k, rng.uniform(0.15, 0.5)
        line = [
            (x - wide, y, z),
            (x + wide, y, z),
            (x + wide, y + 0.12, z),
            (x - wide, y + 0.12, z),
        ]
        canvas.polygon(line, 255 - rgb, AIR, 2.0 if glow else 0.0)


_PAINTERS: dict[str, Callable[[StaticCanvas, Prop, np.random.Generator], None]] = {
    "tree": _tree, "bush": _bush, "bollard": _bollard, "sign": _sign, "bin": _bin,
    "planter": _planter, "cone": _cone, "hydrant": _hydrant, "heater": _heater, "board": _board,
}  # fmt: skip
