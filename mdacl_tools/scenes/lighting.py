"""The fixed part of a scene under three lights: day, dusk and night."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_ros.types import ByteArray, FloatArray
from mdacl_tools.scenes.place import Place
from mdacl_tools.scenes.textures import sample_tile, stock_noise

LAMP_TINT = np.array([1.0, 0.86, 0.62], np.float32)
LAMP_HEIGHT = 5.0
DAY, DUSK, NIGHT = range(3)
Tone = tuple[float, float, float]


def lamp_light(
    lamps: tuple[tuple[float, float], ...], x: FloatArray, y: FloatArray, z: FloatArray
) -> FloatArray:
    """Light of the street lamps at world points, about 1 straight below one."""
    total = np.zeros(np.shape(x), np.float32)
    for lx, lz in lamps:
        head = lx + (-0.6 if lx > 0 else 0.6)
        distance = (x - head) ** 2 + (y - LAMP_HEIGHT) ** 2 + (z - lz) ** 2
        below = np.clip(LAMP_HEIGHT + 0.3 - y, 0.15, 1)
        total += below * 22.0 / (distance + 6.0)
    return np.asarray(np.minimum(total, 1.3), np.float32)


@dataclass(frozen=True, slots=True)
class Reflectance:
    """What the lights fall on, at picture resolution.

    Attributes:
        colour: ``(H, W, 3)`` float32 reflectance 0..255.
        glow: ``(H, W, 3)`` uint8 light given off at night.
        sky: ``(H, W)`` float32 share of sky.
        sun: ``(H, W)`` float32 share of direct sun.
        depth: ``(H, W)`` float32 metres.
    """

    colour: FloatArray
    glow: ByteArray
    sky: FloatArray
    sun: FloatArray
    depth: FloatArray


class Lighting:
    """Lights one place; every picture is made when first asked for.

    Attributes:
        brightness: Mean light factor of day, dusk and night for things without a lamp near.
        tint: RGB factors of day, dusk and night light.
    """

    def __init__(self, place: Place, rng: np.random.Generator, surface: Reflectance) -> None:
        self.place, self.surface = place, surface
        sunny = place.climate.sunny
        self.brightness: Tone = (
            float(rng.uniform(0.85, 1.1) if sunny else rng.uniform(0.6, 0.95)),
            float(rng.uniform(0.3, 0.5)),
            float(rng.uniform(0.03, 0.16)),
        )
        warm = rng.uniform(-0.05, 0.07)
        tints = (
            (1 + warm, 1.0, 1 - warm),
            (1.0, rng.uniform(0.8, 0.92), rng.uniform(0.85, 1.05)),
            (rng.uniform(0.75, 1.0), rng.uniform(0.85, 1.05), rng.uniform(0.75, 1.1)),
        )
        self.tint = tuple(np.array(t, np.float32) for t in tints)
        self._haze = float(rng.uniform(0.0005, 0.004))
        self._afterglow = float(rng.uniform(0.3, 1.0))
        self._city = float(rng.uniform(2, 26))
        self._cover = float(rng.uniform(0.35, 0.8) if sunny else rng.uniform(0.85, 1.0))
        self._tile = stock_noise(rng, (6.0, 16.0, 40.0))
        self._pictures: dict[int, ByteArray] = {}

    def picture(self, light: int) -> ByteArray:
        """``(H, W, 3)`` uint8 of the place by DAY, at DUSK or at NIGHT; do not write into it."""
        if light not in self._pictures:
            self._pictures[light] = (self._day, self._dusk, self._night)[light]()
        return self._pictures[light]

    def _lamps(self) -> FloatArray:
        """``(H, W, 1)`` light of the street lamps on every surface."""
        rays, depth = self.place.camera.rays(), self.surface.depth
        y = np.maximum(rays[..., 1] * depth + np.float32(self.place.camera.mount), 0)
        light = lamp_light(self.place.lamps, rays[..., 0] * depth, y, rays[..., 2] * depth)
        return light[..., None]

    def _sky(self, top: Tone, low: Tone, cloud: Tone, share: float) -> FloatArray:
        """Gradient from the horizon up, with clouds on a dome."""
        rays = self.place.camera.rays()
        rise = rays[..., 1] / np.sqrt((rays * rays).sum(axis=-1))
        scale = np.float32(90) / (np.abs(rise) + np.float32(0.22))
        u = np.arctan2(rays[..., 0], rays[..., 2]) * np.float32(1.2) * scale
        clouds = np.clip(0.5 + 0.35 * sample_tile(self._tile, u, scale * np.float32(2.4)), 0, 1)
        height = (np.clip(rise * 2.6, 0, 1) ** 0.7)[..., None]
        base = np.array(low, np.float32) * (1 - height) + np.array(top, np.float32) * height
        veil = (clouds * np.float32(share))[..., None]
        return np.asarray(base * (1 - veil) + np.array(cloud, np.float32) * veil, np.float32)

    def _finish(
        self, ground: FloatArray, sky: FloatArray, haze: float, extra: FloatArray | None
    ) -> ByteArray:
        """Join ground and sky, add aerial haze and light sources."""
        far = 1 - np.exp(np.float32(-haze) * np.minimum(self.surface.depth, 400))
        open_ = self.surface.sky > 0.9
        horizon = sky[open_].mean(axis=0) if open_.any() else sky.mean(axis=(0, 1))
        ground = ground + (horizon - ground) * far[..., None]
        joined = ground + (sky - ground) * self.surface.sky[..., None]
        if extra is not None:
            joined = joined + extra
        return np.asarray(np.clip(joined, 0, 255), np.uint8)

    def _day(self) -> ByteArray:
        """Sunlight with shadows, or an overcast sky."""
        sunny, level = self.place.climate.sunny, np.float32(1.12 * self.brightness[DAY])
        ground = self.surface.colour * (self.tint[DAY] * level)
        if sunny:
            shade = (0.5 - 0.5 * self.surface.sun)[..., None]
            # What is left in the shade is the blue of the sky.
            ground = ground * (1 - shade * np.array([0.89, 0.884, 0.87], np.float32))
        blue = (96.0, 146.0, 208.0) if sunny else (176.0, 186.0, 196.0)
        sky = self._sky(blue, (206.0, 220.0, 232.0), (238.0, 240.0, 242.0), self._cover)
        return self._finish(ground, sky, self._haze, None)

    def _dusk(self) -> ByteArray:
        """A coloured horizon; lamps and some windows are on."""
        light = self.brightness[DUSK] * self.tint[DUSK] + self._lamps() * (0.4 * LAMP_TINT)
        low = (236.0, 190 - 40 * self._afterglow, 170 - 70 * self._afterglow)
        sky = self._sky((88.0, 104.0, 148.0), low, (196.0, 160.0, 160.0), 0.5)
        glow = self.surface.glow
        extra = np.float32(0.65) * glow + np.float32(0.4) * glow_halo(glow)
        return self._finish(self.surface.colour * light, sky * np.float32(0.9), 0.002, extra)

    def _night(self) -> ByteArray:
        """Street lamps, windows and their bloom in the dark."""
        ego = self.place.ego_lamp * np.clip(40 / (self.surface.depth**2 + 30), 0, 1)
        light = self.brightness[NIGHT] * self.tint[NIGHT] + self._lamps() * (0.62 * LAMP_TINT)
        light = light + np.float32(0.8) * ego[..., None].astype(np.float32)
        city = self._city
        low = (city * 1.1, city, city * 0.95)
        sky = self._sky((3.0, 4.0, 9.0), low, (city, city, city), 0.4)
        glow = self.surface.glow
        extra = np.float32(0.95) * glow + np.float32(1.3) * glow_halo(glow)
        return self._finish(self.surface.colour * light, sky, 0.001, extra)


def glow_halo(glow: ByteArray) -> FloatArray:
    """The bloom a lens puts around bright sources; ``(H, W, 3)`` float32 like the input."""
    small = cv2.resize(glow, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    level = small.astype(np.float32)
    near, far = cv2.GaussianBlur(level, (0, 0), 2.0), cv2.GaussianBlur(level, (0, 0), 11.0)
    halo = cv2.addWeighted(near, 0.35, far, 0.55, 0)
    return np.asarray(cv2.resize(halo, (glow.shape[1], glow.shape[0])), np.float32)
