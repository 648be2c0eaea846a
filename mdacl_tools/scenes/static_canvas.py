"""The fixed part of a scene as finely sampled layers, painted far to near."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_tools.scenes.geometry import Camera, Points
from mdacl_tools.scenes.textures import Front

_LARGE = 700_000
"""Pixels from which a picture is fine enough to be painted at its own resolution."""
SKY, ROAD, WALL, LEAVES, AIR = range(5)
"""Materials: which temperature of the climate a pixel follows."""
FAR = 1.0e4


class StaticCanvas:
    """Painter of fixed surfaces.

    Attributes:
        scale: Canvas pixels per picture pixel along each side.
        camera: The scene's camera at canvas resolution.
        colour: ``(H, W, 3)`` uint8 reflectance.
        glow: ``(H, W, 3)`` uint8 light given off at night.
        kelvin: ``(H, W)`` float32 above the material's temperature.
        material: ``(H, W)`` uint8.
        depth: ``(H, W)`` float32 metres along the optical axis.
        hides: ``(H, W)`` uint8, 255 where the surface can stand in front of something.
    """

    def __init__(self, camera: Camera) -> None:
        self.scale = 1 if camera.width * camera.height > _LARGE else 2
        self.camera = camera.scaled(self.scale)
        shape = (self.camera.height, self.camera.width)
        self.colour = np.zeros((*shape, 3), np.uint8)
        self.glow = np.zeros((*shape, 3), np.uint8)
        self.kelvin = np.zeros(shape, np.float32)
        self.material = np.full(shape, SKY, np.uint8)
        self.depth = np.full(shape, FAR, np.float32)
        self.hides = np.zeros(shape, np.uint8)

    def polygon(
        self,
        points: npt.ArrayLike,
        rgb: npt.ArrayLike,
        material: int,
        kelvin: float = 0.0,
        glow: tuple[float, float, float] | None = None,
    ) -> None:
        """Fill a world polygon ``(N, 3)`` with one paint."""
        pixels = self.camera.project_polygon(points)
        if pixels is None:
            return
        depth = float(self.camera.to_camera(points)[:, 2].mean())
        self.fill(pixels, depth, rgb, material, kelvin, glow)

    def fill(
        self,
        pixels: Points,
        depth: float,
        rgb: npt.ArrayLike,
        material: int,
        kelvin: float = 0.0,
        glow: tuple[float, float, float] | None = None,
    ) -> None:
        """Fill a canvas polygon ``(N, 2)`` at one depth."""
        corners = [np.rint(np.clip(pixels - 0.5, -30000, 30000)).astype(np.int32)]
        r, g, b = (float(c) for c in np.clip(np.asarray(rgb, float), 0, 255))
        cv2.fillPoly(self.colour, corners, (r, g, b))
        cv2.fillPoly(self.glow, corners, glow or (0, 0, 0))
        cv2.fillPoly(self.kelvin, corners, (kelvin,))
        cv2.fillPoly(self.material, corners, (material,))
        cv2.fillPoly(self.depth, corners, (depth,))
        cv2.fillPoly(self.hides, corners, (255,))

    def box(
        self, x: float, z: float, size: tuple[float, float, float], rgb: npt.ArrayLike,
        material: int = AIR, kelvin: float = 0.0,
    ) -> None:  # fmt: skip
        """An upright box with its foot centre at (x, z); size is width, height, depth."""
        w, h, d = size[0] / 2, size[1], size[2] / 2
        base, near = np.asarray(rgb, float), z - d
        side = x - w if x > 0 else x + w
        self.polygon(
            [(side, 0, near), (side, 0, z + d), (side, h, z + d), (side, h, near)],
            base * 0.62,
            material,
            kelvin,
        )
        self.polygon(
            [(x - w, h, near), (x + w, h, near), (x + w, h, z + d), (x - w, h, z + d)],
            base * 1.12,
            material,
            kelvin + 0.5,
        )
        self.polygon(
            [(x - w, 0, near), (x + w, 0, near), (x + w, h, near), (x - w, h, near)],
            base * 0.86,
            material,
            kelvin,
        )

    def post(
        self,
        x: float,
        z: float,
        height: float,
        radius: float,
        rgb: npt.ArrayLike,
        kelvin: float = 0.0,
        bottom: float = 0.0,
    ) -> None:
        """An upright round post, lit from one side."""
        base = np.asarray(rgb, float)
        for k, shade in enumerate((0.6, 0.95, 1.05, 0.75)):
            a, b = x + radius * (k / 2 - 1), x + radius * ((k + 1) / 2 - 1)
            self.polygon(
                [(a, bottom, z), (b, bottom, z), (b, height, z), (a, height, z)],
                base * shade,
                AIR,
                kelvin,
            )

    def front(self, corners: Points, front: Front, shade: float) -> None:
        """Lay a front's texture on a world rectangle: top left, top right, bottom right, left."""
        inside = self.camera.to_camera(corners)
        if inside[:, 2].min() < 0.5:
            return
        h, w = front.kelvin.shape
        source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
        target = self.camera.to_pixels(inside).astype(np.float32)
        low = np.clip(np.floor(target.min(axis=0)), 0, (self.camera.width, self.camera.height))
        high = np.clip(np.ceil(target.max(axis=0)), 0, (self.camera.width, self.camera.height))
        size = (high - low).astype(int)
        if size.min() < 1:
            return
        shrink = min(1.0, 1.5 * float(np.abs(target.max(0) - target.min(0)).max()) / max(h, w))
        layers = _shrunk(front, shrink)
        corners_at = (target - low).astype(np.float32)
        matrix = np.asarray(cv2.getPerspectiveTransform(source * shrink, corners_at), np.float64)
        corners_px = np.rint(np.clip(target - low - 0.5, -30000, 30000)).astype(np.int32)
        cover = np.zeros((size[1], size[0]), np.uint8)
        cv2.fillPoly(cover, [corners_px], (255,))
        view = np.s_[int(low[1]) : int(low[1] + size[1]), int(low[0]) : int(low[0] + size[0])]
        mask = cover > 0
        for layer, texture, gain in (
            (self.colour, layers[0], shade),
            (self.glow, layers[1], 1.0),
            (self.kelvin, layers[2], 1.0),
        ):
            warped = _warp(texture, matrix, (int(size[0]), int(size[1])))
            layer[view][mask] = warped[mask] * gain if gain != 1.0 else warped[mask]
        self.material[view][mask] = WALL
        self.hides[view][mask] = 255
        inverse = np.linalg.inv(matrix).astype(np.float64)
        extent = (w * shrink, h * shrink)
        self.depth[view][mask] = _plane_depth(inverse, inside, extent, size)[mask]


