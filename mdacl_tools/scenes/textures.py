"""Procedural surfaces: tileable noise and building fronts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_ros.types import ByteArray, FloatArray

PIXELS_PER_METRE = 22
"""Resolution of front textures."""

_WALLS = (
    (168, 120, 96), (140, 84, 66), (196, 188, 172), (214, 210, 202), (150, 148, 144),
    (176, 160, 130), (122, 118, 116), (186, 170, 150), (108, 112, 122), (205, 180, 140),
)  # fmt: skip
_SIGNS = (
    (190, 40, 40),
    (36, 90, 170),
    (30, 130, 80),
    (220, 170, 40),
    (230, 230, 235),
    (60, 40, 90),
)


def tile_noise(rng: np.random.Generator, size: int, octaves: tuple[float, ...]) -> FloatArray:
    """``(size, size)`` seamless noise, zero mean and unit deviation.

    Args:
        rng: Source.
        size: Side in pixels.
        octaves: Blur radius of each layer in pixels, 0 for white noise; coarse layers weigh as
            much as fine ones.
    """
    total = np.zeros((size, size), np.float32)
    for sigma in octaves:
        coarse = max(1, int(sigma // 4))
        side = size // coarse
        layer = rng.standard_normal((side, side)).astype(np.float32)
        if sigma > 0:
            pad = min(side, int(4 * sigma / coarse) + 2)
            wrapped = np.pad(layer, pad, mode="wrap")
            soft = cv2.GaussianBlur(wrapped, (0, 0), sigma / coarse)
            layer = np.asarray(soft[pad:-pad, pad:-pad], np.float32)
        if coarse > 1:
            wrapped = np.pad(layer, 2, mode="wrap")
            big = cv2.resize(wrapped, None, fx=coarse, fy=coarse, interpolation=cv2.INTER_CUBIC)
            inner = big[2 * coarse : -2 * coarse, 2 * coarse : -2 * coarse]
            layer = np.asarray(cv2.resize(inner, (size, size)), np.float32)
        total += (layer - layer.mean()) / (layer.std() + 1e-6)
    return np.asarray(total / (total.std() + 1e-6), np.float32)


def sample_tile(tile: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
    """Look a seamless tile up at pixel coordinates of any size (bilinear, wraps)."""
    return np.asarray(
        cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32
    )


@lru_cache(maxsize=16)
def _banked(octaves: tuple[float, ...], size: int, index: int) -> FloatArray:
    return tile_noise(np.random.default_rng([index, size]), size, octaves)


def stock_noise(
    rng: np.random.Generator, octaves: tuple[float, ...], size: int = 256
) -> FloatArray:
    """Like :func:`tile_noise`, but one of four ready tiles, rolled and flipped: far cheaper."""
    tile = _banked(octaves, size, int(rng.integers(4)))
    rolled = np.roll(tile, tuple(int(k) for k in rng.integers(0, size, 2)), axis=(0, 1))
    return rolled[:: int(rng.choice([-1, 1])), :: int(rng.choice([-1, 1]))].copy()


@dataclass(frozen=True, slots=True)
class Front:
    """Texture of a building's front, top row first.

    Attributes:
        colour: ``(h, w, 3)`` uint8 reflectance.
        glow: ``(h, w, 3)`` uint8 light given off at night.
        kelvin: ``(h, w)`` float32 temperature above the wall's.
    """

    colour: ByteArray
    glow: ByteArray
    kelvin: FloatArray


def building_front(rng: np.random.Generator, width: float, height: float) -> Front:
    """Draw a front of ``width`` x ``height`` metres with floors of windows, signs and vents."""
    w, h = max(8, int(width * PIXELS_PER_METRE)), max(8, int(height * PIXELS_PER_METRE))
    painter = _FrontPainter(rng, w, h)
    painter.wall()
    painter.windows()
    painter.ground_floor()
    painter.vents()
    return painter.front()


class _FrontPainter:
    """State of one front while it is drawn."""

    def __init__(self, rng: np.random.Generator, w: int, h: int) -> None:
        self.rng, self.w, self.h = rng, w, h
        self.base = np.clip(
            np.array(_WALLS[rng.integers(len(_WALLS))]) * rng.uniform(0.7, 1.1)
            + rng.normal(0, 8, 3), 25, 235,
        )  # fmt: skip
        self.colour = np.empty((h, w, 3), np.uint8)
        self.glow = np.zeros((h, w, 3), np.uint8)
        self.kelvin = np.zeros((h, w), np.float32)
        self.lit_share = rng.uniform(0.05, 0.5)
        self.heated = rng.uniform(-3.5, 3.5)
        self.metre = float(PIXELS_PER_METRE)

    def front(self) -> Front:
        """What was drawn."""
        return Front(self.colour, self.glow, self.kelvin)

    def rect(
        self, x: float, y: float, w: float, h: float, rgb: npt.ArrayLike, kelvin: float
    ) -> None:
        """A filled rectangle, pixels."""
        a, b = (round(x), round(y)), (round(x + w) - 1, round(y + h) - 1)
        r, g, bl = (float(c) for c in np.clip(np.asarray(rgb, float), 0, 255))
        cv2.rectangle(self.colour, a, b, (r, g, bl), -1)
        cv2.rectangle(self.kelvin, a, b, (kelvin,), -1)

    def wall(self) -> None:
        """Plaster, brick courses or panels, with streaks of weather."""
        rng = self.rng
        tile = stock_noise(rng, (0.0, 3.0, 24.0))
        reps = (self.h // 256 + 1, self.w // 256 + 1)
        grain = np.tile(tile, reps)[: self.h, : self.w]
        streak = cv2.blur(grain, (1, 61))
        shade = 1 + 0.035 * grain + 0.05 * streak
        kind = rng.random()
        if kind < 0.4:
            course, brick = round(0.22 * self.metre), round(0.55 * self.metre)
            shade[::course] *= 0.86
            shade[:, ::brick] *= 0.94
        elif kind < 0.7:
            panel = round(rng.uniform(1.2, 3.0) * self.metre)
            shade[::panel] *= 0.75
            shade[:, ::panel] *= 0.78
        self.colour[:] = np.clip(self.base * shade[..., None], 0, 255)
        self.kelvin += 0.35 * grain + 0.5 * streak

    def windows(self) -> None:
        """A grid of windows from the first floor up; some are lit at night."""
        rng, m = self.rng, self.metre
        storey, pitch = rng.uniform(2.9, 3.8) * m, rng.uniform(1.8, 3.6) * m
        wide, tall = pitch * rng.uniform(0.4, 0.8), storey * rng.uniform(0.38, 0.6)
        frame = np.clip(self.base * rng.choice([0.45, 1.35]) + rng.normal(0, 10, 3), 20, 245)
        band = rng.random() < 0.5
        y = self.h - 4.2 * m - tall
        while y > 0.3 * m:
            if band:
                self.rect(0, y + tall + 0.25 * m, self.w, 0.16 * m, self.base * 0.8, 0.8)
            x = 0.4 * pitch
            while x + wide < self.w:
                self.window(x, y, wide, tall, frame)
                x += pitch
            y -= storey

    def window(self, x: float, y: float, w: float, h: float, frame: npt.ArrayLike) -> None:
        """One window with frame, pane, reflection or curtain."""
        rng, m = self.rng, self.metre
        self.rect(x - 0.08 * m, y - 0.08 * m, w + 0.16 * m, h + 0.16 * m, frame, 0.6)
        cool = self.heated + rng.normal(0, 0.8)
        pane = np.array([62, 76, 92]) * rng.uniform(0.5, 1.6) + rng.normal(0, 6, 3)
        self.rect(x, y, w, h, pane, cool)
        self.rect(x, y, w, h * rng.uniform(0.2, 0.6), pane * 1.35, cool - 0.6)
        if rng.random() < 0.25:
            self.rect(x, y, w * 0.4, h, (190, 184, 172), cool + 0.5)
        self.rect(x + w / 2 - 0.03 * m, y, 0.07 * m, h, frame, 0.4)
        if rng.random() < self.lit_share:
            tint = np.array([255, 214, 150]) if rng.random() < 0.7 else np.array([225, 235, 255])
            r, g, b = (tint * rng.uniform(0.45, 1.0)).tolist()
            cv2.rectangle(
                self.glow, (round(x), round(y)), (round(x + w), round(y + h)), (r, g, b), -1
            )
            cv2.line(
                self.glow,
                (round(x + w / 2), round(y)),
                (round(x + w / 2), round(y + h)),
                (40, 34, 24),
                2,
            )

    def ground_floor(self) -> None:
        """Shops, doors and garage gates along the street."""
        rng, m = self.rng, self.metre
        x, plinth = 0.0, self.h - 0.5 * m
        self.rect(0, plinth, self.w, 0.5 * m, self.base * 0.55, -0.5)
        while x < self.w:
            unit = rng.uniform(2.2, 6.0) * m
            kind = rng.random()
            if kind < 0.4:
                self.shop(x + 0.3 * m, unit - 0.6 * m)
            elif kind < 0.75:
                self.rect(x + 0.6 * m, self.h - 2.3 * m, 1.1 * m, 2.3 * m, self.base * 0.4, 0.8)
            x += unit

    def shop(self, x: float, w: float) -> None:
        """A shop window under a sign board, both lit at night."""
        rng, m = self.rng, self.metre
        sign = np.array(_SIGNS[rng.integers(len(_SIGNS))]) * rng.uniform(0.7, 1.05)
        top, lit = self.h - 3.4 * m, rng.random() < 0.6
        self.rect(x, top, w, 0.75 * m, sign, 1.2)
        step = 0.45 * m
        for k in range(int(w / step) - 1):
            if rng.random() < 0.75:
                glyph = (240, 240, 235) if sign.sum() < 450 else (40, 36, 40)
                box = (x + (k + 0.7) * step, top + 0.22 * m, 0.27 * m, 0.32 * m)
                self.rect(*box, np.array(glyph), 1.2)
        self.rect(x, self.h - 2.55 * m, w, 2.2 * m, np.array([52, 60, 68]), self.heated)
        for k in range(int(w / (1.2 * m)) + 1):
            self.rect(x + k * 1.2 * m, self.h - 2.55 * m, 0.08 * m, 2.2 * m, self.base * 0.5, 0.5)
        if lit:
            y0, y1 = round(self.h - 2.55 * m), round(self.h - 0.4 * m)
            x0, x1 = round(x), round(x + w)
            inside = np.array([255, 226, 176]) * rng.uniform(0.3, 0.8)
            self.glow[y0:y1, x0:x1] = inside
            for k in range(int(w / (1.2 * m)) + 1):
                at = round(x + k * 1.2 * m)
                self.glow[y0:y1, at : at + 2] = 20
            y2, y3 = round(top), round(top + 0.75 * m)
            self.glow[y2:y3, x0:x1] = self.colour[y2:y3, x0:x1] * 0.75

    def vents(self) -> None:
        """Air conditioners and heating pipes: the hot spots that are not people."""
        rng, m = self.rng, self.metre
        for _ in range(int(rng.integers(0, 2 + self.w // round(8 * m)))):
            x, y = rng.uniform(0, self.w), rng.uniform(0.2, 0.95) * self.h
            hot = rng.uniform(2, 14)
            self.rect(x, y, 0.8 * m, 0.55 * m, np.array([196, 196, 190]), hot * 0.3)
            self.rect(x + 0.1 * m, y + 0.1 * m, 0.45 * m, 0.35 * m, np.array([110, 110, 108]), hot)
