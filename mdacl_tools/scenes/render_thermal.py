"""An uncooled microbolometer: optics, fixed pattern, drift between shutter events, counts."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_ros.types import ByteArray, FloatArray
from mdacl_tools.scenes.textures import stock_noise

KELVIN = 273.15


class ThermalSensor:
    """Turns apparent temperature into 16-bit centikelvin as a radiometric core delivers them."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int]) -> None:
        w, h = size
        self.size = size
        self.blur = float(rng.uniform(0.45, 1.1))
        self.netd = float(rng.uniform(0.03, 0.12))
        columns = rng.normal(0, rng.uniform(0.02, 0.12), w)
        rows = rng.normal(0, 0.02, h)
        pattern = columns[None] + rows[:, None] + rng.normal(0, 0.03, (h, w))
        self.pattern = pattern.astype(np.float32)
        drift = stock_noise(rng, (14.0,), 64)
        self.drift = cv2.resize(drift, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
        self.rate = float(rng.uniform(0.005, 0.05))
        self.shutter = float(rng.uniform(18, 60))
        self.clock = float(rng.uniform(0, self.shutter))
        self.halo = float(rng.uniform(0.05, 0.2)) if rng.random() < 0.45 else 0.0
        self.grain = rng.standard_normal((h + 32, w + 32)).astype(np.float32)

    def expose(
        self, celsius: FloatArray, time_s: float, rng: np.random.Generator
    ) -> npt.NDArray[np.uint16]:
        """One frame; ``celsius`` may have any size."""
        soft = cv2.GaussianBlur(celsius, (0, 0), self.blur)
        if self.halo > 0:
            # Detector cross-talk shows as a dark rim around hot things.
            small = cv2.resize(soft, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
            wide = cv2.resize(cv2.GaussianBlur(small, (0, 0), 2.0), (soft.shape[1], soft.shape[0]))
            soft = cv2.addWeighted(soft, 1 + self.halo, wide, -self.halo, 0)
        if (soft.shape[1], soft.shape[0]) != self.size:
            shrinks = self.size[0] < soft.shape[1]
            soft = cv2.resize(
                soft, self.size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            )
        since = (time_s + self.clock) % self.shutter
        dx, dy = rng.integers(0, 32, 2)
        h, w = self.pattern.shape
        seen = soft + self.pattern + (self.rate * since) * self.drift
        seen = seen + self.netd * self.grain[dy : dy + h, dx : dx + w]
        return np.asarray(np.clip((seen + KELVIN) * 100, 0, 65535), np.uint16)


def preview(thermal: npt.NDArray[np.uint16]) -> ByteArray:
    """8-bit picture of a centikelvin frame, 1st to 99.7th percentile (for people, not for nets)."""
    low, high = np.percentile(thermal[::2, ::2], (1.0, 99.7))
    span = max(float(high - low), 200.0)
    return np.asarray(np.clip((thermal.astype(np.float32) - low) * (255 / span), 0, 255), np.uint8)
