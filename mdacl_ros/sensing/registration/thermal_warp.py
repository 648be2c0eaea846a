"""From thermal pixels to a letterboxed RGB image: one remap, or one resize for the same view."""

from __future__ import annotations

from typing import Any, Protocol, cast

import cv2
import numpy as np

from mdacl_ros.errors import ImageError
from mdacl_ros.sensing.letterbox import BoolArray, Letterbox, fit
from mdacl_ros.sensing.registration.dense_map import thermal_map
from mdacl_ros.sensing.registration.geometry import Points
from mdacl_ros.sensing.registration.rig_types import RigCalibration
from mdacl_ros.types import Array

_OUTSIDE = -16.0  # a source coordinate that certainly reads the border, which is 0


class ThermalWarp(Protocol):
    """Takes thermal images into one fixed target; ``coverage`` is ``(H, W)`` bool."""

    coverage: BoolArray

    def apply(self, thermal: Array) -> Array:
        """Warp ``(h, w)`` float32 or uint8 to ``(H, W)``, 0 where there is no coverage."""
        ...

    def write(self, thermal: Array, out: Array) -> None:
        """As :meth:`apply`, into a contiguous buffer ``(H, W)`` of the same type."""
        ...


def make_warp(rig: RigCalibration, letterbox: Letterbox, distance: float) -> ThermalWarp:
    """Choose the cheapest warp that is exact for the rig.

    Args:
        rig: The calibration.
        letterbox: How the RGB image lies in the target.
        distance: Metres, for extrinsics; see :func:`thermal_from_rgb`.

    Returns:
        The warp; calls are thread-safe.
    """
    if rig.kind == "identity":
        return _Rescale(rig, letterbox)
    return _Remap(rig, letterbox, distance)


class _Rescale:
    """The same view at another resolution: six times faster than a remap of equal geometry."""

    def __init__(self, rig: RigCalibration, letterbox: Letterbox) -> None:
        self._size = rig.thermal.size
        self._content, self._target = letterbox.content_size, letterbox.target_size
        self.coverage = letterbox.coverage()

    def apply(self, thermal: Array) -> Array:
        """Scale one image and pad it as the RGB image is."""
        _check_shape(thermal, self._size)
        if self._size == self._target:
            return thermal
        canvas = np.empty(self._target[::-1], thermal.dtype)
        fit(thermal, self._content, canvas)
        return canvas

    def write(self, thermal: Array, out: Array) -> None:
        """Scale and pad into a buffer."""
        _check_shape(thermal, self._size)
        fit(thermal, self._content, out)


class _Remap:
    """A fixed-point remap from thermal pixels to a letterboxed RGB image."""

    def __init__(self, rig: RigCalibration, letterbox: Letterbox, distance: float) -> None:
        self._size = rig.thermal.size
        source = thermal_map(rig, letterbox, distance)  # (H, W, 2) thermal pixels
        limit = np.asarray(self._size, np.float64)
        with np.errstate(invalid="ignore"):
            seen = ((source >= -0.5) & (source <= limit - 0.5)).all(axis=2)
        self.coverage = seen & letterbox.coverage()
        self._reduced = _reduced_size(source, self.coverage, self._size)
        ratio = np.asarray(self._reduced) / limit
        # Half a pixel around the outermost centres is still image: clamp instead of fading to 0.
        source = np.clip((source + 0.5) * ratio - 0.5, 0, np.asarray(self._reduced) - 1.0)
        source[~self.coverage] = _OUTSIDE
        exact = np.ascontiguousarray(source, np.float32)
        self._whole, self._fraction = cv2.convertMaps(exact, cast(Any, None), cv2.CV_16SC2)

    def apply(self, thermal: Array) -> Array:
        """Remap one image."""
        out = np.empty(self.coverage.shape, thermal.dtype)
        self.write(thermal, out)
        return out

    def write(self, thermal: Array, out: Array) -> None:
        """Remap into a buffer."""
        _check_shape(thermal, self._size)
        if self._reduced != self._size:
            thermal = cv2.resize(cast(Any, thermal), self._reduced, interpolation=cv2.INTER_AREA)
        source, target = cast(Any, thermal), cast(Any, out)
        cv2.remap(source, self._whole, self._fraction, cv2.INTER_LINEAR, dst=target)


def _reduced_size(source: Points, coverage: BoolArray, size: tuple[int, int]) -> tuple[int, int]:
    """Thermal size after whole-number averaging, where the target is much coarser than thermal.

    Bilinear sampling would skip pixels there and lose small people.
    """
    steps = np.linalg.norm(np.diff(source, axis=1), axis=2)
    covered = steps[coverage[:, 1:] & coverage[:, :-1]]
    factor = int(np.median(covered) + 1e-6) if covered.size else 1
    return (size[0] // factor, size[1] // factor) if factor >= 2 else size


def _check_shape(thermal: Array, size: tuple[int, int]) -> None:
    if thermal.shape != size[::-1]:
        raise ImageError(
            f"registration: got a thermal image of shape {thermal.shape}, wanted {size[::-1]}; the"
            " camera changed its resolution: rebuild the registration"
        )
