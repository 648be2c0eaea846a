"""A simulated place that can be photographed at any time by a colour and a thermal camera."""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.types import ByteArray, FloatArray
from mdacl_tools.scenes.atmosphere import THERMAL_SMOKE, Glare, RgbSensor, Smoke, glow_disc
from mdacl_tools.scenes.backdrop import make_backdrop
from mdacl_tools.scenes.config import Conditions, SceneConfig, SimulatedPair
from mdacl_tools.scenes.lighting import DAY, DUSK
from mdacl_tools.scenes.place import make_place
from mdacl_tools.scenes.render_thermal import ThermalSensor
from mdacl_tools.scenes.stage import Actor, Layers, Stage, actors_at
from mdacl_tools.scenes.textures import stock_noise
from mdacl_tools.scenes.traffic import make_traffic
from mdacl_tools.scenes.vehicles import Lamp

MIN_VISIBILITY = 0.25
MIN_HEIGHT = 9
"""Objects lower than this many pixels are drawn but not labelled."""


class Scene:
    """One place with its traffic.

    Args:
        config: What to simulate.

    Attributes:
        config: As given.
        place: Camera, climate and layout that the seed chose.
    """

    def __init__(self, config: SceneConfig) -> None:
        self.config = config
        rng = np.random.default_rng([config.seed, 7])
        self.place = make_place(config, rng)
        self._traffic = make_traffic(config, self.place, rng)
        self._backdrop = make_backdrop(self.place, rng)
        self._stage = Stage(self.place, self._backdrop, stock_noise(rng, (1.2, 5.0), 1024))
        self._smoke = Smoke(rng, config.size)
        self._glare = Glare(rng, config.size)
        self._rgb_sensor = RgbSensor(rng, config.size)
        self._thermal_sensor = ThermalSensor(rng, config.thermal_size)
        self._disc = glow_disc()

    def render(self, time_s: float, conditions: Conditions | None = None) -> SimulatedPair:
        """Photograph the scene.

        Args:
            time_s: Seconds since the scene's start.
            conditions: Light and air; the config's own when not given.

        Returns:
            Both pictures of the same instant with their ground truth.
        """
        now = conditions or self.config.conditions
        layers = self._bare(now.darkness)
        actors = actors_at(time_s, self._traffic, self.place)
        areas = {a.index: self._stage.draw(layers, a, now.darkness) for a in actors}
        for lamp in layers.lamps:
            self._shine(layers, lamp, now.darkness)
        rng = np.random.default_rng([self.config.seed, 11, round(time_s * 1000) & 0x7FFFFFFF])
        rgb, celsius = layers.rgb, layers.celsius
        if now.smoke > 0.01:
            tau = self._smoke.optical_depth(time_s, now.smoke, layers.depth)
            rgb = self._smoke.veil(rgb, tau, time_s, self._ambient(now.darkness))
            share = 1 - cv2.exp(-THERMAL_SMOKE * tau)
            air = self.place.climate.at(self.place.climate.air, now.darkness) + 2.0
            celsius = celsius + (air - celsius) * share
        if now.glare > 0.01:
            rgb = self._glare.add(rgb, now.glare)
        rgb = self._rgb_sensor.expose(rgb, now.darkness, rng)
        thermal = self._thermal_sensor.expose(celsius, time_s, rng)
        boxes, labels, visibility, ids = self._truth(actors, areas, layers)
        return SimulatedPair(rgb, thermal, boxes, labels, visibility, ids)

    def _bare(self, darkness: float) -> Layers:
        """The backdrop at this darkness."""
        lighting = self._backdrop.lighting
        before = DAY if darkness < 0.5 else DUSK
        share = 2 * darkness - before
        if share in (0, 1):
            rgb = lighting.picture(before + int(share)).copy()
        else:
            low, high = lighting.picture(before), lighting.picture(before + 1)
            rgb = np.asarray(cv2.addWeighted(low, 1 - share, high, share, 0), np.uint8)
        warm, cold = self._backdrop.celsius
        celsius = np.asarray(cv2.addWeighted(warm, 1 - darkness, cold, darkness, 0), np.float32)
        ids = np.full(rgb.shape[:2], -1, np.int16)
        return Layers(rgb, celsius, self._backdrop.depth.copy(), ids)

    def _ambient(self, darkness: float) -> float:
        """Brightness of smoke in the light of the moment."""
        day, dusk, night = self._backdrop.lighting.brightness
        levels = (0.95 * day, 1.1 * dusk, night + 0.1)
        return float(np.interp(darkness, (0, 0.5, 1), levels))

    def _shine(self, layers: Layers, lamp: Lamp, darkness: float) -> None:
        """Bloom of a vehicle lamp that nothing hides."""
        pixel, depth = self.place.camera.project(lamp.position)
        w, h = self.config.size
        column, row = int(pixel[0]), int(pixel[1])
        if not (0 <= column < w and 0 <= row < h) or layers.depth[row, column] < depth - 3.0:
            return
        radius = int(lamp.radius * self.place.camera.focal / float(depth) * (0.6 + darkness)) + 3
        disc = cv2.resize(self._disc, (2 * radius, 2 * radius))
        x0, y0 = max(column - radius, 0), max(row - radius, 0)
        x1, y1 = min(column + radius, w), min(row + radius, h)
        part = disc[
            y0 - row + radius : y1 - row + radius, x0 - column + radius : x1 - column + radius
        ]
        light = part[..., None] * np.asarray(lamp.colour, np.float32) * (0.35 + 0.65 * darkness)
        layers.rgb[y0:y1, x0:x1] = np.minimum(layers.rgb[y0:y1, x0:x1] + light, 255)

    def _truth(
        self, actors: list[Actor], areas: dict[int, float], layers: Layers
    ) -> tuple[FloatArray, np.ndarray, FloatArray, np.ndarray]:
        """Boxes around what is left of each actor after the nearer ones were drawn."""
        rows: list[tuple[list[float], int, float]] = []
        ids = np.full_like(layers.ids, -1)
        for actor in actors:
            box, count = _extent(layers.ids, actor)
            if box is None or areas[actor.index] == 0:
                continue
            visible = count / areas[actor.index] * actor.in_frame
            if visible < MIN_VISIBILITY or box[3] - box[1] < MIN_HEIGHT or box[2] - box[0] < 3:
                continue
            ids[layers.ids == actor.index] = len(rows)
            rows.append((box, actor.label, min(1.0, visible)))
        boxes = np.array([r[0] for r in rows], np.float32).reshape(-1, 4)
        labels = np.array([r[1] for r in rows], np.int64)
        return boxes, labels, np.array([r[2] for r in rows], np.float32), ids


def _extent(ids: np.ndarray, actor: Actor) -> tuple[list[float] | None, int]:
    """Box of the actor's remaining pixels and their number."""
    size = (ids.shape[1], ids.shape[0])
    reach = (actor.pixels.max(axis=0) - actor.pixels.min(axis=0)).max() * 0.3 + 4
    low = np.clip(np.floor(actor.pixels.min(axis=0) - reach).astype(int), 0, size)
    high = np.clip(np.ceil(actor.pixels.max(axis=0) + reach).astype(int), 0, size)
    mask: ByteArray = (ids[low[1] : high[1], low[0] : high[0]] == actor.index).astype(np.uint8)
    count = int(cv2.countNonZero(mask)) if mask.size else 0
    if count < 12:
        return None, 0
    x, y, w, h = cv2.boundingRect(mask)
    left, top = float(x + low[0]), float(y + low[1])
    return [left, top, left + w, top + h], count
