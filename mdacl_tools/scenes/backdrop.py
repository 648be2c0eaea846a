"""The finished fixed part of a scene: pictures by light, temperature maps, and depth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_ros.types import FloatArray
from mdacl_tools.scenes.ground import paint_ground, sun_shadow
from mdacl_tools.scenes.lighting import Lighting, Reflectance
from mdacl_tools.scenes.place import Place
from mdacl_tools.scenes.props import paint_things
from mdacl_tools.scenes.static_canvas import (
    AIR,
    FAR,
    LEAVES,
    ROAD,
    SKY,
    WALL,
    StaticCanvas,
)
from mdacl_tools.scenes.textures import stock_noise


@dataclass(frozen=True, slots=True)
class Backdrop:
    """Everything fixed, at picture resolution.

    Attributes:
        lighting: RGB pictures of the place.
        celsius: Day and night: ``(H, W)`` float32 each.
        depth: ``(H, W)`` float32 metres along the optical axis.
        occluder: ``(H, W)`` float32 depth of what can hide a moving object, FAR elsewhere.
        sun: ``(H, W)`` float32 share of direct sun.
    """

    lighting: Lighting
    celsius: tuple[FloatArray, FloatArray]
    depth: FloatArray
    occluder: FloatArray
    sun: FloatArray


def make_backdrop(place: Place, rng: np.random.Generator) -> Backdrop:
    """Paint the place finely and average it down."""
    canvas = StaticCanvas(place.camera)
    paint_ground(canvas, place, rng)
    paint_things(canvas, place, rng)
    sun = sun_shadow(place, canvas, rng) if place.climate.sunny else np.zeros_like(canvas.depth)
    every = np.s_[:: canvas.scale, :: canvas.scale]
    depth = np.ascontiguousarray(canvas.depth[every])
    occluder = np.where(canvas.hides[every] > 0, depth, np.float32(FAR))
    surface = Reflectance(
        colour=_averaged(canvas.colour, place).astype(np.float32),
        glow=np.asarray(_averaged(canvas.glow, place), np.uint8),
        sky=_averaged((canvas.material == SKY).astype(np.float32), place),
        sun=_averaged(sun, place),
        depth=depth,
    )
    return Backdrop(
        lighting=Lighting(place, rng, surface),
        celsius=_temperatures(place, canvas, surface, rng),
        depth=depth,
        occluder=np.ascontiguousarray(occluder),
        sun=surface.sun,
    )


def _averaged(layer: np.ndarray, place: Place) -> np.ndarray:
    """A canvas layer at picture resolution."""
    size = (place.camera.width, place.camera.height)
    return np.asarray(cv2.resize(layer, size, interpolation=cv2.INTER_AREA))


def _temperatures(
    place: Place, canvas: StaticCanvas, surface: Reflectance, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Apparent temperature by day and by night in degrees Celsius."""
    climate, rays = place.climate, place.camera.rays()
    up = np.clip(rays[..., 1] / np.linalg.norm(rays, axis=-1) * 2.2, 0, 1) ** 0.5
    road = _averaged((canvas.material == ROAD).astype(np.float32), place)
    size, maps = (place.camera.width, place.camera.height), []
    for k in (0, 1):
        level = np.zeros(5, np.float32)
        level[[ROAD, WALL, LEAVES]] = climate.road[k], climate.wall[k], climate.leaves[k]
        level[[AIR, SKY]] = climate.air[k] - 0.5, climate.air[k] - 2
        celsius = _averaged(level[canvas.material] + canvas.kelvin, place)
        if k == 0 and climate.sunny:
            gain = 0.45 * (climate.road[0] - climate.air[0])
            celsius = celsius - gain * (1 - surface.sun) * road
        veil = cv2.resize(stock_noise(rng, (4.0, 12.0), 128), size, interpolation=cv2.INTER_CUBIC)
        cold = (climate.sky[k] - climate.air[k] + 2) * up + 0.8 * veil
        maps.append(np.asarray(celsius + surface.sky * cold, np.float32))
    return maps[0], maps[1]
