"""From a frame pair to the network's input tensors; a bad frame never costs the other camera's."""

from __future__ import annotations

from typing import cast

import numpy as np

from mdacl_ros.errors import ImageError, ImageKindError, MdaclError
from mdacl_ros.runtime.engine import STRIDE
from mdacl_ros.sensing.blank import BlankCells
from mdacl_ros.sensing.letterbox import Letterbox
from mdacl_ros.sensing.registration.aligned_pair import AlignedPair, align
from mdacl_ros.sensing.registration.registration_source import RegistrationSource
from mdacl_ros.sensing.registration.rig import RigCalibration
from mdacl_ros.sensing.thermal.normalizer import ThermalImage, ThermalNormalizer
from mdacl_ros.types import MODALITIES, ByteArray, FloatArray, Frame, FramePair, Modality

Size = tuple[int, int]


class PairInput:
    """The input tensors of an engine, filled anew for every pair; not thread-safe.

    Args:
        rig: Calibration of the two cameras; ``None`` assumes the same view where both images have
            one aspect ratio.
        size: Network input ``(width, height)`` in pixels, multiples of 32.
        kelvin_scale: Kelvin per count of 16UC1 thermal images.
        background: Build the map for another distance in a thread of its own.

    Attributes:
        rgb: ``(1, H, W, 3)`` uint8, R, G, B, black where no image lies.
        thermal: ``(1, 1, H, W)`` float32 in [0, 1], in the RGB camera's view.
        present: ``(1, 2, H / 32, W / 32)`` float32 availability.
        letterbox: How the RGB image of the newest pair lies in the network input.
        source: The registration in use.
        warnings: What is being assumed or done without.
        unused: Why frames of the newest pair counted as absent, by camera.
        blank: Share of the cells of each camera's newest image that show nothing, (rgb, thermal).
            They count as absent, unless neither camera shows anything.
    """

    def __init__(
        self,
        rig: RigCalibration | None,
        size: Size,
        kelvin_scale: float,
        *,
        background: bool = False,
    ) -> None:
        width, height = size
        self.rgb = np.zeros((1, height, width, 3), np.uint8)
        self.thermal = np.zeros((1, 1, height, width), np.float32)
        self.present = np.zeros((1, 2, height // STRIDE, width // STRIDE), np.float32)
        self.letterbox = Letterbox(size, size)
        self.warnings: tuple[str, ...] = ()
        self.unused: dict[Modality, ImageError] = {}
        self.blank = (0.0, 0.0)
        self._blank_cells = {camera: BlankCells() for camera in MODALITIES}
        self._rig, self._size = rig, size
        self._rgb_size: Size | None = rig.rgb.size if rig is not None else None
        self._normalizer = ThermalNormalizer(kelvin_scale)
        self._kelvin_scale = kelvin_scale
        self.radiometric_counts = False
        self._last_thermal: tuple[Frame, ThermalImage] | None = None
        self._normalized: FloatArray = np.empty((0, 0), np.float32)
        self.source = RegistrationSource(rig, size, background=background)

    def fill(self, pair: FramePair, kelvin_scale: float, distance: float | None) -> None:
        """Prepare one pair. A frame that cannot be used counts as absent, with a warning.

        Args:
            pair: At least one frame is not ``None``.
            kelvin_scale: Kelvin per count of 16UC1 thermal images.
            distance: Metres at which thermal is laid over RGB; ``None``: the rig's own.

        Raises:
            MdaclError: No frame of the pair can be used.
        """
        self.unused = bad = {}
        rgb, thermal = None, None
        try:
            rgb = None if pair.rgb is None else rgb_pixels(pair.rgb)
        except ImageError as error:
            bad["rgb"] = error
        try:
            thermal = self._normalize(pair.thermal, kelvin_scale)
        except ImageError as error:
            bad["thermal"] = error
        if rgb is not None:
            self._rgb_size = (rgb.shape[1], rgb.shape[0])
        if thermal is not None:
            height, width = thermal.normalized.shape
            self.source.update(self._rgb_size or (width, height), (width, height), distance)
        self._fit_rgb()
        self._place_rgb(rgb)
        self._place_thermal(thermal)
        self._leave_out_blank()
        unused = (f"this {camera} frame is not used: {error}" for camera, error in bad.items())
        units = (self._normalizer.remark,) if self._normalizer.remark else ()
        self.warnings = (*self.source.warnings, *unused, *units)
        if not self.present.any():
            raise next(iter(bad.values()), None) or self._nothing_covered(rgb, thermal)

    def thermal_in_rgb(self) -> ByteArray | None:
        """The newest thermal frame's preview in the RGB image, ``(rgb height, rgb width)`` uint8.

        ``None`` without a thermal frame or without knowing where it lies.
        """
        if self._last_thermal is None or self.source.current is None:
            return None
        return cast(ByteArray, self.source.current.warp_to_rgb(self._last_thermal[1].preview))

    def aligned_pair(self) -> AlignedPair | None:
        """Both images of the newest pair on one small grid; ``None`` unless both took part."""
        registration = self.source.current
        if registration is None or not self.present.any(axis=(0, 2, 3)).all():
            return None
        return align(self.rgb[0], self.thermal[0, 0], registration)

    def expect_rgb_size(self, size: Size) -> None:
        """Say how large the RGB images are, for pairs that come before or without one.

        Args:
            size: ``(width, height)`` in pixels; an RGB image of another size overrules it.

        Raises:
            ImageError: A side is not positive.
        """
        if min(size) < 1:
            raise ImageError(
                f"rgb image size: got {size[0]}x{size[1]}, wanted pixels > 0; check the width and "
                "height of the RGB camera_info"
            )
        self._rgb_size = size

    def reset(self) -> None:
        """Forget all pairs so far, the RGB size seen included: the next is judged by itself."""
        self._normalizer.reset()
        for cells in self._blank_cells.values():
            cells.reset()
        self._last_thermal = None
        self._rgb_size = self._rig.rgb.size if self._rig is not None else None

    def _place_rgb(self, rgb: ByteArray | None) -> None:
        """Fit the colour image into the input tensor, or leave it absent."""
        if rgb is None:
            self.rgb[:] = 0
            self.present[0, 0] = 0.0
            return
        self.letterbox.write(rgb, self.rgb[0])
        self.present[0, 0] = self.letterbox.present_cells(STRIDE)

    def _place_thermal(self, thermal: ThermalImage | None) -> None:
        """Warp the thermal image into the input tensor, or leave it absent."""
        if thermal is None or self.source.current is None:
            self.thermal[:] = 0.0
            self.present[0, 1] = 0.0
            return
        self.source.current.write(thermal.normalized, self.thermal[0, 0])
        self.present[0, 1] = self.source.current.present_cells(STRIDE)

    def _leave_out_blank(self) -> None:
        """Take cells that show nothing for absent, unless nothing would be left."""
        shown, shares = self.present[0].copy(), []
        for camera, image, covered in zip(
            MODALITIES, (self.rgb[0], self.thermal[0, 0]), shown, strict=True
        ):
            blank = self._blank_cells[camera].look(image, covered)
            shares.append(float(blank.sum() / max(1, int(covered.sum()))))
            covered[blank] = 0.0
        self.blank = (shares[0], shares[1])
        if shown.any():
            self.present[0] = shown

    def _normalize(self, frame: Frame | None, kelvin_scale: float) -> ThermalImage | None:
        """Normalise a thermal frame once, also when it serves several RGB frames."""
        if kelvin_scale != self._kelvin_scale:
            self._normalizer = ThermalNormalizer(kelvin_scale)
            self._kelvin_scale, self._last_thermal = kelvin_scale, None
        if self._last_thermal is not None and self._last_thermal[0] is frame:
            return self._last_thermal[1]
        self._last_thermal = None
        if frame is None:
            return None
        if self._normalized.shape != frame.image.shape[:2]:
            self._normalized = np.empty(frame.image.shape[:2], np.float32)
        encoding = frame.encoding
        if encoding == "mono16" and self.radiometric_counts:
            encoding = "16UC1"
        image = self._normalizer(frame.image, encoding, frame.stamp_ns, out=self._normalized)
        self._last_thermal = (frame, image)
        return image

    def _nothing_covered(self, rgb: ByteArray | None, thermal: ThermalImage | None) -> MdaclError:
        """Why a pair without a bad frame cannot be answered."""
        if rgb is None and thermal is None:
            return MdaclError("pair: got a pair without frames, wanted at least one")
        if thermal is not None and self.source.error is not None:
            return self.source.error
        width, height = self._size
        return MdaclError(
            f"pair: the images cover no {STRIDE}-pixel cell of the network input "
            f"({width}x{height}), wanted one at least; choose an input size nearer to their shape"
        )

    def _fit_rgb(self) -> None:
        """Follow the RGB image's size; before any RGB was seen, thermal's stands in for it."""
        size = self._rgb_size
        if size is None and self.source.current is not None:
            self.letterbox = self.source.current.letterbox
        elif size is not None and self.letterbox.source_size != size:
            self.letterbox = Letterbox(size, self._size)


def rgb_pixels(frame: Frame) -> ByteArray:
    """Return a colour frame's pixels, checked.

    Raises:
        ImageError: Not ``(H, W, 3)`` uint8, or without pixels.
    """
    image = frame.image
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ImageKindError(
            f"rgb image, encoding {frame.encoding}: got {image.dtype} of shape {image.shape}, "
            "wanted uint8 of shape (H, W, 3) in R, G, B order; check the camera driver"
        )
    return cast(ByteArray, image)
