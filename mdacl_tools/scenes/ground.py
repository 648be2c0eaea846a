"""The ground plane: road, pavement, grass, lane marks, patches, puddles and shadows."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_ros.types import FloatArray
from mdacl_tools.scenes.place import Place
from mdacl_tools.scenes.static_canvas import FAR, LEAVES, ROAD, StaticCanvas
from mdacl_tools.scenes.textures import sample_tile, stock_noise

Mask = npt.NDArray[np.bool_]


def paint_ground(canvas: StaticCanvas, place: Place, rng: np.random.Generator) -> None:
    """Paint every pixel whose ray meets the ground; leaves the sky above untouched."""
    rays = canvas.camera.rays()
    down = rays[..., 1]
    first = int(np.argmax((down < -0.004).any(axis=1)))
    depth = np.where(
        down[first:] < -0.004, place.camera.mount / np.maximum(-down[first:], 1e-6), FAR
    )
    x, z = rays[first:, :, 0] * depth, rays[first:, :, 2] * depth
    below = depth < FAR
    ground = _Ground(place, rng, np.asarray(x, np.float32), np.asarray(z, np.float32))
    colour, kelvin = ground.paint()
    canvas.colour[first:][below] = np.clip(colour, 0, 255).astype(np.uint8)[below]
    canvas.kelvin[first:][below] = kelvin[below]
    canvas.material[first:][below] = np.where(ground.grass, LEAVES, ROAD).astype(np.uint8)[below]
    canvas.depth[first:][below] = depth.astype(np.float32)[below]


class _Ground:
    """World coordinates of the ground's pixels and what lies there."""

    def __init__(
        self, place: Place, rng: np.random.Generator, x: FloatArray, z: FloatArray
    ) -> None:
        self.place, self.rng, self.x, self.z = place, rng, x, z
        self.fine = stock_noise(rng, (0.0, 1.5))
        self.coarse = stock_noise(rng, (6.0, 20.0))
        self.left, self.right = place.road
        self.grass = np.zeros(x.shape, bool)

    def paint(self) -> tuple[FloatArray, FloatArray]:
        """Colour ``(h, w, 3)`` 0..255 and kelvin ``(h, w)`` relative to the material."""
        rng, x, z = self.rng, self.x, self.z
        near = np.clip(1.3 - z / 22, 0.15, 1.0).astype(np.float32)
        grain = np.asarray(sample_tile(self.fine, x * 46, z * 46) * near, np.float32)
        blotch = sample_tile(self.coarse, x * 9, z * 9)
        tint = np.array([1.0, 1.0, 1.02]) + rng.normal(0, 0.03, 3)
        base = rng.uniform(70, 135)
        shade = base * (1 + 0.07 * grain + 0.07 * blotch)
        colour = (shade[..., None] * tint).astype(np.float32)
        kelvin = (0.25 * grain + 0.7 * blotch).astype(np.float32)
        if self.place.layout == "street":
            self._margins(colour, kelvin, grain, blotch)
            self._marks(colour, kelvin)
        else:
            self._paving(colour, kelvin, rng.uniform(0.4, 1.6), self.left - 100, self.right + 100)
            self._yard_lines(colour, kelvin)
        self._patches(colour, kelvin)
        return colour, kelvin

    def _margins(
        self, colour: FloatArray, kelvin: FloatArray, grain: FloatArray, blotch: FloatArray
    ) -> None:
        """Kerbs, pavements and grass strips beside the road."""
        rng = self.rng
        aside = (self.x < self.left) | (self.x > self.right)
        stone = rng.uniform(110, 185) * np.array([1.0, 0.98, 0.94])
        colour[aside] = (stone * (1 + 0.06 * (grain + blotch))[..., None])[aside]
        kelvin[aside] += rng.uniform(-2, 1)
        self._paving(colour, kelvin, rng.uniform(0.3, 0.8), -1e3, 1e3, aside)
        off = np.maximum(self.left - self.x, self.x - self.right)
        kerb = (off > -0.05) & (off < 0.22)
        colour[kerb] = stone * 1.12
        gutter = (off > -0.4) & (off <= -0.05)
        colour[gutter] *= 0.86
        if rng.random() < 0.5:
            start = rng.uniform(0.3, 3.0)
            self.grass = (off > start) & (off < start + rng.uniform(0.8, 6))
            green = np.array([74, 98, 46]) * rng.uniform(0.6, 1.1) + rng.normal(0, 6, 3)
            lush = green * (1 + 0.22 * grain + 0.14 * blotch)[..., None]
            colour[self.grass] = lush[self.grass]
            kelvin[self.grass] = (0.8 * grain + 0.4 * blotch)[self.grass]

    def _paving(
        self, colour: FloatArray, kelvin: FloatArray, pitch: float, low: float, high: float,
        where: Mask | None = None,
    ) -> None:  # fmt: skip
        """Joints between slabs, fading out where they are finer than the pixels."""
        inside = (self.x > low) & (self.x < high)
        inside = inside if where is None else inside & where
        joint = (np.mod(self.x, pitch) < 0.035) | (np.mod(self.z, pitch) < 0.045)
        fade = np.clip(1.2 - self.z * 0.06 / pitch, 0, 1) * (joint & inside)
        colour *= (1 - 0.32 * fade)[..., None]
        kelvin -= 0.5 * fade
        checker = (np.floor(self.x / pitch) * 7 + np.floor(self.z / pitch) * 13) % 5
        colour *= (1 + 0.02 * (checker - 2) * inside)[..., None]

    def _marks(self, colour: FloatArray, kelvin: FloatArray) -> None:
        """Edge lines, a dashed centre line, a crossing, worn by traffic."""
        rng, x, z = self.rng, self.x, self.z
        middle = (self.left + self.right) / 2
        mark = np.zeros(x.shape, bool)
        if rng.random() < 0.8:
            dash = np.mod(z, 6.0) < 3.2 if rng.random() < 0.7 else np.ones_like(mark)
            mark |= (np.abs(x - middle) < 0.08) & dash
        if rng.random() < 0.7:
            mark |= (np.abs(x - self.left - 0.45) < 0.07) | (np.abs(x - self.right + 0.45) < 0.07)
        if rng.random() < 0.45:
            start = rng.uniform(7, 20)
            rows = (z > start) & (z < start + 3) & (x > self.left + 0.6) & (x < self.right - 0.6)
            mark |= rows & (np.mod(x, 0.95) < 0.48)
            mark |= (np.abs(z - start + 1.4) < 0.2) & (x > middle) & (x < self.right - 0.5)
        worn = np.clip(0.8 + 0.2 * sample_tile(self.fine, x * 20, z * 20), 0.25, 1.0)
        white = np.array([222, 220, 210]) * rng.uniform(0.8, 1.05)
        share = (mark * worn * np.clip(1.4 - z / 70, 0.3, 1))[..., None]
        colour[:] = colour * (1 - share) + white * share
        kelvin -= 0.9 * mark

    def _yard_lines(self, colour: FloatArray, kelvin: FloatArray) -> None:
        """Parking bays or bands of another stone."""
        rng = self.rng
        if rng.random() < 0.5:
            start = rng.uniform(7, 12)
            bay = (np.mod(self.x, 2.6) < 0.1) & (self.z > start) & (self.z < start + 5)
            colour[bay] = 205
            kelvin[bay] -= 0.8
        else:
            band = np.mod(self.z + rng.uniform(0, 4), rng.uniform(4, 9)) < 0.5
            colour[band] *= rng.uniform(0.65, 1.25)

    def _patches(self, colour: FloatArray, kelvin: FloatArray) -> None:
        """Repairs, manholes (warm from the sewer) and puddles (cold, reflecting the sky)."""
        rng = self.rng
        for _ in range(int(rng.integers(1, 7))):
            cx, cz = rng.uniform(-7, 7), rng.uniform(3.5, 26)
            rx, rz = rng.uniform(0.3, 2.0), rng.uniform(0.3, 2.5)
            kind = rng.random()
            if kind < 0.35:
                spot = (np.abs(self.x - cx) < rx) & (np.abs(self.z - cz) < rz)
                colour[spot] *= rng.uniform(0.7, 1.15)
                kelvin[spot] += rng.uniform(-1.0, 1.4)
                continue
            round_ = kind < 0.65
            rx, rz = (0.33, 0.33) if round_ else (rx, rz)
            field = ((self.x - cx) / rx) ** 2 + ((self.z - cz) / rz) ** 2
            if round_:
                disc = field < 1
                colour[disc] = colour[disc] * 0.3 + 22 * (
                    1 + (np.mod(self.x, 0.12) < 0.06)[disc, None]
                )
                kelvin[disc] += rng.uniform(-1, 7)
            else:
                field = field + 0.35 * sample_tile(self.coarse, self.x * 25, self.z * 25)
                wet = np.clip(1.3 - field, 0, 1)[..., None] * rng.uniform(0.4, 0.85)
                colour[:] = colour * (1 - wet) + np.array([150, 160, 172]) * 0.75 * wet
                kelvin -= 3.0 * wet[..., 0]


