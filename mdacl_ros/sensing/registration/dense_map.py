"""Where every pixel of a letterboxed RGB image lies in the thermal image.

The exact geometry inverts lens models point by point: seconds for a whole image. The map is smooth,
so it is evaluated on a coarse grid and interpolated by cubics; pixels where it is not smooth (the
rim of a lens model, the horizon) are evaluated exactly.
"""

from __future__ import annotations

import numpy as np

from mdacl_ros.sensing.letterbox import Letterbox
from mdacl_ros.sensing.registration.geometry import Points, thermal_from_rgb
from mdacl_ros.sensing.registration.rig_types import RigCalibration
from mdacl_ros.types import BoolArray

_STEP = 8  # target pixels between the points of the coarse grid
_SMOOTH = 0.05  # pixels between cubic and linear interpolation, up to which the cubic is trusted
_BLOCK = 8192  # points mapped at a time: each stays in the cache


def thermal_map(rig: RigCalibration, letterbox: Letterbox, distance: float) -> Points:
    """Thermal coordinates of every target pixel.

    Args:
        rig: The calibration.
        letterbox: How the RGB image lies in the target.
        distance: Metres, see :func:`thermal_from_rgb`.

    Returns:
        ``(H, W, 2)`` float64 thermal pixels (OpenCV's), NaN where not visible; within a
        fixed-point step (1/32 px) of :func:`exact_thermal_map` where the thermal image is.
    """
    width, height = letterbox.target_size
    if width * height <= _BLOCK:  # few pixels are far apart, and soon mapped
        return exact_thermal_map(rig, letterbox, distance)
    columns, rows = _coarse(width), _coarse(height)
    x, y = np.meshgrid(columns, rows)
    coarse = _mapped(rig, letterbox, distance, x.ravel(), y.ravel())
    coarse = coarse.reshape(len(rows), len(columns), 2)
    with np.errstate(invalid="ignore", over="ignore"):
        fine = _refine(_refine(coarse, _CUBIC, height).swapaxes(0, 1), _CUBIC, width)
        plain = _refine(_refine(coarse, _LINEAR, height).swapaxes(0, 1), _LINEAR, width)
        rough = ~(np.abs(fine - plain).max(axis=2) <= _SMOOTH)
    fine, rough = fine.swapaxes(0, 1), rough.swapaxes(0, 1)
    return _mend(fine, rough, rig, letterbox, distance)


def exact_thermal_map(rig: RigCalibration, letterbox: Letterbox, distance: float) -> Points:
    """The same, every pixel by itself: seconds; the reference for tests and benchmarks."""
    width, height = letterbox.target_size
    everywhere = np.ones((height, width), np.bool_)
    return _mend(np.empty((height, width, 2)), everywhere, rig, letterbox, distance)


def _mend(
    source: Points, where: BoolArray, rig: RigCalibration, letterbox: Letterbox, distance: float
) -> Points:
    """Evaluate the pixels ``where`` exactly."""
    y, x = np.nonzero(where)
    parts = range(max(1, len(x) // _BLOCK))
    split = (np.array_split(axis, len(parts)) for axis in (x, y))
    blocks = [
        _mapped(rig, letterbox, distance, columns, rows)
        for columns, rows in zip(*split, strict=True)
    ]
    source = np.ascontiguousarray(source)
    source[y, x] = np.concatenate(blocks)
    return source


def _mapped(
    rig: RigCalibration, letterbox: Letterbox, distance: float, columns: Points, rows: Points
) -> Points:
    """Thermal pixels ``(N, 2)`` of target pixels given by column and row."""
    centres = np.column_stack((columns, rows)) + 0.5
    return thermal_from_rgb(rig, centres / np.asarray(letterbox.scale) - 0.5, distance)


def _coarse(length: int) -> Points:
    """Grid positions along an axis: one step before it to at least two steps beyond its end."""
    return np.arange(-1, -(-length // _STEP) + 2, dtype=np.float64) * _STEP


def _weights(cubic: bool) -> Points:
    """Weights ``(step, 4)`` of four neighbours for each position between the middle two."""
    t = np.arange(_STEP)[:, None] / _STEP
    if not cubic:
        return np.hstack((0 * t, 1 - t, t, 0 * t))
    # Catmull and Rom (1974): exact for quadratics.
    return np.hstack(
        (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
    ) / np.float64(2)


_CUBIC, _LINEAR = _weights(cubic=True), _weights(cubic=False)


def _refine(coarse: Points, weights: Points, length: int) -> Points:
    """Interpolate along the first axis, ``(n, m, 2)`` -> ``(length, m, 2)``."""
    cells = len(coarse) - 3
    fine = np.empty((cells, len(weights), *coarse.shape[1:]))
    for place, row in enumerate(weights):
        neighbours = (w * coarse[k : k + cells] for k, w in enumerate(row))
        fine[:, place] = sum(neighbours)
    return fine.reshape(-1, *coarse.shape[1:])[:length]
