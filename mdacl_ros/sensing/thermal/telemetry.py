"""Rows of telemetry that thermal cores add above or below the image: removed, never shown.

Lepton (engineering datasheet 500-0659-00-09, section 3.4): 2 rows of 160 (3 of 80), as header or
footer. Boson (datasheet 102-2013-42): 2 rows, header or footer. Their values are counters and
temperatures of the camera, which look like noise and spoil the tone curve and the aspect ratio.
"""

from __future__ import annotations

import numpy as np

from mdacl_ros.types import Array

NATIVE = {
    (160, 122): 2,  # Lepton 3.x
    (80, 63): 3,  # Lepton 2.x
    (320, 258): 2,  # Boson 320
    (640, 514): 2,  # Boson 640, Hadron 640
}
"""Rows of telemetry by the ``(width, height)`` of an image that holds them."""


def without_telemetry(image: Array) -> Array:
    """A view of the rows that are image.

    Args:
        image: ``(H, W)`` of any type; only 16-bit images carry telemetry.

    Returns:
        The image itself where its size is no core's with telemetry.
    """
    height, width = image.shape
    rows = NATIVE.get((width, height), 0)
    if image.dtype != np.uint16 or not rows:
        return image
    above = _strangeness(image[rows - 1], image[rows])
    below = _strangeness(image[-rows], image[-rows - 1])
    return image[rows:] if above > below else image[:-rows]


def _strangeness(outer: Array, inner: Array) -> float:
    """How little a row is like the next one: mean difference in counts."""
    return float(np.mean(np.abs(outer.astype(np.int32) - inner.astype(np.int32))))
