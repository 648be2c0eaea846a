"""Axes of charts: values to pixels, and round numbers to mark them with."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to pixels, linearly."""

    low: float
    high: float
    first: float
    last: float

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        span = (self.high - self.low) or 1.0
        return self.first + (value - self.low) / span * (self.last - self.first)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, and its text."""

    at: float
    text: str


def nice_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from low to high: 1, 2 or 5 times a power of ten apart."""
    if not high > low:
        return [low]
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 9) for k in range(first, last + 1)]
