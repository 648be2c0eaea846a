"""Thermal pixels straight into the network input, in RGB geometry, by one cached map."""

from __future__ import annotations

import math
from functools import cached_property

from mdacl_ros.errors import CalibrationError
from mdacl_ros.sensing.letterbox import Letterbox, present_cells
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_ros.sensing.registration.thermal_warp import ThermalWarp, make_warp
from mdacl_ros.types import Array, FloatArray

__all__ = ["Letterbox", "Registration", "present_cells"]

_ASPECT_TOLERANCE = 0.01  # relative: 640x480 and 320x240 agree, 640x512 and 640x480 do not


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
        distance: Metres at which thermal is laid over RGB.
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
        self.distance = _distance(self._rig, reference_distance)
        self.letterbox = Letterbox(rgb_size, output_size)
        self._warp = make_warp(self._rig, self.letterbox, self.distance)
        self.coverage = self._warp.coverage
        self._cells: dict[int, FloatArray] = {}
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
            ``(output height, output width)`` of the same type, 0 where there is no coverage; the
            image itself where nothing has to change.

        Raises:
            ImageError: The image is not of the size the registration was made for.
        """
        return self._warp.apply(thermal)

    def write(self, thermal: Array, out: Array) -> None:
        """As :meth:`warp`, into a contiguous buffer of the network input's size.

        Raises:
            ImageError: As for :meth:`warp`.
        """
        self._warp.write(thermal, out)

    def warp_to_rgb(self, thermal: Array) -> Array:
        """Warp a thermal image into the full RGB image, for display.

        Args:
            thermal: As for :meth:`warp`.

        Returns:
            ``(rgb height, rgb width)`` of the same type, 0 where there is no coverage.

        Raises:
            ImageError: As for :meth:`warp`.
        """
        return self._display_warp.apply(thermal)

    @property
    def display_ready(self) -> bool:
        """Whether :meth:`warp_to_rgb` has its map."""
        return "_display_warp" in self.__dict__

    def prepare_display(self) -> None:
        """Build the map of :meth:`warp_to_rgb` now, instead of in its first call."""
        _ = self._display_warp

    def present_cells(self, stride: int = 32) -> FloatArray:
        """Cells of the network input that the thermal camera covers by half or more.

        Args:
            stride: Side of a cell in pixels.

        Returns:
            ``(H / stride, W / stride)`` float32 of 0 and 1.
        """
        if stride not in self._cells:
            self._cells[stride] = present_cells(self.coverage, stride)
        return self._cells[stride]

    @cached_property
    def _display_warp(self) -> ThermalWarp:
        size = self.letterbox.source_size
        return make_warp(self._rig, Letterbox(size, size), self.distance)


def _assume_identity(rgb_size: tuple[int, int], thermal_size: tuple[int, int]) -> RigCalibration:
    rgb_aspect, thermal_aspect = (width / height for width, height in (rgb_size, thermal_size))
    if abs(rgb_aspect / thermal_aspect - 1) > _ASPECT_TOLERANCE:
        raise CalibrationError(
            f"registration: no rig calibration given, and RGB {rgb_size[0]}x{rgb_size[1]} and"
            f" thermal {thermal_size[0]}x{thermal_size[1]} differ in aspect ratio, so they cannot"
            " show the same view; set the parameter 'calibration' (see"
            " calibration/README.md)"
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
