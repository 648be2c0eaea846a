"""Drawing primitives on RGB images: smooth text, translucent panels, the dominance gauge.

Only numpy and OpenCV, so that a robot can draw its overlay. All functions draw into the image they
are given.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from mdacl_ros.types import ByteArray, FloatArray

Colour = tuple[int, int, int]
"""R, G, B in 0..255."""

# Okabe and Ito's palette (2008), told apart by colour-blind people too; some made brighter.
YELLOW: Colour = (240, 228, 66)
GREEN: Colour = (0, 204, 150)
PINK: Colour = (232, 130, 190)
SKY: Colour = (86, 180, 233)
VERMILION: Colour = (255, 110, 48)
WHITE: Colour = (245, 247, 250)
GREY: Colour = (150, 156, 166)
INK: Colour = (16, 18, 24)

RGB_COLOUR, THERMAL_COLOUR = SKY, VERMILION
"""The cameras' colours, the same in every picture, gauge and plot."""

_OVERSAMPLING = 4


@lru_cache(maxsize=512)
def _text_mask(text: str, height: int, bold: bool) -> FloatArray:
    """Coverage ``(h, w)`` in [0, 1] of one line of text; OpenCV's font, drawn large and shrunk."""
    scale = height * _OVERSAMPLING / 30.0
    thickness = max(1, round(height * _OVERSAMPLING / (9 if bold else 13)))
    font = cv2.FONT_HERSHEY_SIMPLEX
    (width, ascent), descent = cv2.getTextSize(text, font, scale, thickness)
    pad = thickness
    mask = np.zeros((ascent + descent + 2 * pad, width + 2 * pad), np.uint8)
    cv2.putText(mask, text, (pad, ascent + pad), font, scale, (255,), thickness, cv2.LINE_AA)
    size = (max(1, mask.shape[1] // _OVERSAMPLING), max(1, mask.shape[0] // _OVERSAMPLING))
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255.0


def text_size(text: str, height: int, *, bold: bool = False) -> tuple[int, int]:
    """Width and height in pixels of what :func:`draw_text` covers."""
    mask = _text_mask(text, height, bold)
    return mask.shape[1], mask.shape[0]


def draw_text(
    image: ByteArray,
    text: str,
    position: tuple[int, int],
    height: int,
    colour: Colour = WHITE,
    *,
    bold: bool = False,
    anchor: str = "left",
) -> None:
    """Draw one line of text; what lies outside the image is cut off.

    Args:
        image: ``(H, W, 3)`` uint8.
        text: ASCII.
        position: x of the anchor, y of the top, in pixels.
        height: Height of capital letters, about, in pixels.
        colour: R, G, B.
        bold: Thicker strokes.
        anchor: ``left``, ``center`` or ``right``: what x means.
    """
    mask = _text_mask(text, height, bold)
    h, w = mask.shape
    x = position[0] - {"left": 0, "center": w // 2, "right": w}[anchor]
    y = position[1]
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + w, image.shape[1]), min(y + h, image.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    alpha = mask[y0 - y : y1 - y, x0 - x : x1 - x, None]
    region = image[y0:y1, x0:x1]
    region[:] = (region + (np.asarray(colour, np.float32) - region) * alpha + 0.5).astype(np.uint8)


def shade(
    image: ByteArray, box: tuple[int, int, int, int], colour: Colour = INK, opacity: float = 0.6
) -> None:
    """Lay a translucent rectangle over x0, y0, x1, y1 (cut off at the image's border)."""
    x0, y0 = max(box[0], 0), max(box[1], 0)
    region = image[y0 : max(box[3], 0), x0 : max(box[2], 0)]
    if region.size:
        flat = np.empty_like(region)
        flat[:] = colour
        cv2.addWeighted(flat, opacity, region, 1.0 - opacity, 0.0, dst=region)


def gauge_colour(reliance: float | None) -> Colour:
    """The colour of the camera that detections rest on; grey while nothing is seen."""
    if reliance is None:
        return GREY
    return RGB_COLOUR if reliance >= 0 else THERMAL_COLOUR


def gauge_text(reliance: float | None) -> str:
    """The gauge's value in words."""
    return "reliance --" if reliance is None else f"reliance {reliance:+.2f}"


def draw_gauge(image: ByteArray, box: tuple[int, int, int, int], reliance: float | None) -> None:
    """Draw reliance as a bar that leaves the middle towards the camera detections rest on.

    Args:
        image: ``(H, W, 3)`` uint8.
        box: x0, y0, x1, y1 of the gauge, at least about 120 x 12 pixels.
        reliance: In [-1, 1]; +1 (right end, blue) is RGB alone, -1 (left end, red) thermal alone;
            ``None`` while nothing is seen.
    """
    x0, y0, x1, y1 = box
    unit = max(7, round((y1 - y0) * 0.42))
    label_y = (y0 + y1) // 2 - text_size("RGB", unit)[1] // 2
    draw_text(image, "THERMAL", (x0, label_y), unit, THERMAL_COLOUR, bold=True)
    draw_text(image, "RGB", (x1, label_y), unit, RGB_COLOUR, bold=True, anchor="right")
    gap = unit
    left = x0 + text_size("THERMAL", unit, bold=True)[0] + gap
    right = x1 - text_size("RGB", unit, bold=True)[0] - gap
    middle, half = (left + right) // 2, (right - left) // 2
    thick = max(3, (y1 - y0) // 4)
    top, bottom = (y0 + y1 - thick) // 2, (y0 + y1 + thick) // 2
    shade(image, (left, top, right, bottom), (90, 96, 108), 0.9)
    tip = middle + round(min(1.0, max(-1.0, reliance or 0.0)) * half)
    colour = gauge_colour(reliance)
    if tip != middle:
        shade(image, (min(tip, middle), top, max(tip, middle), bottom), colour, 1.0)
    cv2.circle(image, (tip, (y0 + y1) // 2), thick, colour, -1, cv2.LINE_AA)
    cv2.circle(image, (tip, (y0 + y1) // 2), thick, WHITE, 1, cv2.LINE_AA)
    cv2.line(image, (middle, top - 3), (middle, bottom + 2), WHITE, 1, cv2.LINE_AA)
