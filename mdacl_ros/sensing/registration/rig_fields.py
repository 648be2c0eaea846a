"""Rig calibration <-> mapping of YAML values, every field checked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NoReturn, cast, get_args

import numpy as np
import numpy.typing as npt

from mdacl_ros.errors import CalibrationError
from mdacl_ros.sensing.registration.rig_types import (
    CameraModel,
    DistortionModel,
    RigCalibration,
    RigKind,
)
from mdacl_ros.types import MODALITIES, Modality

RIG_VERSION = 1
"""Version of the file's layout."""

_COEFFICIENTS = {"plumb_bob": (4, 5), "rational_polynomial": (8,), "equidistant": (4,)}
_MIN_DETERMINANT = 1e-6  # of a homography between unit squares, of unit norm
_ROTATION_TOLERANCE = 1e-4  # of R R^T against the identity: rounding in a hand-edited file


def rig_from_mapping(content: Any, where: str) -> RigCalibration:
    """Check a mapping as YAML gives it and build the calibration.

    Args:
        content: The parsed file.
        where: File name for messages.

    Returns:
        The calibration.

    Raises:
        CalibrationError: A key is missing or its value impossible.
    """
    fields = _Fields(content, where)
    if fields.get("version") != RIG_VERSION:
        fields.fail("version", f"{RIG_VERSION}", "update mdacl_ros or calibrate again")
    kind = fields.choice("kind", get_args(RigKind))
    distance = fields.number("reference_distance", math.inf)
    if not distance > 0:
        fields.fail("reference_distance", "metres > 0, or .inf", "measure the working distance")
    extrinsics = kind == "extrinsics"
    rgb = _camera(fields.section("rgb"), extrinsics)
    thermal = _camera(fields.section("thermal"), extrinsics)
    return RigCalibration(
        kind=cast(RigKind, kind),
        rgb=rgb,
        thermal=thermal,
        reference_distance=distance,
        homography=_homography(fields, rgb, thermal) if kind == "homography" else None,
        rotation=_rotation(fields) if extrinsics else None,
        translation=fields.numbers("translation", (3,)) if extrinsics else None,
        date=str(fields.content.get("date", "")),
        source=str(fields.content.get("source", "")),
        sha256=str(fields.content.get("sha256", "")),
        reprojection_error=_errors(fields),
        thermal_clock_offset=_finite(fields, "thermal_clock_offset"),
    )


def rig_to_mapping(rig: RigCalibration) -> dict[str, Any]:
    """Turn a calibration into plain values for YAML.

    Args:
        rig: The calibration.

    Returns:
        The mapping that :func:`rig_from_mapping` reads.
    """
    content: dict[str, Any] = {
        "version": RIG_VERSION,
        "kind": rig.kind,
        "date": rig.date,
        "source": rig.source,
        "reference_distance": rig.reference_distance,
        "rgb": _camera_mapping("rgb", rig.rgb),
        "thermal": _camera_mapping("thermal", rig.thermal),
    }
    for key in ("homography", "rotation", "translation"):
        value = getattr(rig, key)
        if value is not None:
            content[key] = np.asarray(value, np.float64).tolist()
    for key in ("sha256", "reprojection_error", "thermal_clock_offset"):
        if (value := getattr(rig, key)) not in (None, ""):
            content[key] = value
    return content


