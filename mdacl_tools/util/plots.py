"""The look that the analyses' plots share."""

from __future__ import annotations

from matplotlib.axes import Axes

from mdacl_ros.drawing.primitives import RGB_COLOUR, THERMAL_COLOUR, Colour
from mdacl_ros.types import Modality


def hex_colour(colour: Colour) -> str:
    """R, G, B as matplotlib takes it."""
    return "#" + "".join(f"{channel:02x}" for channel in colour)


INK = "#2b303b"
CAMERA_COLOURS: dict[Modality, str] = {
    "rgb": hex_colour(RGB_COLOUR),
    "thermal": hex_colour(THERMAL_COLOUR),
}
"""The cameras' colours, the same in every picture."""


def bare(axis: Axes) -> None:
    """Leave away the frame's upper and right edge."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", color="#dfe4ec", lw=0.8)
    axis.set_axisbelow(True)
