"""Draws a car face by face: body, glass, lamps and wheels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mdacl_tools.scenes.geometry import Camera, Points
from mdacl_tools.scenes.sprite import Paint, Sprite, hull_of_circles
from mdacl_tools.scenes.vehicles import BELT, PROFILES, CarFrame, CarLook, Spot

_TURN = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_RING = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=-1)


def draw_car(
    sprite: Sprite,
    camera: Camera,
    look: CarLook,
    place: tuple[float, float, float],
    rolled: float,
    air: float,
    lit: float,
) -> None:
    """Draw one car.

    Args:
        sprite: Patch to draw into.
        camera: The scene's camera.
        look: The car.
        place: World x, z and heading.
        rolled: Metres driven, turns the wheels.
        air: Air temperature in degrees Celsius.
        lit: 0..1, how much the lamps' own light shows.
    """
    _CarDrawing(sprite, camera, look, place, air).draw(rolled, lit)


class _CarDrawing:
    """One car while being drawn."""

    def __init__(
        self,
        sprite: Sprite,
        camera: Camera,
        look: CarLook,
        place: tuple[float, float, float],
        air: float,
    ) -> None:
        self.sprite, self.camera, self.look, self.air = sprite, camera, look, air
        self.frame = CarFrame(*place)
        self.length, self.width, self.height = look.size
        self.belt = BELT[look.kind]
        self.outline = PROFILES[look.kind]
        # Car coordinates to camera axes in one step: a car has some fifty faces.
        axes = np.stack([self.frame.forward, (0.0, 1.0, 0.0), self.frame.right])
        self.turn = axes @ camera.rotation.T
        self.shift = camera.to_camera(self.frame.origin)
        self.metre = camera.focal / max(float(self.shift[2]), 1.0)
        eye = np.array([0.0, camera.mount, 0.0]) - self.frame.origin
        self.eye_right = float(eye @ self.frame.right)
        self.eye_forward = float(eye @ self.frame.forward)

    def half_width(self, along: float, up: float) -> float:
        """Half the body's width at a point of the profile (shares in, metres out)."""
        waist = 1.0 if up <= self.belt else 1.0 - 0.26 * (up - self.belt) / (1 - self.belt)
        nose = 1.0 - 0.10 * max(0.0, (abs(along) - 0.40) / 0.10)
        return 0.5 * self.width * waist * nose

    def edge(self, point: tuple[float, float], side: float) -> Spot:
        """Point of the profile on one side (-1 left ... 1 right)."""
        along, up = point
        return along * self.length, up * self.height, side * self.half_width(along, up)

    def pixels(self, points: Sequence[Spot] | Points) -> Points | None:
        """Project car coordinates."""
        return self.camera.outline(np.asarray(points) @ self.turn + self.shift)

    def fill(self, points: Sequence[Spot] | Points, paint: Paint) -> None:
        """Project and fill a polygon in car coordinates."""
        pixels = self.pixels(points)
        if pixels is not None:
            self.sprite.polygon(pixels, paint)

    def paint(self, shade: float, warm: float, metal: float = 1.0) -> Paint:
        """Body colour under ``shade``; ``warm`` kelvin above air at full heat."""
        r, g, b = (min(255.0, c * shade + 26 * max(0.0, shade - 0.9)) for c in self.look.colour)
        return r, g, b, self.air - 1.5 * metal + warm * self.look.heat

    def draw(self, rolled: float, lit: float) -> None:
        """Far parts first."""
        self._underside()
        strips = list(zip(self.outline[:-1], self.outline[1:], strict=True))
        if self.eye_forward > 0:
            strips.reverse()
        for a, b in strips:
            self._strip(a, b)
        self._ends(lit)
        side = np.sign(self.eye_right)
        if abs(self.eye_right) > 0.5 * self.width * 0.9:
            self._side(side)
            for along in (0.31, -0.30):
                self._wheel(along * self.length, side, rolled)

    def _underside(self) -> None:
        """Shadowed floor and the tyres seen below the bumpers."""
        dark: Paint = (18, 18, 20, self.air + 6 * self.look.heat)
        low = 0.2 * self.height
        for along in (0.31, -0.30):
            for side in (-1, 1):
                ring = []
                for right in (0.47, 0.36):
                    ring.append(self._circle(along * self.length, side * right * self.width))
                pixels = self.pixels(np.concatenate(ring))
                if pixels is not None:
                    hull = hull_of_circles(pixels, np.full(len(pixels), 0.01))
                    self.sprite.polygon(hull, (22, 22, 24, self.air + 13 * self.look.heat))
        floor = [
            (a * self.length, low, c * self.width)
            for a, c in ((0.47, -0.46), (0.47, 0.46), (-0.47, 0.46), (-0.47, -0.46))
        ]
        self.fill(floor, dark)
        end = 0.46 if self.eye_forward > 0 else -0.46
        skirt = [
            (end * self.length, up * self.height, c * self.width)
            for up, c in ((0.12, -0.42), (0.12, 0.42), (0.24, 0.42), (0.24, -0.42))
        ]
        self.fill(skirt, dark)

    def _circle(self, along: float, right: float, share: float = 1.0) -> Points:
        """``(16, 3)`` points of a wheel's rim."""
        r = self.look.wheel
        ring = _RING * (share * r) + (along, r)
        return np.concatenate([ring, np.full((len(ring), 1), right)], axis=1)

    def _strip(self, a: tuple[float, float], b: tuple[float, float]) -> None:
        """One face across the car: bumper, hood, windscreen, roof or tail."""
        along, up = b[0] - a[0], b[1] - a[1]
        normal_along, normal_up = up * self.height, -along * self.length
        middle = ((a[0] + b[0]) / 2 * self.length, (a[1] + b[1]) / 2 * self.height)
        facing = (self.eye_forward - middle[0]) * normal_along
        facing += (self.camera.mount - middle[1]) * normal_up
        if facing <= 0:
            return
        steep = abs(normal_along) / (abs(normal_along) + abs(normal_up) + 1e-6)
        corners = [self.edge(a, -1), self.edge(b, -1), self.edge(b, 1), self.edge(a, 1)]
        glass = min(a[1], b[1]) >= self.belt - 0.05 and max(a[1], b[1]) <= 0.96 and steep > 0.15
        hood = along < 0 < a[0] and not glass and steep < 0.5
        front = a[0] > 0.4
        warm = 14.0 if hood else 9.0 if front else 1.5
        self.fill(corners, self.paint(1.12 - 0.45 * steep, warm))
        if glass:
            self._glass(corners)

    def _glass(self, corners: Sequence[Spot], inset: float = 0.1) -> None:
        """A pane inside ``corners``: dark, with sky in its upper part; cool in thermal."""
        points = np.asarray(corners)
        centre = points.mean(axis=0)
        pane = points + inset * (centre - points)
        self.fill(pane, (34, 40, 48, self.air - 3.0 + 2 * self.look.heat))
        low, high = pane[:, 1].min(), pane[:, 1].max()
        upper = pane[:, 1:2] > low + 0.55 * (high - low)
        # Corners go round, so the other end of each upright edge is its neighbour.
        shine = np.where(upper, pane, pane + 0.5 * (pane[[1, 0, 3, 2]] - pane))
        self.fill(shine, (66, 76, 87, self.air - 4.0 + 2 * self.look.heat))

    def _ends(self, lit: float) -> None:
        """Lamps, grille and number plate of the end that faces the camera."""
        front = self.eye_forward > 0.5 * self.length
        if not front and self.eye_forward > -0.5 * self.length:
            return
        sign, hot = (1.0, 10.0) if front else (-1.0, 3.0)
        lamp = (235.0, 238.0, 240.0) if front else (170.0, 26.0, 26.0)
        glow = 1.0 if not (lit and self.look.running) else 1.25

        def panel(low: float, high: float, left: float, right: float, paint: Paint) -> None:
            along = sign * 0.5 * self.length
            self.fill(
                [
                    (along, up * self.height, c * self.width)
                    for up, c in ((low, left), (low, right), (high, right), (high, left))
                ],
                paint,
            )

        warm = self.air + hot * self.look.heat
        panel(0.15, 0.24, -0.42, 0.42, (34, 34, 36, warm))
        if front:
            panel(0.28, 0.41, -0.24, 0.24, (28, 28, 30, warm + 3 * self.look.heat))
        for side in (-1.0, 1.0):
            r, g, b = (min(255.0, c * glow) for c in lamp)
            panel(0.38, 0.48, side * 0.27, side * 0.44, (r, g, b, warm + 2 * self.look.heat))
        panel(0.25, 0.31, -0.13, 0.13, (224, 224, 214, self.air))
        if not front and self.look.heat > 0.2:
            panel(0.11, 0.16, 0.20, 0.28, (60, 60, 62, self.air + 34 * self.look.heat))

    def _side(self, side: float) -> None:
        """Flank, side windows, pillars, door lines and the mirror."""
        body = [self.edge((a, min(u, self.belt)), side) for a, u in self.outline]
        self.fill(body, self.paint(0.86, 3.0))
        sill = [
            self.edge((a, u), side)
            for a, u in ((0.47, 0.16), (0.47, 0.26), (-0.47, 0.26), (-0.47, 0.16))
        ]
        self.fill(sill, self.paint(0.45, 3.0))
        upper = [p for p in self.outline if p[1] >= self.belt - 0.05]
        cabin = [self.edge(p, side) for p in upper]
        self.fill(cabin, self.paint(0.8, 1.0))
        ends = (upper[0][0] - 0.02, upper[-1][0] + 0.03)
        rear = -0.12 if self.look.kind == "van" else ends[1]
        corners = [
            (ends[0], self.belt),
            (ends[0] - 0.15, 0.93),
            (rear + 0.12, 0.93),
            (rear, self.belt),
        ]
        self._glass([self.edge(p, side) for p in corners], inset=0.07)
        for along in (0.0, -0.21):
            if along > rear:
                self._line((along, self.belt), (along, 0.92), side, 0.05, 0.7)
            self._line((along, 0.22), (along, self.belt), side, 0.012, 0.55)
        self._line((0.46, 0.5), (-0.46, 0.54), side, 0.015, 1.1)
        self._line((ends[0] - 0.03, self.belt), (ends[0] - 0.06, self.belt + 0.07), side, 0.12, 0.7)

    def _line(
        self,
        a: tuple[float, float],
        b: tuple[float, float],
        side: float,
        metres: float,
        shade: float,
    ) -> None:
        """A line on the flank, left out where it would be far thinner than a pixel."""
        if metres * self.metre < 0.25:
            return
        pixels = self.pixels([self.edge(a, side), self.edge(b, side)])
        if pixels is not None and len(pixels) > 1:
            self.sprite.outline(pixels, metres * self.metre, self.paint(shade, 2.0))

    def _wheel(self, along: float, side: float, rolled: float) -> None:
        """Arch, tyre, rim and spokes on the visible side."""
        right = side * 0.485 * self.width
        heat = self.look.heat
        arch = self._circle(along, right, 1.18)
        self.fill(arch, (16, 16, 18, self.air + 7 * heat))
        self.fill(self._circle(along, right, 1.0), (30, 30, 32, self.air + 12 * heat))
        self.fill(self._circle(along, right, 0.66), (150, 152, 156, self.air + 7 * heat))
        r = self.look.wheel
        for k in range(5 if self.metre > 25 else 0):
            turn = rolled / r + k * 2 * np.pi / 5
            wedge = [
                (along + s * r * np.cos(-turn + d), r + s * r * np.sin(-turn + d), right)
                for s, d in ((0.2, 0.0), (0.6, -0.32), (0.6, 0.32))
            ]
            self.fill(wedge, (44, 44, 48, self.air + 10 * heat))
        self.fill(self._circle(along, right, 0.14), (90, 92, 96, self.air + 14 * heat))
