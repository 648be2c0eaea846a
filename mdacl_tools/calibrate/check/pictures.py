"""Pictures of a calibration check: edges before and after, and a pair that blinks."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mdacl_ros.drawing.primitives import INK, RGB_COLOUR, THERMAL_COLOUR, draw_text, shade
from mdacl_ros.types import BoolArray, ByteArray
from mdacl_tools.calibrate.check.recording import CheckResult
from mdacl_tools.calibrate.result_files import write_result

_WIDEST = 960  # pixels of a panel
_BLINK_MS = 600
_EDGE_SHARE = 92  # percentile of the gradient from which a pixel is an edge


def draw_overlay(result: CheckResult, texts: tuple[str, str]) -> ByteArray:
    """Draw the edges of both cameras, before beside after.

    Args:
        result: Of the check.
        texts: A line each for the two panels.

    Returns:
        ``(H, 2 W, 3)`` uint8: RGB in grey, its edges blue, thermal's red.
    """
    everywhere = np.ones(result.rgb.shape[:2], np.bool_)
    panels = (
        _edges(result.rgb, result.thermal_before, everywhere, texts[0]),
        _edges(result.rgb, result.thermal_after, result.covered, texts[1]),
    )
    return np.hstack(panels)


def blink_frames(result: CheckResult) -> tuple[ByteArray, ByteArray]:
    """RGB, and thermal laid over it, ``(H, W, 3)`` uint8 each; edges must not jump between them."""
    rgb = _fit(result.rgb)
    grey = cv2.cvtColor(_fit(result.thermal_after), cv2.COLOR_GRAY2RGB)
    seen = _fit(result.covered.astype(np.uint8) * 255) > 127
    thermal = np.where(seen[..., None], grey, rgb // 3).astype(np.uint8)
    for picture, name in ((rgb, "RGB"), (thermal, "thermal")):
        _caption(picture, name)
    return rgb, thermal


def write_pictures(result: CheckResult, texts: tuple[str, str], folder: Path) -> list[Path]:
    """Write ``overlay.png``, ``blink_rgb.png``, ``blink_thermal.png`` and ``blink.gif``.

    Args:
        result: Of the check.
        texts: Captions of the overlay.
        folder: Exists.

    Returns:
        The files, each written whole.

    Raises:
        CalibrationError: A file cannot be written.
    """
    rgb, thermal = (Image.fromarray(frame) for frame in blink_frames(result))
    overlay = Image.fromarray(draw_overlay(result, texts))

    def animation(out: io.BytesIO) -> None:
        rgb.save(out, "GIF", save_all=True, append_images=[thermal], duration=_BLINK_MS, loop=0)

    saves: dict[str, Callable[[io.BytesIO], None]] = {
        "overlay.png": lambda out: overlay.save(out, "PNG"),
        "blink_rgb.png": lambda out: rgb.save(out, "PNG"),
        "blink_thermal.png": lambda out: thermal.save(out, "PNG"),
        "blink.gif": animation,
    }
    files = []
    for name, save in saves.items():
        memory = io.BytesIO()
        save(memory)
        write_result(folder / name, memory.getvalue())
        files.append(folder / name)
    return files


def _edges(rgb: ByteArray, thermal: ByteArray, seen: BoolArray, text: str) -> ByteArray:
    """One panel."""
    colour, warm = _fit(rgb), _fit(thermal)
    grey = np.asarray(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY), np.uint8)
    panel = np.asarray(cv2.cvtColor(grey // 2, cv2.COLOR_GRAY2RGB), np.uint8)
    inside = _fit(seen.astype(np.uint8) * 255) > 250
    inside = cv2.erode(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    panel[~inside] = panel[~inside] // 2
    panel[_thin(grey)] = RGB_COLOUR
    panel[_thin(warm) & inside] = THERMAL_COLOUR
    _caption(panel, text)
    return panel


def _thin(image: ByteArray) -> BoolArray:
    """Edges one pixel wide, about as many in a dull picture as in a bright one."""
    smooth = cv2.GaussianBlur(image, (0, 0), 1.6)
    x, y = (cv2.Sobel(smooth, cv2.CV_16S, *order, ksize=3) for order in ((1, 0), (0, 1)))
    strength = np.abs(x.astype(np.int32)) + np.abs(y.astype(np.int32))
    high = max(float(np.percentile(strength, _EDGE_SHARE)), 8.0)
    return np.asarray(cv2.Canny(x, y, high / 2, high) > 0)


def _fit(image: ByteArray) -> ByteArray:
    """Shrink to the panel's width; always a copy."""
    height, width = image.shape[:2]
    if width <= _WIDEST:
        return image.copy()
    size = (_WIDEST, round(height * _WIDEST / width))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _caption(picture: ByteArray, text: str) -> None:
    size = max(10, picture.shape[0] // 34)
    shade(picture, (0, 0, picture.shape[1], 2 * size + 4), INK, 0.7)
    draw_text(picture, text, (size, size // 2 + 2), size)
