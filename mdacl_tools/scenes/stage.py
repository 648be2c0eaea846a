"""Puts the moving objects of a scene in front of its backdrop, far ones first."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_ros.types import LABELS, ByteArray, FloatArray
from mdacl_tools.scenes import bicycles, car_drawing, people, person_drawing, poses, vehicles
from mdacl_tools.scenes.backdrop import Backdrop
from mdacl_tools.scenes.geometry import Points
from mdacl_tools.scenes.lighting import LAMP_TINT, lamp_light
from mdacl_tools.scenes.place import Place
from mdacl_tools.scenes.shadows import footprint, sun_outline
from mdacl_tools.scenes.sprite import COLDEST, KELVIN_PER_CODE, Sprite, soft_mask
from mdacl_tools.scenes.traffic import Mover


@dataclass(slots=True)
class Layers:
    """A frame while it is put together, all at the RGB picture's size."""

    rgb: ByteArray
    celsius: FloatArray
    depth: FloatArray
    ids: npt.NDArray[np.int16]
    lamps: list[vehicles.Lamp] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Actor:
    """One mover at one time: where it is and the pixels that enclose it."""

    index: int
    mover: Mover
    pose: poses.Pose | None
    place: tuple[float, float, float]
    rolled: float
    pixels: Points
    depth: float
    in_frame: float

    @property
    def label(self) -> int:
        """Index into LABELS."""
        kind = {people.PersonLook: "person", vehicles.CarLook: "car"}.get(
            type(self.mover.look), "bicycle"
        )
        return LABELS.index(kind)


def actors_at(time_s: float, movers: tuple[Mover, ...], place: Place) -> list[Actor]:
    """Everyone who is in front of the camera, far ones first."""
    found = []
    for index, mover in enumerate(movers):
        x, z, heading, rolled, effort = mover.track.at(time_s)
        pose, look = None, mover.look
        if isinstance(look, people.PersonLook) and mover.rides:
            pose = poses.cycling_pose(look, x, z, heading, rolled * 1.6)
        elif isinstance(look, people.PersonLook):
            phase = look.stride + rolled * 2 * np.pi / (0.82 * look.height)
            pose = poses.walking_pose(look, x, z, heading, phase, effort)
        if pose is not None:
            corners = pose.all_points()
        elif isinstance(look, vehicles.CarLook):
            corners = vehicles.car_corners(look, x, z, heading)
        else:
            corners = bicycles.bicycle_corners(x, z, heading)
        inside = place.camera.to_camera(corners)
        depth = float(inside[:, 2].mean())
        if inside[:, 2].max() < 1.0 or depth < 0.6:
            continue
        inside[:, 2] = np.maximum(inside[:, 2], 0.3)
        pixels = place.camera.to_pixels(inside)
        share = _share_inside(pixels, (place.camera.width, place.camera.height))
        if share > 0:
            # The rider sits in front of his bicycle.
            depth -= 0.02 if mover.rides else 0.0
            found.append(Actor(index, mover, pose, (x, z, heading), rolled, pixels, depth, share))
    return sorted(found, key=lambda actor: -actor.depth)


def _share_inside(pixels: Points, size: tuple[int, int]) -> float:
    """Share of the bounding box that lies in the picture."""
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    cut = np.minimum(high, size) - np.maximum(low, 0)
    return float(np.prod(np.maximum(cut, 0)) / max(float(np.prod(high - low)), 1.0))


