"""Joints of walking and cycling people in world metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdacl_tools.scenes.geometry import Points, heading_axes
from mdacl_tools.scenes.people import PersonLook


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
