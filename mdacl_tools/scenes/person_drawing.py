"""Draws a person limb by limb, far limbs first."""

from __future__ import annotations

import numpy as np

from mdacl_tools.scenes.geometry import Camera, Points
from mdacl_tools.scenes.people import PersonLook
from mdacl_tools.scenes.poses import Pose
from mdacl_tools.scenes.sprite import Paint, Sprite, hull_of_circles


def draw_person(sprite: Sprite, camera: Camera, look: PersonLook, pose: Pose, air: float) -> None:
    """Draw the body far parts first."""
    body = _Body(sprite, camera, look, pose, air)
    legs = sorted((0, 1), key=lambda i: -body.depth(pose.knees[i]))
    arms = sorted((0, 1), key=lambda i: -body.depth(pose.elbows[i]))
    back_first = body.depth(pose.neck - pose.forward) > body.depth(pose.neck)
    body.arm(arms[0], far=True)
    if back_first:
        body.backpack()
    body.leg(legs[0], far=True)
    body.leg(legs[1], far=False)
    body.torso()
    if not back_first:
        body.backpack()
    body.head()
    body.arm(arms[1], far=False)


class _Body:
    """One person while being drawn: projected joints and paints at hand."""

    def __init__(
        self, sprite: Sprite, camera: Camera, look: PersonLook, pose: Pose, air: float
    ) -> None:
        self.sprite, self.camera, self.look, self.pose, self.air = sprite, camera, look, pose, air
        self.scale = camera.focal / max(self.depth(pose.neck), 0.3) * look.height

    def depth(self, point: Points) -> float:
        """Metres along the optical axis."""
        return float(self.camera.to_camera(point)[2])

    def at(self, points: Points) -> Points:
        """Pixels of world points."""
        return self.camera.project(points)[0]

    def paint(self, rgb: tuple[int, int, int], warmth: float, shade: float = 1.0) -> Paint:
        """Colour and surface temperature; ``warmth`` 1 is bare skin."""
        celsius = self.air + warmth * (self.look.skin_celsius - self.air)
        return rgb[0] * shade, rgb[1] * shade, rgb[2] * shade, celsius

    def limb(self, a: Points, b: Points, radii: tuple[float, float], paint: Paint) -> None:
        """A tapered limb between world points, radii as shares of the body height."""
        ends = self.at(np.stack([a, b]))
        self.sprite.capsule(ends[0], ends[1], radii[0] * self.scale, radii[1] * self.scale, paint)

    def leg(self, i: int, *, far: bool) -> None:
        """Shoe, shin and thigh of one side."""
        look, pose, shade = self.look, self.pose, 0.78 if far else 1.0
        toe = pose.ankles[i] + pose.forward * 0.09 * look.height
        toe = toe - np.array([0.0, 0.022 * look.height, 0.0])
        cloth = self.paint(look.bottom, look.bottom_warmth, shade)
        shin = self.paint(look.skin, 0.93, shade) if look.shorts else cloth
        self.limb(pose.ankles[i], toe, (0.024, 0.018), self.paint(look.shoes, 0.35, shade))
        self.limb(pose.knees[i], pose.ankles[i], (0.034 * look.build, 0.024), shin)
        self.limb(pose.hips[i], pose.knees[i], (0.05 * look.build, 0.036 * look.build), cloth)

    def arm(self, i: int, *, far: bool) -> None:
        """Hand, forearm and upper arm of one side."""
        look, pose, shade = self.look, self.pose, 0.74 if far else 1.1
        cloth = self.paint(look.top, look.top_warmth - 0.04, shade)
        skin = self.paint(look.skin, 0.95, shade)
        palm = pose.hands[i] + 0.03 * (pose.hands[i] - pose.elbows[i])
        self.limb(pose.hands[i], palm, (0.018, 0.017), skin)
        self.limb(pose.elbows[i], pose.hands[i], (0.023, 0.017), cloth if look.sleeves else skin)
        wide = (0.031 * look.build, 0.025 * look.build)
        self.limb(pose.shoulders[i], pose.elbows[i], wide, cloth)

    def torso(self) -> None:
        """The top from the shoulders to its hem."""
        look, pose, build = self.look, self.pose, self.look.build
        hem = pose.hips + (pose.knees - pose.hips) * look.coat
        waist = 0.45 * pose.shoulders + 0.55 * pose.hips
        points = self.at(np.concatenate([pose.shoulders, waist, hem]))
        radii = np.array([0.033, 0.033, 0.043, 0.043, 0.044, 0.044]) * self.scale * build
        shell = hull_of_circles(points, radii)
        self.sprite.polygon(shell, self.paint(look.top, look.top_warmth))
        chest = hull_of_circles(
            self.at(np.concatenate([pose.shoulders * 0.8 + waist * 0.2, waist])), radii[:4] * 0.55
        )
        self.sprite.polygon(chest, self.paint(look.top, look.top_warmth + 0.05, 1.07))

    def head(self) -> None:
        """Neck, hair and, when it can be seen, the face."""
        look, pose, up = self.look, self.pose, np.array([0.0, 1.0, 0.0])
        h = look.height
        self.limb(pose.neck, pose.head, (0.032, 0.03), self.paint(look.skin, 0.98, 0.85))
        away = self.camera.to_camera(pose.head + pose.forward)[2] - self.depth(pose.head)
        crown, chin = pose.head + 0.012 * h * up, pose.head - 0.03 * h * up
        hair = self.paint(look.hair, 0.78)
        face = pose.forward * 0.018 * h
        if away > 0.35:
            self.limb(chin + face, chin + face, (0.042, 0.042), self.paint(look.skin, 1.0, 0.9))
            self.limb(crown, chin, (0.056, 0.046), hair)
            return
        self.limb(crown + 0.016 * h * up - face * 0.6, chin - face, (0.053, 0.042), hair)
        front = pose.head - 0.016 * h * up + face * 1.3
        self.limb(front, chin + face, (0.041, 0.036), self.paint(look.skin, 1.0, 0.94))
        if self.scale > 110:
            dark = self.paint(look.skin, 0.97, 0.7)
            brow = front + 0.006 * h * up + pose.forward * 0.03 * h
            across = np.array([pose.forward[2], 0.0, -pose.forward[0]]) * 0.017 * h
            self.limb(brow - across, brow + across, (0.007, 0.007), dark)
            mouth = chin + pose.forward * 0.035 * h
            self.limb(mouth - 0.5 * across, mouth + 0.5 * across, (0.006, 0.006), dark)

    def backpack(self) -> None:
        """A bag on the back, nearly at air temperature."""
        if self.look.bag is None:
            return
        h, pose = self.look.height, self.pose
        back = (pose.shoulders.mean(axis=0) + pose.hips.mean(axis=0)) / 2 - pose.forward * 0.085 * h
        up = np.array([0.0, 0.09 * h, 0.0])
        side = (pose.shoulders[1] - pose.shoulders[0]) * 0.32
        corners = np.stack([back + up + side, back + up - side, back - up + side, back - up - side])
        shell = hull_of_circles(self.at(corners), np.full(4, 0.04 * self.scale))
        self.sprite.polygon(shell, self.paint(self.look.bag, 0.22))