def _warp(texture: np.ndarray, matrix: Points, size: tuple[int, int]) -> np.ndarray:
    """A texture seen in perspective; beyond its edge the edge goes on."""
    return np.asarray(
        cv2.warpPerspective(
            texture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    )


def _shrunk(front: Front, factor: float) -> tuple[np.ndarray, ...]:
    """The texture's layers, averaged down so that far fronts do not shimmer."""
    layers = (front.colour, front.glow, front.kelvin)
    if factor >= 1.0:
        return layers
    h, w = front.kelvin.shape
    size = (max(1, round(w * factor)), max(1, round(h * factor)))
    return tuple(np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_AREA)) for a in layers)


def _plane_depth(
    inverse: Points, corners: Points, texture: tuple[float, float], size: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Depth of each pixel on a textured rectangle, from its place along the rectangle."""
    u = np.arange(size[0], dtype=np.float32)[None] + 0.5
    v = np.arange(size[1], dtype=np.float32)[:, None] + 0.5
    weight = inverse[2, 0] * u + inverse[2, 1] * v + inverse[2, 2]
    along = (inverse[0, 0] * u + inverse[0, 1] * v + inverse[0, 2]) / weight / texture[0]
    left, right = corners[0, 2], corners[1, 2]
    return np.asarray(np.clip(left + (right - left) * along, 0.3, FAR), np.float32)
