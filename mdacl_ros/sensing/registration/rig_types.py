"""What a rig calibration says: plain data; see :mod:`.rig` for the file.

Pixel coordinates are OpenCV's and camera_info's: integers are pixel centres. Optical
frames follow REP-103 / REP-105: x right, y down, z forward, metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from mdacl_ros.types import Array, Modality

RigKind = Literal["identity", "homography", "extrinsics"]
DistortionModel = Literal["plumb_bob", "rational_polynomial", "equidistant"]


@dataclass(frozen=True, slots=True)
class CameraModel:
    """One camera's image size and, where known, its intrinsics.

    Attributes:
        size: ``(width, height)`` in pixels.
        matrix: ``(3, 3)`` float64 intrinsic matrix K in pixels, or ``None``.
        distortion: Coefficients in OpenCV's order, empty for none.
        model: ``plumb_bob``, ``rational_polynomial`` or ``equidistant`` (fisheye).
    """

    size: tuple[int, int]
    matrix: Array | None = None
    distortion: tuple[float, ...] = ()
    model: DistortionModel = "plumb_bob"


@dataclass(frozen=True, slots=True)
class RigCalibration:
    """How thermal pixels lie in the RGB image.

    Attributes:
        kind: ``identity`` (same view, at most scaled), ``homography`` or ``extrinsics``.
        rgb: The colour camera.
        thermal: The thermal camera.
        reference_distance: Metres at which the two images coincide, along the RGB optical axis;
            ``math.inf`` for a scene far away. For a homography: where it was measured.
        homography: ``(3, 3)`` float64, thermal pixels -> RGB pixels; kind ``homography`` only.
        rotation: ``(3, 3)`` float64, thermal -> RGB optical frame; kind ``extrinsics`` only.
        translation: ``(3,)`` float64 metres, thermal origin in the RGB optical frame.
        date: ISO date of the calibration.
        source: What it was made from.
        sha256: Digest of what it was made from, hexadecimal; empty where it was not taken.
        reprojection_error: Root mean square pixels by camera, where it was measured.
        thermal_clock_offset: Seconds to add to thermal stamps, where it is known.
    """

    kind: RigKind
    rgb: CameraModel
    thermal: CameraModel
    reference_distance: float = math.inf
    homography: Array | None = None
    rotation: Array | None = None
    translation: Array | None = None
    date: str = ""
    source: str = ""
    sha256: str = ""
    reprojection_error: dict[Modality, float] | None = None
    thermal_clock_offset: float | None = None