def sun_shadow(place: Place, canvas: StaticCanvas, rng: np.random.Generator) -> FloatArray:
    """``(H, W)`` share of direct sun at canvas resolution: 1 lit, 0 in the shade of the scene."""
    rays = canvas.camera.rays()
    point_x, point_z = rays[..., 0] * canvas.depth, rays[..., 2] * canvas.depth
    up = np.maximum(rays[..., 1] * canvas.depth + place.camera.mount, 0)
    sx, sy, sz = place.sun
    lit = np.ones(canvas.depth.shape, np.float32)
    foot_x, foot_z = point_x - sx / sy * up, point_z - sz / sy * up
    leaves = stock_noise(rng, (2.0, 8.0))
    for prop in place.props:
        if prop.kind not in ("tree", "bush"):
            continue
        high = (3.6 if prop.kind == "tree" else 0.6) * prop.size
        cx, cz = prop.x - sx / sy * high, prop.z - sz / sy * high
        field = ((foot_x - cx) ** 2 + (foot_z - cz) ** 2) / (2.0 * prop.size) ** 2
        dapple = 0.35 * sample_tile(
            leaves, np.asarray(foot_x * 40, np.float32), np.asarray(foot_z * 40, np.float32)
        )
        lit -= np.clip(1.15 - field + dapple, 0, 1) * 0.85
    edge = place.walls[0] if sx > 0 else place.walls[1]
    reach = abs(sx / sy) * rng.uniform(3, 9)
    inside = (point_x - edge) * np.sign(sx)
    lit -= np.clip((reach - np.abs(inside)) * 3, 0, 1) * (inside > -0.5) * (up < 0.6)
    return cv2.GaussianBlur(np.clip(lit, 0, 1), (0, 0), 1.2).astype(np.float32)
