"""Walking and cycling people: a jointed body in metres, projected limb by limb."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdacl_ros.simulation.geometry import Camera, Points, heading_axes
from mdacl_ros.simulation.sprite import Paint, Sprite, hull_of_circles

_SKINS = ((236, 196, 170), (214, 165, 132), (176, 124, 92), (128, 86, 62), (92, 62, 46))
_HAIRS = ((26, 22, 20), (52, 38, 28), (96, 68, 44), (148, 140, 134), (150, 112, 64))
_TOPS = (
    (28, 30, 36), (54, 58, 66), (34, 44, 74), (120, 124, 130), (196, 194, 188), (226, 224, 220),
    (150, 38, 40), (188, 72, 48), (46, 84, 62), (92, 110, 76), (196, 164, 60), (88, 60, 48),
    (170, 120, 140), (72, 116, 156), (104, 74, 120), (206, 216, 60),
)  # fmt: skip
_BOTTOMS = ((24, 25, 30), (40, 44, 56), (46, 60, 92), (78, 96, 128), (96, 88, 74), (150, 140, 118))
_BAGS = ((30, 30, 34), (60, 70, 60), (120, 44, 40), (44, 62, 110), (170, 150, 120))


@dataclass(frozen=True, slots=True)
class PersonLook:
    """How one person is built and dressed.

    Attributes:
        height: Metres, 1.5 ... 1.95.
        build: Width factor, about 1.
        skin, hair, top, bottom, shoes: RGB colours.
        bag: Colour of a backpack, or ``None``.
        coat: Hem of the top as a share of the way from hip to knee (0 short, 1 to the knee).
        sleeves: Long sleeves.
        shorts: Bare lower legs.
        top_warmth, bottom_warmth: Share of the way from air to skin temperature at the cloth's
            surface.
        skin_celsius: Skin temperature of the face.
        stride: Gait phase at time zero in radians.
    """

    height: float
    build: float
    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    top: tuple[int, int, int]
    bottom: tuple[int, int, int]
    shoes: tuple[int, int, int]
    bag: tuple[int, int, int] | None
    coat: float
    sleeves: bool
    shorts: bool
    top_warmth: float
    bottom_warmth: float
    skin_celsius: float
    stride: float


def random_person(rng: np.random.Generator, air: float) -> PersonLook:
    """Dress one person for ``air`` degrees Celsius."""
    warm = air > 20

    def shade(palette: tuple[tuple[int, int, int], ...]) -> tuple[int, int, int]:
        base = np.array(palette[rng.integers(len(palette))]) * rng.uniform(0.75, 1.15)
        r, g, b = np.clip(base + rng.normal(0, 6, 3), 8, 245).astype(int)
        return int(r), int(g), int(b)

    layers = 0.12 if warm else 0.0
    return PersonLook(
        height=float(np.clip(rng.normal(1.72, 0.09), 1.5, 1.95)),
        build=float(rng.uniform(0.9, 1.2) + (0 if warm else 0.12)),
        skin=shade(_SKINS),
        hair=shade(_HAIRS),
        top=shade(_TOPS),
        bottom=shade(_BOTTOMS),
        shoes=shade(_BAGS) if rng.random() < 0.6 else (205, 205, 200),
        bag=shade(_BAGS) if rng.random() < 0.35 else None,
        coat=float(rng.uniform(0.3, 0.9)) if not warm and rng.random() < 0.4 else 0.12,
        sleeves=bool(not warm or rng.random() < 0.4),
        shorts=bool(warm and rng.random() < 0.5),
        top_warmth=float(rng.uniform(0.5, 0.78) + layers),
        bottom_warmth=float(rng.uniform(0.45, 0.72) + layers),
        skin_celsius=float(rng.uniform(32.0, 35.5) - max(0.0, 10 - air) * 0.15),
        stride=float(rng.uniform(0, 2 * np.pi)),
    )


@dataclass(frozen=True, slots=True)
class Pose:
    """Joints in world metres, each ``(3,)`` or a (left, right) pair ``(2, 3)``."""

    head: Points
    neck: Points
    hips: Points
    shoulders: Points
    knees: Points
    ankles: Points
    elbows: Points
    hands: Points
    forward: Points

    def all_points(self) -> Points:
        """``(15, 3)``, for finding the extent."""
        single = np.stack([self.head, self.neck])
        pairs = (self.hips, self.shoulders, self.knees, self.ankles, self.elbows, self.hands)
        return np.concatenate([single, *pairs])


def _swing(start: Points, angle: float, length: float, forward: Points) -> Points:
    """End of a limb that hangs at ``angle`` from straight down, swung forward."""
    return start + length * (np.sin(angle) * forward - np.cos(angle) * np.array([0.0, 1.0, 0.0]))


def walking_pose(
    look: PersonLook, x: float, z: float, heading: float, phase: float, effort: float
) -> Pose:
    """Joints of someone walking at ``(x, z)``.

    Args:
        look: Body.
        x: World metres to the right.
        z: World metres forward.
        heading: Radians, see :func:`heading_axes`.
        phase: Gait phase, radians; 2 pi is two steps.
        effort: 0 stands still, 1 walks briskly.
    """
    h, (forward, right), up = look.height, heading_axes(heading), np.array([0.0, 1.0, 0.0])
    pelvis = np.array([x, 0.53 * h, z])
    sides = np.array([-1.0, 1.0])
    # Someone who stands has one foot ahead of the other.
    rest = (1 - effort) * 0.12 * np.sin(look.stride) * sides
    swing = 0.46 * effort * np.sin(phase + np.pi * (sides > 0)) + rest
    lift = np.maximum(0, np.cos(phase + np.pi * (sides > 0)))
    hips = pelvis + 0.055 * h * look.build * sides[:, None] * right
    knees = np.stack([_swing(hips[i], swing[i] + 0.05, 0.245 * h, forward) for i in (0, 1)])
    bend = 0.06 + 0.85 * effort * lift
    ankles = np.stack([_swing(knees[i], swing[i] - bend[i], 0.245 * h, forward) for i in (0, 1)])
    lower = up * (0.04 * h - ankles[:, 1].min())
    hips, knees, ankles, pelvis = hips + lower, knees + lower, ankles + lower, pelvis + lower
    lean = forward * 0.03 * h * effort
    neck = pelvis + 0.325 * h * up + lean
    twist = 0.03 * h * effort * np.sin(phase)
    shoulders = neck - 0.02 * h * up + sides[:, None] * (0.098 * h * look.build * right)
    shoulders = shoulders + (sides * -twist)[:, None] * forward
    elbows = np.stack([_swing(shoulders[i], -0.75 * swing[i], 0.17 * h, forward) for i in (0, 1)])
    elbows = elbows + sides[:, None] * 0.02 * h * right
    curl = 0.3 + 0.3 * effort + (0.9 if look.stride > 5.0 else 0.0) * (1 - effort)
    hands = np.stack(
        [_swing(elbows[i], -0.75 * swing[i] + curl, 0.16 * h, forward) for i in (0, 1)]
    )
    head = neck + 0.085 * h * up + 0.6 * lean
    return Pose(head, neck, hips, shoulders, knees, ankles, elbows, hands, forward)


def cycling_pose(look: PersonLook, x: float, z: float, heading: float, phase: float) -> Pose:
    """Joints of someone riding a bicycle whose centre is at ``(x, z)``."""
    h, (forward, right), up = look.height, heading_axes(heading), np.array([0.0, 1.0, 0.0])
    ground, sides = np.array([x, 0.0, z]), np.array([-1.0, 1.0])
    hips = ground - 0.22 * forward + 0.98 * up + 0.05 * h * sides[:, None] * right
    turn = phase + np.pi * (sides > 0)
    ankles = ground + 0.33 * up + 0.09 * sides[:, None] * right
    ankles = ankles + 0.17 * (np.cos(turn)[:, None] * forward + np.sin(turn)[:, None] * up)
    knees = np.stack([_joint(hips[i], ankles[i], 0.245 * h, forward) for i in (0, 1)])
    neck = ground + 0.12 * forward + (0.98 + 0.30 * h) * up
    shoulders = neck - 0.03 * h * up + sides[:, None] * 0.098 * h * look.build * right
    hands = ground + 0.50 * forward + 1.02 * up + 0.26 * sides[:, None] * right
    elbows = (shoulders + hands) / 2 - 0.07 * up + 0.05 * sides[:, None] * right
    head = neck + 0.08 * h * up + 0.05 * forward
    return Pose(head, neck, hips, shoulders, knees, ankles, elbows, hands, forward)


def _joint(a: Points, b: Points, length: float, towards: Points) -> Points:
    """Middle joint of a two-part limb of equal ``length`` between ``a`` and ``b``."""
    middle, gap = (a + b) / 2, float(np.linalg.norm(b - a))
    return middle + towards * np.sqrt(max(length**2 - gap**2 / 4, 0.0))


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
