"""The reliance gauge as RViz markers: a bar below the image plane and a pointer on it."""

from __future__ import annotations

import numpy as np
from std_msgs.msg import Header
from visualization_msgs.msg import Marker

from mdacl_ros.drawing.primitives import GREY, RGB_COLOUR, THERMAL_COLOUR, gauge_colour, gauge_text
from mdacl_ros.nodes.marker_shapes import colour, lines, text, triangle
from mdacl_ros.types import DominanceReading, FloatArray

NAMESPACE = "reliance"

LEFT, RIGHT = 0.2, 0.8
"""Where the bar begins and ends along the lower edge of the image."""

TEXT, BAR, POINTER, TICKS, THERMAL, RGB = range(6)
"""Marker numbers."""


def to_gauge(
    reading: DominanceReading, frame: FloatArray, distance: float, header: Header
) -> list[Marker]:
    """Draw the gauge: left end thermal alone (-1), right end RGB alone (+1).

    Args:
        reading: Which camera the detections rest on; grey in the middle while nothing is seen.
        frame: ``(4, 3)`` corners of the image plane in metres, clockwise from the top left.
        distance: Distance of that plane in metres; sizes grow with it.
        header: Stamp and RGB optical frame.
    """
    unit = 0.02 * distance
    down = np.array([0, unit, 0], np.float32)  # optical frames: y points down

    def at(reliance: float) -> FloatArray:
        """The point of the bar that stands for a reliance."""
        share = LEFT + (RIGHT - LEFT) * (min(1.0, max(-1.0, reliance)) + 1) / 2
        place = frame[3] + share * (frame[2] - frame[3]) + 3 * down
        return np.asarray(place, np.float32)

    low, middle, high = at(-1), at(0), at(1)
    value = reading.reliance
    tip, side = at(value or 0.0), np.array([unit, 0, 0], np.float32)
    leaning = colour(gauge_colour(value))
    pointer = np.stack([tip, tip - 1.5 * down - side, tip - 1.5 * down + side])
    tick = np.stack([middle - down, middle + down])
    halves = np.stack([low, middle, middle, high])
    return [
        text(
            header,
            middle + 3 * down,
            gauge_text(value),
            leaning,
            (NAMESPACE, TEXT),
            2 * unit,
        ),
        lines(
            header,
            halves,
            [colour(THERMAL_COLOUR, 0.7), colour(RGB_COLOUR, 0.7)],
            (NAMESPACE, BAR),
            0.6 * unit,
        ),
        triangle(header, pointer, leaning, (NAMESPACE, POINTER)),
        lines(header, tick, [colour(GREY)], (NAMESPACE, TICKS), 0.3 * unit),
        text(
            header,
            low - 4 * side,
            "thermal",
            colour(THERMAL_COLOUR),
            (NAMESPACE, THERMAL),
            1.5 * unit,
        ),
        text(header, high + 4 * side, "RGB", colour(RGB_COLOUR), (NAMESPACE, RGB), 1.5 * unit),
    ]
