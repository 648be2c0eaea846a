"""The pinhole camera of a simulated scene, standing on a flat ground.

World axes in metres: x right, y up, z forward, ground at y = 0. Camera axes: x right, y down,
z along the optical axis. Pixels as in :mod:`mdacl_ros.types` (0, 0 is the picture's corner).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
NEAR = 0.3
"""Metres in front of the camera where geometry is cut off."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole without distortion.

    Attributes:
        width: Picture width in pixels.
        height: Picture height in pixels.
        focal: Focal length in pixels.
        mount: Height of the optical centre above the ground in metres.
        pitch: Radians, positive looks down.
        yaw: Radians, positive looks right.
    """

    width: int
    height: int
    focal: float
    mount: float
    pitch: float
    yaw: float

    def scaled(self, factor: float) -> Camera:
        """The same camera with ``factor`` times as many pixels along each side."""
        width, height = round(self.width * factor), round(self.height * factor)
        return Camera(width, height, self.focal * factor, self.mount, self.pitch, self.yaw)

    @property
    def rotation(self) -> Points:
        """``(3, 3)`` matrix from world axes to camera axes."""
        return _rotation(self.pitch, self.yaw)

    def to_camera(self, points: npt.ArrayLike) -> Points:
        """World points ``(..., 3)`` to camera axes, metres."""
        shifted = np.asarray(points, np.float64) - (0.0, self.mount, 0.0)
        return shifted @ self.rotation.T

    def to_pixels(self, camera_points: Points) -> Points:
        """Camera points ``(..., 3)`` in front of NEAR to pixels ``(..., 2)``."""
        depth = np.maximum(camera_points[..., 2:], 1e-3)
        return camera_points[..., :2] * (self.focal / depth) + (self.width / 2, self.height / 2)

    def project(self, points: npt.ArrayLike) -> tuple[Points, Points]:
        """World points ``(..., 3)`` to pixels ``(..., 2)`` and depths ``(...)`` in metres."""
        inside = self.to_camera(points)
        return self.to_pixels(inside), inside[..., 2]

    def project_polygon(self, points: npt.ArrayLike) -> Points | None:
        """A world polygon ``(N, 3)``, cut at NEAR, to pixels; ``None`` when it lies behind."""
        return self.outline(self.to_camera(points))

    def outline(self, inside: Points) -> Points | None:
        """A polygon ``(N, 3)`` in camera axes, cut at NEAR, to pixels; ``None`` when behind."""
        front = inside[:, 2] >= NEAR
        if not front.all():
            if not front.any():
                return None
            inside = _cut(inside, front)
        return self.to_pixels(inside)

    def rays(self) -> npt.NDArray[np.float32]:
        """``(H, W, 3)`` float32 world directions of the pixel centres, with depth 1."""
        u = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.focal
        v = (np.arange(self.height, dtype=np.float32) + 0.5 - self.height / 2) / self.focal
        grid = np.stack(np.broadcast_arrays(u[None, :], v[:, None], np.float32(1)), axis=-1)
        return np.asarray(grid @ self.rotation.astype(np.float32), np.float32)


@lru_cache(maxsize=64)
def _rotation(pitch: float, yaw: float) -> Points:
    """World axes to camera axes; asked for thousands of times a frame."""
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    turn = np.array([[cy, 0, -sy], [0, -1, 0], [sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    return nod @ turn


def _cut(polygon: Points, front: npt.NDArray[np.bool_]) -> Points:
    """Keep the part of a camera-axes polygon in front of NEAR (Sutherland-Hodgman)."""
    kept = []
    for i in range(len(polygon)):
        here, before = polygon[i], polygon[i - 1]
        if front[i] != front[i - 1]:
            share = (NEAR - before[2]) / (here[2] - before[2])
            kept.append(before + share * (here - before))
        if front[i]:
            kept.append(here)
    return np.array(kept)


def heading_axes(heading: float) -> tuple[Points, Points]:
    """Forward and right unit vectors of something that faces ``heading`` (0 = +z, towards +x)."""
    s, c = np.sin(heading), np.cos(heading)
    return np.array([s, 0.0, c]), np.array([c, 0.0, -s])
