"""What lies between scene and sensor: smoke, glare, bloom, sensor noise."""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.types import ByteArray, FloatArray
from mdacl_tools.scenes.textures import sample_tile, stock_noise

THERMAL_SMOKE = 0.03
"""Share of the RGB optical depth that smoke still has at 8-14 um."""


class Smoke:
    """Drifting, billowing smoke with an optical depth that grows with distance."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int]) -> None:
        self.size = size
        self.small = (max(16, size[0] // 4), max(16, size[1] // 4))
        self.half = (max(16, size[0] // 2), max(16, size[1] // 2))
        layers = ((44.0, 30.0), (26.0, 14.0), (16.0, 8.0, 4.0))
        self.tiles = [stock_noise(rng, octaves) for octaves in layers]
        self.wind = float(rng.choice([-1, 1]) * rng.uniform(6, 18))
        self.rise = float(rng.uniform(2, 7))
        warm = rng.uniform(-6, 6)
        self.colour = np.array([198 + warm, 200, 202 - warm]) * rng.uniform(0.82, 1.08)
        self.patchy = float(rng.uniform(0.16, 0.34))
        self.start = float(rng.uniform(0.5, 2.0))

    def density(self, time_s: float) -> FloatArray:
        """``(h/4, w/4)`` relative thickness, mean about 1."""
        w, h = self.small
        u, v = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
        total = np.zeros((h, w), np.float32)
        for k, (tile, share) in enumerate(zip(self.tiles, (1.0, 0.6, 0.3), strict=True)):
            # Nearer layers are coarser and pass faster.
            zoom = np.float32(160.0 / w * (0.5 + 0.35 * k))
            du = np.float32(self.wind * time_s * (1.2 - 0.25 * k) % 256)
            dv = np.float32(self.rise * time_s * (1.0 + 0.3 * k) % 256)
            total += share * sample_tile(tile, u * zoom - du, v * zoom * np.float32(1.35) + dv)
        return np.asarray(np.clip(1 + self.patchy * total, 0.25, 2.4), np.float32)

    def optical_depth(self, time_s: float, strength: float, depth: FloatArray) -> FloatArray:
        """``(H, W)`` optical depth in the visible for a picture's depth map in metres."""
        near = cv2.resize(depth, self.half, interpolation=cv2.INTER_NEAREST)
        reach = np.clip(near - np.float32(self.start), 0, 26)
        density = cv2.resize(self.density(time_s), self.half, interpolation=cv2.INTER_CUBIC)
        # Squared: the slider's lower half is haze, its upper half swallows people at 4 m.
        tau = density * (np.float32(0.46) * reach + np.float32(1.7)) * np.float32(strength**2)
        return np.asarray(cv2.resize(tau, self.size, interpolation=cv2.INTER_LINEAR), np.float32)

    def veil(self, rgb: ByteArray, tau: FloatArray, time_s: float, brightness: float) -> ByteArray:
        """Blend the picture with lit smoke."""
        h, w = tau.shape
        kept = cv2.exp(-tau)
        relief = np.clip(0.68 + 0.34 * self.density(time_s + 3.0), 0.7, 1.25)
        light = np.asarray(self.colour * brightness, np.float32)
        small = np.clip(relief[..., None] * light, 0, 255).astype(np.uint8)
        smoke = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.blendLinear(rgb, smoke, kept, 1 - kept), np.uint8)


class Glare:
    """A source in or near the picture that floods the colour camera."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int]) -> None:
        w, h = size
        at = (rng.uniform(0.1, 0.9) * w, rng.uniform(0.05, 0.5) * h)
        x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
        r = np.hypot(x - at[0], y - at[1]) / w
        turn = np.arctan2(y - at[1], x - at[0])
        rays = 0.5 + 0.5 * np.cos(turn * int(rng.integers(5, 9)) + rng.uniform(0, 6))
        field = 1.6 * np.exp(-((r / 0.09) ** 2)) + 0.9 * np.exp(-r / 0.28) + 0.28
        field += 0.35 * rays**8 * np.exp(-r / 0.2)
        tint = np.array([1.0, rng.uniform(0.9, 1.0), rng.uniform(0.72, 0.98)], np.float32)
        self.light = np.asarray(field[..., None] * tint * 190, np.float32)

    def add(self, rgb: ByteArray, strength: float) -> ByteArray:
        """Flood the picture; ``strength`` 0..1."""
        flooded = cv2.addWeighted(
            rgb.astype(np.float32), 1 - 0.35 * strength, self.light, strength, 0
        )
        return np.asarray(cv2.convertScaleAbs(flooded), np.uint8)


class RgbSensor:
    """Vignette and noise; gain noise grows in the dark."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int]) -> None:
        w, h = size
        self.margin = 48
        grain = rng.standard_normal((h + self.margin, w + self.margin, 3)).astype(np.float32)
        soft = cv2.GaussianBlur(grain, (0, 0), 0.6)
        grain = soft * (40 / float(soft.std()))
        # Two unsigned halves, added and taken off, are much faster than float arithmetic.
        self.brighter = np.clip(grain, 0, 255).astype(np.uint8)
        self.darker = np.clip(-grain, 0, 255).astype(np.uint8)
        self.level = (float(rng.uniform(0.8, 2.2)), float(rng.uniform(2.5, 8.0)))
        self.blur = float(rng.uniform(0.0, 0.75))
        self.fade = float(rng.uniform(0.0, 0.25))
        x, y = np.meshgrid(np.linspace(-1, 1, w), np.linspace(-1, 1, h))
        corner = 1 - self.fade * (x**2 + y**2) / 2
        self.vignette = np.repeat(np.round(corner * 255).astype(np.uint8)[..., None], 3, axis=2)

    def expose(self, rgb: ByteArray, darkness: float, rng: np.random.Generator) -> ByteArray:
        """One exposure."""
        h, w = rgb.shape[:2]
        if self.blur > 0.3:
            rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), self.blur), np.uint8)
        rgb = np.asarray(cv2.multiply(rgb, self.vignette, scale=1 / 255), np.uint8)
        dx, dy = (int(k) for k in rng.integers(0, self.margin, 2))
        gain = (self.level[0] + (self.level[1] - self.level[0]) * darkness) / 40
        view = np.s_[dy : dy + h, dx : dx + w]
        up = cv2.convertScaleAbs(self.brighter[view], alpha=gain)
        down = cv2.convertScaleAbs(self.darker[view], alpha=gain)
        return np.asarray(cv2.subtract(cv2.add(rgb, up), down), np.uint8)


def glow_disc() -> FloatArray:
    """``(64, 64)`` radial glow, 1 in the centre, 0 at the rim."""
    axis = np.linspace(-1, 1, 64, dtype=np.float32)
    r = np.hypot(axis[None], axis[:, None])
    return np.asarray(np.clip(1 - r, 0, 1) ** 2.4 + 0.8 * np.exp(-((r / 0.13) ** 2)), np.float32)
