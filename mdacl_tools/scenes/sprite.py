"""A patch of picture an object is drawn into: colour, temperature and coverage together."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_ros.types import ByteArray
from mdacl_tools.scenes.geometry import Points

Paint = tuple[float, float, float, float]
"""Red, green, blue in 0..255 (what the surface reflects) and temperature in degrees Celsius."""

COLDEST = -30.0
KELVIN_PER_CODE = 0.4
_SHIFT = 4


def code_of(celsius: float) -> int:
    """Temperature to the byte that stands for it in a sprite."""
    return min(255, max(0, round((celsius - COLDEST) / KELVIN_PER_CODE)))


@dataclass(slots=True)
class Sprite:
    """Premultiplied paint: anti-aliased drawing on black gives colour times coverage by itself.

    Attributes:
        left: Picture column of the patch's first column.
        top: Picture row of the patch's first row.
        paint: ``(h, w, 4)`` uint8: R, G, B and temperature code, each times coverage.
        cover: ``(h, w)`` uint8 coverage, 255 opaque.
    """

    left: int
    top: int
    paint: ByteArray
    cover: ByteArray

    @classmethod
    def around(cls, pixels: Points, margin: float, size: tuple[int, int]) -> Sprite | None:
        """An empty patch around ``pixels``, clipped to a ``size`` (w, h) picture plus a border.

        Returns:
            The patch, or ``None`` when nothing of it is inside the picture.
        """
        low = np.floor(pixels.min(axis=0) - margin).astype(int)
        high = np.ceil(pixels.max(axis=0) + margin).astype(int)
        low, high = np.maximum(low, 0), np.minimum(high, size)
        if (high - low).min() < 1:
            return None
        w, h = int(high[0] - low[0]), int(high[1] - low[1])
        return cls(
            int(low[0]), int(low[1]), np.zeros((h, w, 4), np.uint8), np.zeros((h, w), np.uint8)
        )

    def polygon(self, pixels: Points, paint: Paint) -> None:
        """Fill a polygon ``(N, 2)`` given in picture pixels."""
        # Pixel centres are at integers for OpenCV, at halves in this package.
        local = (pixels - (self.left + 0.5, self.top + 0.5)) * (1 << _SHIFT)
        corners = np.rint(local).astype(np.int32)
        colour = (paint[0], paint[1], paint[2], code_of(paint[3]))
        cv2.fillPoly(self.paint, [corners], colour, cv2.LINE_AA, _SHIFT)
        cv2.fillPoly(self.cover, [corners], (255,), cv2.LINE_AA, _SHIFT)

    def outline(self, pixels: Points, width: float, paint: Paint, *, closed: bool = False) -> None:
        """Draw a line through ``(N, 2)`` picture pixels, ``width`` pixels thick."""
        local = (pixels - (self.left + 0.5, self.top + 0.5)) * (1 << _SHIFT)
        corners = np.rint(local).astype(np.int32)
        strength = min(1.0, width)
        thick = max(1, round(width))
        colour = (paint[0], paint[1], paint[2], code_of(paint[3]))
        if strength > 0.75:
            cv2.polylines(self.paint, [corners], closed, colour, thick, cv2.LINE_AA, _SHIFT)
            cv2.polylines(self.cover, [corners], closed, (255,), thick, cv2.LINE_AA, _SHIFT)
            return
        mask = np.zeros_like(self.cover)
        cv2.polylines(mask, [corners], closed, (round(255 * strength),), 1, cv2.LINE_AA, _SHIFT)
        share = mask[..., None].astype(np.float32) / 255
        self.paint[:] = self.paint * (1 - share) + np.array(colour, np.float32) * share
        np.maximum(self.cover, mask, out=self.cover)

    def capsule(self, a: Points, b: Points, ra: float, rb: float, paint: Paint) -> None:
        """Fill a tapered limb from ``a`` (radius ``ra``) to ``b`` (radius ``rb``), in pixels."""
        self.polygon(hull_of_circles(np.stack([a, b]), np.array([ra, rb])), paint)

    def soften(self, sigma: float) -> None:
        """Blur the paint inside the silhouette so that parts flow into each other."""
        if sigma < 0.3:
            return
        soft = cv2.GaussianBlur(self.paint, (0, 0), sigma)
        weight = cv2.GaussianBlur(self.cover, (0, 0), sigma)
        ratio = self.cover.astype(np.float32) / np.maximum(weight, 1)
        self.paint[:] = np.minimum(soft * ratio[..., None], 255)

    def round_off(self, sigma: float, light_x: float, strength: float) -> None:
        """Shade the silhouette as a round body lit from the side ``light_x`` (-1 left, 1 right)."""
        if sigma < 0.5 or min(self.cover.shape) < 4:
            return
        body = soft_mask(self.cover, sigma).astype(np.float32) / 255
        slope = cv2.Sobel(body, cv2.CV_32F, 1, 0, ksize=3) * (-light_x * sigma * 0.5)
        shade = np.clip(1 - 0.4 * strength * (1 - body) + strength * slope, 0.35, 1.45)
        self.paint[..., :3] = np.clip(self.paint[..., :3] * shade[..., None], 0, 255)

    def mottle(self, noise: npt.NDArray[np.float32], colour: float, kelvin: float) -> None:
        """Give the flat parts texture: ``noise`` (at least the patch's size) about -1..1."""
        h, w = self.cover.shape
        grain = noise[:h, :w]
        if grain.shape != self.cover.shape:
            grain = np.asarray(cv2.resize(noise, (w, h)), np.float32)
        self.paint[..., :3] = np.clip(self.paint[..., :3] * (1 + colour * grain[..., None]), 0, 255)
        shift = grain * (kelvin / KELVIN_PER_CODE) * (self.cover.astype(np.float32) / 255)
        self.paint[..., 3] = np.clip(self.paint[..., 3] + shift, 0, 255)


def soft_mask(mask: ByteArray, sigma: float) -> ByteArray:
    """Blur a mask; wide blurs as two box filters, whose cost does not grow with the width."""
    if sigma < 2.5:
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(sigma, 0.4)), np.uint8)
    side = (round(2.45 * sigma) | 1, round(2.45 * sigma) | 1)
    return np.asarray(cv2.blur(cv2.blur(mask, side), side), np.uint8)


def hull_of_circles(centres: Points, radii: npt.NDArray[np.float64]) -> Points:
    """Convex outline ``(N, 2)`` around circles ``(M, 2)``, ``(M,)`` in pixels."""
    rim = centres[:, None] + radii[:, None, None] * _CIRCLE
    flat = rim.reshape(-1, 2).astype(np.float32)
    return cv2.convexHull(flat)[:, 0].astype(np.float64)


_ANGLES = np.linspace(0, 2 * np.pi, 12, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)