class Stage:
    """Draws actors with the light and the climate of the moment."""

    def __init__(self, place: Place, backdrop: Backdrop, grain: FloatArray) -> None:
        self.place, self.backdrop, self.grain = place, backdrop, grain
        self.size = (place.camera.width, place.camera.height)

    def draw(self, layers: Layers, actor: Actor, darkness: float) -> float:
        """Draw one actor with its shadows.

        Returns:
            The number of its pixels inside the picture before anything nearer covers it.
        """
        air = self.place.climate.at(self.place.climate.air, darkness)
        self._shadows(layers, actor, darkness)
        sprite = self._sprite(actor, air, darkness)
        if sprite is None:
            return 0.0
        h, w = sprite.cover.shape
        view = np.s_[sprite.top : sprite.top + h, sprite.left : sprite.left + w]
        open_ = self.backdrop.occluder[view] > actor.depth - 0.4
        whole = float((sprite.cover > 127).sum())
        cover = np.where(open_, sprite.cover, 0).astype(np.float32) / 255
        seen = open_[..., None] * sprite.paint
        light = self._light(actor, darkness)
        rgb = layers.rgb[view]
        shown = rgb * (1 - cover[..., None]) + seen[..., :3] * light
        layers.rgb[view] = np.minimum(shown, 255)
        warm = seen[..., 3] * np.float32(KELVIN_PER_CODE) + COLDEST * cover
        layers.celsius[view] = layers.celsius[view] * (1 - cover) + warm
        solid = cover > 0.5
        layers.depth[view][solid] = actor.depth
        layers.ids[view][solid] = actor.index
        if isinstance(actor.mover.look, vehicles.CarLook) and darkness > 0.25:
            layers.lamps += vehicles.car_lamps(actor.mover.look, *actor.place, self.place.camera)
        return whole

    def _sprite(self, actor: Actor, air: float, darkness: float) -> Sprite | None:
        """The actor's paint and coverage."""
        camera, look = self.place.camera, actor.mover.look
        metre = camera.focal / max(actor.depth, 0.5)
        margin = 0.16 * metre + 3 if actor.pose is not None else 4.0
        sprite = Sprite.around(actor.pixels, margin, self.size)
        if sprite is None:
            return None
        if actor.pose is not None and isinstance(look, people.PersonLook):
            person_drawing.draw_person(sprite, camera, look, actor.pose, air)
            sprite.soften(min(0.012 * metre, 1.6))
            side = -np.sign(self.place.sun[0]) * (1 - 0.6 * darkness)
            sprite.round_off(0.055 * metre, float(side), 0.55)
        elif isinstance(look, vehicles.CarLook):
            car_drawing.draw_car(sprite, camera, look, actor.place, actor.rolled, air, darkness)
            sprite.soften(min(0.01 * metre, 0.9))
        elif isinstance(look, bicycles.BicycleLook):
            bicycles.draw_bicycle(sprite, camera, look, actor.place, actor.rolled * 1.6, air)
        if metre > 25 and actor.label != LABELS.index("bicycle"):
            shift = actor.mover.seed % 97
            if actor.pose is not None:
                sprite.mottle(self.grain[shift:, shift:], 0.035, 0.6)
            else:
                sprite.mottle(self.grain[shift:, shift:], 0.015, 0.12)
        return sprite

    def _light(self, actor: Actor, darkness: float) -> FloatArray:
        """RGB factors at the actor's place."""
        x, z, _ = actor.place
        foot = self.place.camera.project(np.array([x, 0.0, z]))[0]
        column = int(np.clip(foot[0], 0, self.size[0] - 1))
        row = int(np.clip(foot[1], 0, self.size[1] - 1))
        sun = float(self.backdrop.sun[row, column]) if self.place.climate.sunny else 0.6
        at = (np.float32(x), np.float32(1.0), np.float32(z))
        lamps = float(lamp_light(self.place.lamps, *(np.asarray(v) for v in at)))
        ego = self.place.ego_lamp * min(1.0, 40 / (actor.depth**2 + 30))
        base, tint = self.backdrop.lighting.brightness, self.backdrop.lighting.tint
        day = base[0] * (0.62 + 0.45 * sun) * tint[0]
        dusk = base[1] * tint[1] + 0.4 * lamps * LAMP_TINT
        night = base[2] * tint[2] + (0.62 * lamps) * LAMP_TINT + 0.8 * ego
        if darkness <= 0.5:
            return np.asarray(day + (dusk - day) * (2 * darkness), np.float32)
        return np.asarray(dusk + (night - dusk) * (2 * darkness - 1), np.float32)

    def _shadows(self, layers: Layers, actor: Actor, darkness: float) -> None:
        """Contact shadow, sun shadow, headlight pool, and warm ground under a running car."""
        camera, foot = self.place.camera, footprint(actor.mover.look, actor.place)
        metre = camera.focal / max(actor.depth, 0.5)
        self._blend(layers, [foot], 0.07 * metre, 0.5 * (1 - 0.4 * darkness))
        if self.place.climate.sunny and darkness < 0.5:
            actor_shape = (actor.mover.look, actor.pose, actor.place)
            outline = sun_outline(*actor_shape, self.place.sun, limbs=metre > 40)
            self._blend(layers, outline, 0.03 * metre, 0.4 * (1 - 2 * darkness))
        look = actor.mover.look
        if isinstance(look, vehicles.CarLook) and look.heat > 0:
            self._blend(layers, [foot], 0.12 * metre, 0.0, kelvin=4.0 * look.heat)

    def _blend(
        self, layers: Layers, ground: list[Points], sigma: float, dark: float, kelvin: float = 0.0
    ) -> None:
        """Darken and warm the ground inside world polygons with a soft edge."""
        shapes = [p for p in map(self.place.camera.project_polygon, ground) if p is not None]
        if not shapes:
            return
        sprite = Sprite.around(np.concatenate(shapes), 2 * sigma + 2, self.size)
        if sprite is None:
            return
        mask = np.zeros_like(sprite.cover)
        for pixels in shapes:
            corners = np.rint((pixels - (sprite.left + 0.5, sprite.top + 0.5)) * 16)
            cv2.fillPoly(mask, [corners.astype(np.int32)], (255,), cv2.LINE_AA, 4)
        soft = soft_mask(mask, sigma)
        h, w = soft.shape
        view = np.s_[sprite.top : sprite.top + h, sprite.left : sprite.left + w]
        if dark > 0:
            keep = 255 - cv2.convertScaleAbs(soft, alpha=dark)
            shade = cv2.merge([keep, keep, keep])
            layers.rgb[view] = cv2.multiply(layers.rgb[view], shade, scale=1 / 255)
        if kelvin:
            layers.celsius[view] += soft.astype(np.float32) * np.float32(kelvin / 255)
