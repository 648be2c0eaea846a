"""How far an estimate lies from the view it started from, and how far it may."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mdacl_tools.calibrate.scene.pyramid import Size
from mdacl_tools.calibrate.scene.warp_model import Matrix, transform

SHIFT_REACH = 56.0
"""Largest displacement of the middle along either axis, in pixels of the canvas (640 wide)."""

ROTATION_REACH = 7.0
"""Largest rotation in degrees."""

SCALE_REACH = 0.20
"""Largest change of size: 0.80 to 1.20 times what was assumed."""

REACH_TEXT = (
    f"{SHIFT_REACH:.0f} pixels, {ROTATION_REACH:.0f} degrees, {SCALE_REACH:.0%} of size at a width"
    " of 640"
)


@dataclass(frozen=True, slots=True)
class Placement:
    """What an estimate does to the middle of the image, against what was assumed.

    Attributes:
        shift: Of the two axes the larger, in pixels of the canvas, without a sign.
        rotation: Degrees, without a sign.
        scale: Size over the assumed size.
    """

    shift: float
    rotation: float
    scale: float

    @property
    def within_reach(self) -> bool:
        """Whether a rig so far from the assumed view is looked for."""
        return (
            self.shift <= SHIFT_REACH
            and self.rotation <= ROTATION_REACH
            and abs(self.scale - 1) <= SCALE_REACH
        )


def placement(to_canvas: Matrix, assumed: Matrix, canvas: Size) -> Placement:
    """Compare two maps where they matter most.

    Args:
        to_canvas: ``(3, 3)`` thermal pixels -> canvas pixels, as estimated.
        assumed: The same, as assumed before.
        canvas: ``(width, height)`` of the canvas.
    """
    moved = to_canvas @ np.linalg.inv(assumed)
    middle = (np.array(canvas) - 1) / 2
    around = middle + np.array(((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)), np.float64)
    at, right, left, below, above = transform(moved, around)
    (a, c), (b, d) = (right - left) / 2, (below - above) / 2  # columns of the Jacobian
    return Placement(
        shift=float(np.abs(at - middle).max()),
        rotation=abs(math.degrees(math.atan2(c - b, a + d))),
        scale=math.sqrt(abs(a * d - b * c)),
    )
