"""Whether a residual is a mere shift, or thermal is turned or scaled: from nine regions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mdacl_ros.sensing.registration.residual import Residual

_LEAST_REGIONS = 5  # of nine; four numbers are fitted to two coordinates of each
_SMALL = 2.0  # pixels at a corner (at an image width of 640) that are within the regions' noise
_WIDTH = 640


@dataclass(frozen=True, slots=True)
class RegionFit:
    """A small similarity fitted to the regions' residuals.

    Attributes:
        shift: (dx, dy) in the middle of the picture, RGB pixels.
        rotation: Degrees by which thermal is turned, clockwise on the screen.
        scale: Share by which thermal is too large.
        corner: Pixels by which rotation and scale displace a corner.
        rms: Root mean square displacement of the nine regions' middles by all three, pixels.
        scatter: Median distance of the regions from the fit in pixels.
        size: ``(width, height)`` of the RGB image.
    """

    shift: tuple[float, float]
    rotation: float
    scale: float
    corner: float
    rms: float
    scatter: float
    size: tuple[int, int]

    @property
    def turned_or_scaled(self) -> bool:
        """Whether there is more than a shift: clearly, and more than the shift itself."""
        small = _SMALL * self.size[0] / _WIDTH
        return self.corner > max(small, math.hypot(*self.shift), 2 * self.scatter)


def fit_regions(residual: Residual) -> RegionFit | None:
    """Fit shift, rotation and scale.

    Args:
        residual: With regions.

    Returns:
        The fit; ``None`` where too few regions tell.
    """
    rows, columns, _ = residual.regions.shape
    width, height = residual.size
    row, column = np.mgrid[:rows, :columns]
    x = ((column + 0.5) / columns - 0.5).ravel() * width
    y = ((row + 0.5) / rows - 0.5).ravel() * height
    moved = residual.regions.reshape(-1, 2).astype(np.float64)
    told = np.isfinite(moved).all(axis=1)
    if told.sum() < _LEAST_REGIONS:
        return None
    one, none = np.ones_like(x), np.zeros_like(x)
    across = np.column_stack((one, none, x, -y))  # dx = tx + s x - r y
    down = np.column_stack((none, one, y, x))  # dy = ty + s y + r x
    matrix = np.vstack((across[told], down[told]))
    answer = np.linalg.lstsq(matrix, moved[told].T.ravel(), rcond=None)[0]
    fitted = np.column_stack((across @ answer, down @ answer))
    error = (fitted - moved)[told]
    tx, ty, scale, turn = (float(value) for value in answer)
    return RegionFit(
        shift=(tx, ty),
        rotation=math.degrees(turn),
        scale=scale,
        corner=math.hypot(scale, turn) * math.hypot(width, height) / 2,
        rms=float(np.sqrt((fitted**2).sum(axis=1).mean())),
        scatter=float(np.median(np.hypot(*error.T))),
        size=residual.size,
    )
