"""Thermal pixels straight into the network input, in RGB geometry, by one cached map."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, cast

import cv2
import numpy as np

from mdacl_ros.errors import CalibrationError, ImageError
from mdacl_ros.sensing.geometry import Points, thermal_from_rgb
from mdacl_ros.sensing.letterbox import BoolArray, Letterbox, present_cells
from mdacl_ros.sensing.rig_types import CameraModel, RigCalibration
from mdacl_ros.types import Array, FloatArray

__all__ = ["Letterbox", "Registration", "present_cells"]

_ASPECT_TOLERANCE = 0.01  # relative: 640x480 and 320x240 agree, 640x512 and 640x480 do not
_BLOCK = 8192  # points mapped at a time
_OUTSIDE = -16.0  # a source coordinate that certainly reads the border, which is 0


class Registration:
    """Warps thermal images into the RGB camera's view.

    The map takes a thermal pixel directly to the network input: RGB pixel -> undistort -> plane at
    the reference distance -> thermal frame -> distort. Boxes that come out of the network are
    therefore in the original, distorted RGB image after :meth:`Letterbox.inverse`. It is computed
    once; build a new registration when a resolution changes. Calls are thread-safe.

    Args:
        rig: The calibration; ``None``: the same view is assumed if both aspect ratios agree.
        rgb_size: ``(width, height)`` of the RGB images.
        thermal_size: ``(width, height)`` of the thermal images.
        output_size: ``(width, height)`` of the network input.
        reference_distance: Metres; ``None``: the rig's own. Only extrinsics can be moved.

    Attributes:
        letterbox: How the RGB image lies in the network input.
        coverage: ``(H, W)`` bool, true where the thermal camera sees the network input.
        assumed_identity: No rig was given; to be shown as a warning in the diagnostics.

    Raises:
        CalibrationError: The rig was made for other sizes, cannot serve the distance, shows no
            common view; or no rig was given and the aspect ratios differ.
    """

    def __init__(
        self,
        rig: RigCalibration | None,
        rgb_size: tuple[int, int],
        thermal_size: tuple[int, int],
        output_size: tuple[int, int],
        reference_distance: float | None = None,
    ) -> None:
        self.assumed_identity = rig is None
        self._rig = rig or _assume_identity(rgb_size, thermal_size)
        _check_sizes(self._rig, rgb_size, thermal_size)
        self._distance = _distance(self._rig, reference_distance)
        self.letterbox = Letterbox(rgb_size, output_size)
        self._map = _Map(self._rig, self.letterbox, self._distance)
        self.coverage = self._map.coverage
        if not self.coverage.any():
            raise CalibrationError(
                f"registration: the thermal image ({thermal_size[0]}x{thermal_size[1]}) covers no"
                f" pixel of the RGB image ({rgb_size[0]}x{rgb_size[1]}), wanted a common view;"
                " check that the calibration maps thermal to RGB and not the reverse"
            )

    def warp(self, thermal: Array) -> Array:
        """Warp a thermal image into the network input.

        Args:
            thermal: ``(thermal height, thermal width)`` float32 or uint8.

        Returns:
            ``(output height, output width)`` of the same type, 0 where there is no coverage.

        Raises:
            ImageError: The image is not of the size the registration was made for.
        """
        return self._map.apply(thermal)

    def warp_to_rgb(self, thermal: Array) -> Array:
        """Warp a thermal image into the full RGB image, for display.

        Args:
            thermal: As for :meth:`warp`.

        Returns:
            ``(rgb height, rgb width)`` of the same type, 0 where there is no coverage.

        Raises:
            ImageError: As for :meth:`warp`.
        """
        return self._display_map.apply(thermal)

    def present_cells(self, stride: int = 32) -> FloatArray:
        """Cells of the network input that the thermal camera covers by half or more.

        Args:
            stride: Side of a cell in pixels.

        Returns:
            ``(H / stride, W / stride)`` float32 of 0 and 1.
        """
        return present_cells(self.coverage, stride)

    @cached_property
    def _display_map(self) -> _Map:
        size = self.letterbox.source_size
        return _Map(self._rig, Letterbox(size, size), self._distance)


class _Map:
    """A fixed-point remap from thermal pixels to a letterboxed RGB image."""

    def __init__(self, rig: RigCalibration, letterbox: Letterbox, distance: float) -> None:
        self._size = rig.thermal.size
        width, height = letterbox.target_size
        points = _target_points(letterbox)  # (H*W, 2) RGB pixels
        blocks = np.array_split(points, max(1, len(points) // _BLOCK))  # each stays in the cache
        source = np.concatenate([thermal_from_rgb(rig, block, distance) for block in blocks])
        source = source.reshape(height, width, 2)
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
        if thermal.shape != self._size[::-1]:
            raise ImageError(
                f"registration: got a thermal image of shape {thermal.shape}, wanted"
                f" {self._size[::-1]}; the camera changed its resolution: rebuild the registration"
            )
        if self._reduced != self._size:
            thermal = cv2.resize(cast(Any, thermal), self._reduced, interpolation=cv2.INTER_AREA)
        source = cast(Any, thermal)
        return cast(Array, cv2.remap(source, self._whole, self._fraction, cv2.INTER_LINEAR))


def _target_points(letterbox: Letterbox) -> Points:
    """RGB pixel coordinates (OpenCV's) of every target pixel's centre, ``(H*W, 2)`` float64."""
    width, height = letterbox.target_size
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.column_stack((x.ravel(), y.ravel())) / np.asarray(letterbox.scale) - 0.5


def _reduced_size(source: Points, coverage: BoolArray, size: tuple[int, int]) -> tuple[int, int]:
    """Thermal size after whole-number averaging, where the target is much coarser than thermal.

    Bilinear sampling would skip pixels there and lose small people.
    """
    steps = np.linalg.norm(np.diff(source, axis=1), axis=2)
    covered = steps[coverage[:, 1:] & coverage[:, :-1]]
    factor = int(np.median(covered) + 1e-6) if covered.size else 1
    return (size[0] // factor, size[1] // factor) if factor >= 2 else size


def _assume_identity(rgb_size: tuple[int, int], thermal_size: tuple[int, int]) -> RigCalibration:
    rgb_aspect, thermal_aspect = (width / height for width, height in (rgb_size, thermal_size))
    if abs(rgb_aspect / thermal_aspect - 1) > _ASPECT_TOLERANCE:
        raise CalibrationError(
            f"registration: no rig calibration given, and RGB {rgb_size[0]}x{rgb_size[1]} and"
            f" thermal {thermal_size[0]}x{thermal_size[1]} differ in aspect ratio, so they cannot"
            " show the same view; set the parameter 'calibration' (make a file with"
            " `mdacl calibrate`)"
        )
    return RigCalibration("identity", CameraModel(rgb_size), CameraModel(thermal_size))


def _check_sizes(
    rig: RigCalibration, rgb_size: tuple[int, int], thermal_size: tuple[int, int]
) -> None:
    for name, camera, got in (("rgb", rig.rgb, rgb_size), ("thermal", rig.thermal, thermal_size)):
        if camera.size != got:
            raise CalibrationError(
                f"registration: {name} images are {got[0]}x{got[1]}, but the rig calibration was"
                f" made for {camera.size[0]}x{camera.size[1]}; set the camera to that resolution"
                " or calibrate again"
            )


def _distance(rig: RigCalibration, wanted: float | None) -> float:
    """The distance to use; only extrinsics know how parallax changes with it."""
    if wanted is None or wanted == rig.reference_distance:
        return rig.reference_distance
    if math.isnan(wanted) or wanted <= 0:
        raise CalibrationError(
            f"registration: reference_distance: got {wanted}, wanted metres > 0; set the distance"
            " at which most objects stand"
        )
    if rig.kind == "homography":
        raise CalibrationError(
            f"registration: reference_distance: got {wanted} m, but this homography holds at"
            f" {rig.reference_distance} m only; leave it unset or calibrate extrinsics"
        )
    return wanted