@dataclass(frozen=True, slots=True)
class _Fields:
    """A mapping with checked access; ``where`` names file and section in messages."""

    content: Any
    where: str

    def __post_init__(self) -> None:
        if not isinstance(self.content, dict):
            raise CalibrationError(
                f"rig calibration {self.where}: got {type(self.content).__name__}, wanted a"
                " mapping of keys; see calibration/README.md"
            )

    def fail(self, key: str, wanted: str, remedy: str) -> NoReturn:
        got = " ".join(repr(self.content.get(key)).split())[:120]
        raise CalibrationError(
            f"rig calibration {self.where}: {key}: got {got}, wanted {wanted}; {remedy}"
        )

    def get(self, key: str) -> Any:
        if key not in self.content:
            raise CalibrationError(
                f"rig calibration {self.where}: {key}: missing (got"
                f" {', '.join(map(str, self.content)) or 'nothing'}); see calibration/README.md"
            )
        return self.content[key]

    def section(self, key: str) -> _Fields:
        return _Fields(self.get(key), f"{self.where}: {key}")

    def choice(self, key: str, wanted: tuple[str, ...]) -> str:
        if self.get(key) not in wanted:
            self.fail(key, " or ".join(wanted), "see calibration/README.md")
        return cast(str, self.content[key])

    def number(self, key: str, default: float) -> float:
        value = self.content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(key, "a number", "see calibration/README.md")
        return float(value)

    def size(self, key: str) -> int:
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65_535:
            self.fail(key, "whole pixels, 1 to 65535", "copy it from camera_info")
        return value

    def numbers(self, key: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """Finite float64 of ``shape`` (-1: any length); nested, flat, or rows/cols/data."""
        value = self.get(key)
        if isinstance(value, dict):
            value = value.get("data")
        try:
            array = np.asarray(value, np.float64).reshape(shape)
        except (TypeError, ValueError):
            self.fail(key, f"numbers of shape {shape}", "calibrate again or copy camera_info")
        if not np.isfinite(array).all():
            self.fail(key, "finite numbers", "calibrate again")
        return array


def _finite(fields: _Fields, key: str) -> float | None:
    """An optional finite number."""
    if fields.content.get(key) is None:
        return None
    value = fields.number(key, 0.0)
    if not math.isfinite(value):
        fields.fail(key, "a finite number", "calibrate again")
    return value


def _errors(fields: _Fields) -> dict[Modality, float] | None:
    """Optional reprojection errors by camera."""
    if "reprojection_error" not in fields.content:
        return None
    section = fields.section("reprojection_error")
    return {c: section.number(c, 0.0) for c in MODALITIES if c in section.content}


def _camera(fields: _Fields, intrinsics_required: bool) -> CameraModel:
    """Read a camera_info block; its matrix may be absent where only the size is needed."""
    size = (fields.size("image_width"), fields.size("image_height"))
    if "camera_matrix" not in fields.content and not intrinsics_required:
        return CameraModel(size)
    matrix = fields.numbers("camera_matrix", (3, 3))
    if matrix[0, 0] <= 0 or matrix[1, 1] <= 0 or not np.array_equal(matrix[2], (0, 0, 1)):
        fields.fail(
            "camera_matrix",
            "fx, fy > 0 and a last row of 0, 0, 1",
            "the camera is uncalibrated: run camera_calibration",
        )
    model = fields.choice("distortion_model", tuple(_COEFFICIENTS))
    distortion = fields.numbers("distortion_coefficients", (-1,))
    if distortion.size not in (0, *_COEFFICIENTS[model]):
        lengths = " or ".join(map(str, _COEFFICIENTS[model]))
        fields.fail("distortion_coefficients", f"{lengths} for {model}", "copy camera_info")
    return CameraModel(size, matrix, tuple(map(float, distortion)), cast(DistortionModel, model))


def _camera_mapping(name: str, camera: CameraModel) -> dict[str, Any]:
    """A camera_info block as camera_calibration writes it.

    ``camera_calibration_parsers`` wants the last two matrices of a file as well; they say that the
    image is not rectified, and are not read here.
    """
    block: dict[str, Any] = {
        "image_width": int(camera.size[0]),
        "image_height": int(camera.size[1]),
        "camera_name": name,
    }
    if camera.matrix is not None:
        matrix = np.asarray(camera.matrix, np.float64)
        block["camera_matrix"] = _matrix_mapping(matrix)
        block["distortion_model"] = camera.model
        block["distortion_coefficients"] = _matrix_mapping(np.array([camera.distortion]))
        block["rectification_matrix"] = _matrix_mapping(np.eye(3))
        block["projection_matrix"] = _matrix_mapping(np.column_stack((matrix, np.zeros(3))))
    return block


def _matrix_mapping(matrix: npt.NDArray[np.float64]) -> dict[str, Any]:
    """A matrix as OpenCV's YAML has it."""
    rows, columns = matrix.shape
    return {"rows": rows, "cols": columns, "data": [float(value) for value in matrix.ravel()]}


def _homography(fields: _Fields, rgb: CameraModel, thermal: CameraModel) -> npt.NDArray[np.float64]:
    """Read the matrix and check that it keeps the thermal image in one piece."""
    matrix = fields.numbers("homography", (3, 3))
    width, height = thermal.size
    unit = np.diag((1 / rgb.size[0], 1 / rgb.size[1], 1)) @ matrix @ np.diag((width, height, 1))
    norm = float(np.linalg.norm(unit))
    if norm == 0 or abs(float(np.linalg.det(unit / norm))) < _MIN_DETERMINANT:
        fields.fail("homography", "an invertible 3x3 matrix", "calibrate again")
    depths = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)]) @ matrix[2]
    if depths.min() * depths.max() <= 0:
        fields.fail("homography", "no horizon inside the thermal image", "calibrate again")
    return matrix


def _rotation(fields: _Fields) -> npt.NDArray[np.float64]:
    matrix = fields.numbers("rotation", (3, 3))
    error = float(np.abs(matrix @ matrix.T - np.eye(3)).max())
    if error > _ROTATION_TOLERANCE or np.linalg.det(matrix) < 0:
        fields.fail(
            "rotation", "a rotation matrix (R R^T = I, det +1)", "calibrate again or orthonormalise"
        )
    return matrix
