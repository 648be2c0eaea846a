"""Outlines of shadows on the ground."""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_tools.scenes.bicycles import BicycleLook
from mdacl_tools.scenes.geometry import Points, heading_axes
from mdacl_tools.scenes.people import PersonLook
from mdacl_tools.scenes.poses import Pose
from mdacl_tools.scenes.vehicles import CarLook, car_corners

Look = PersonLook | CarLook | BicycleLook


def footprint(look: Look, place: tuple[float, float, float]) -> Points:
    """``(N, 3)`` world polygon where the object keeps light off the ground beneath it."""
    x, z, heading = place
    forward, right = heading_axes(heading)
    if isinstance(look, CarLook):
        along, across = 0.5 * look.size[0], 0.5 * look.size[1]
    elif isinstance(look, BicycleLook):
        along, across = 0.85, 0.1
    else:
        along, across = 0.26, 0.2
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    # A squircle: rounded for people, nearly the rectangle for cars.
    power = 0.35 if isinstance(look, CarLook) else 1.0
    c, s = np.cos(turn), np.sin(turn)
    a, b = np.sign(c) * np.abs(c) ** power * along, np.sign(s) * np.abs(s) ** power * across
    return np.array([x, 0.0, z]) + a[:, None] * forward + b[:, None] * right


def sun_outline(
    look: Look,
    pose: Pose | None,
    place: tuple[float, float, float],
    sun: tuple[float, float, float],
    *,
    limbs: bool,
) -> list[Points]:
    """World polygons of the shadow that direct sun throws, one a limb if ``limbs``."""
    direction = np.array(sun)

    def fall(points: Points) -> Points:
        return points - direction * (points[:, 1:2] / direction[1])

    if isinstance(look, CarLook):
        return [_hull(fall(car_corners(look, *place)))]
    if pose is None or not isinstance(look, PersonLook):
        return []
    if not limbs:
        return [_hull(fall(pose.all_points()))]
    h, parts = look.height, []
    for i in (0, 1):
        parts.append(_limb(fall(np.stack([pose.hips[i], pose.knees[i]])), 0.05 * h))
        parts.append(_limb(fall(np.stack([pose.knees[i], pose.ankles[i]])), 0.035 * h))
    trunk = np.concatenate([pose.hips, pose.shoulders, pose.elbows])
    parts.append(_hull(np.concatenate([_limb(fall(trunk[k : k + 1]), 0.05 * h) for k in range(6)])))
    parts.append(_limb(fall(np.stack([pose.neck, pose.head])), 0.06 * h))
    return parts


def _limb(points: Points, radius: float) -> Points:
    """Ground outline around points on the ground."""
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = np.stack([np.cos(turn), np.zeros(8), np.sin(turn)], axis=-1) * radius
    return _hull((points[:, None] + ring).reshape(-1, 3))


def _hull(points: Points) -> Points:
    """Convex hull of ground points."""
    flat = cv2.convexHull(points[:, ::2].astype(np.float32))[:, 0]
    return np.stack([flat[:, 0], np.zeros(len(flat)), flat[:, 1]], axis=-1).astype(np.float64)
