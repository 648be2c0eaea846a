"""The picture of a scene calibration: thermal edges over RGB before and after, and a checkerboard.

Look at it before driving: on every large object the red edges have to lie on the edges of RGB.
"""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.drawing.primitives import INK, THERMAL_COLOUR, draw_text, shade
from mdacl_ros.errors import CalibrationError
from mdacl_ros.types import ByteArray, FloatArray
from mdacl_tools.calibrate.scene.frames import SceneFrames
from mdacl_tools.calibrate.scene.pyramid import Size
from mdacl_tools.calibrate.scene.structure import structure
from mdacl_tools.calibrate.scene.warp_model import Matrix

_EDGE = 1.6  # times the surroundings' rms
_TILES = 8
_TEXT = 13


def draw_scene(frames: SceneFrames, before: Matrix, after: Matrix, caption: str) -> ByteArray:
    """Draw three panels for one pair.

    Args:
        frames: The frames; the pair in their middle is shown.
        before: Thermal pixels -> RGB pixels as assumed at the start.
        after: Thermal pixels -> RGB pixels as estimated.
        caption: Short text under the panels.

    Returns:
        ``(H, 3 W, 3)`` uint8 R, G, B.
    """
    shown = len(frames.colours) // 2
    colour, thermal = frames.colours[shown], frames.pairs.thermal[shown]
    size = frames.pairs.canvas
    to_canvas = frames.pairs.to_canvas
    panels = [
        _edges_over(colour, _laid(thermal, to_canvas @ before, size)),
        _edges_over(colour, _laid(thermal, to_canvas @ after, size)),
        _checkerboard(colour, _laid(thermal, to_canvas @ after, size)),
    ]
    titles = ("before: thermal edges over RGB", "after", "after: RGB and thermal by turns")
    for panel, title in zip(panels, titles, strict=True):
        shade(panel, (0, 0, size[0], _TEXT + 12), INK, 0.7)
        draw_text(panel, title, (8, 6), _TEXT)
    footer = np.empty((_TEXT + 16, 3 * size[0], 3), np.uint8)
    footer[:] = INK
    draw_text(footer, caption, (8, 8), _TEXT)
    return np.vstack((np.hstack(panels), footer))


def encode_png(picture: ByteArray) -> bytes:
    """Compress a picture.

    Args:
        picture: ``(H, W, 3)`` uint8 R, G, B.

    Raises:
        CalibrationError: It cannot be compressed.
    """
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise CalibrationError("figure: OpenCV cannot write PNG; check its build")
    return bytes(data)


def _laid(thermal: FloatArray, matrix: Matrix, size: Size) -> FloatArray:
    """Thermal over RGB, NaN where it does not reach."""
    return np.asarray(
        cv2.warpPerspective(
            thermal, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(float("nan"),)
        ),
        np.float32,
    )


def _edges_over(colour: ByteArray, laid: FloatArray) -> ByteArray:
    """RGB in grey, thermal's edges in its colour."""
    grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)
    dim = cv2.convertScaleAbs(grey, alpha=0.75)
    panel = np.asarray(cv2.cvtColor(dim, cv2.COLOR_GRAY2RGB), np.uint8)
    seen = np.isfinite(laid)
    valid = cv2.erode(seen.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(np.float32)
    strength = np.abs(structure(np.nan_to_num(laid), 1.0, valid))
    peak = strength >= cv2.dilate(strength, np.ones((3, 1), np.uint8)) - 1e-6
    peak |= strength >= cv2.dilate(strength, np.ones((1, 3), np.uint8)) - 1e-6
    panel[(strength > _EDGE) & peak] = THERMAL_COLOUR
    panel[~seen] = panel[~seen] // 2
    return panel


def _checkerboard(colour: ByteArray, laid: FloatArray) -> ByteArray:
    """RGB and thermal by turns, so that edges have to run on across the borders."""
    height, width = laid.shape
    side = width // _TILES
    y, x = np.mgrid[:height, :width]
    grey = np.nan_to_num(laid * 255).clip(0, 255).astype(np.uint8)
    thermal = cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[..., ::-1]
    turn = (((x // side + y // side) % 2) == 1) & np.isfinite(laid)
    return np.where(turn[..., None], thermal, colour).astype(np.uint8)
