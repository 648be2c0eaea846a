"""CameraInfo -> our camera model, with every field that qualifies it used or refused.

One place for node, doctor and bags. ``K`` is that of the whole sensor: the images are a region of
it (``roi``), binned (REP 104; the arithmetic of image_geometry's PinholeCameraModel). No ROS
types: the functions take anything with the fields, rclpy's or rosbags' messages, ROS 1 or 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdacl_ros.sensing.registration.rig_types import CameraModel, DistortionModel

_ALIASES: dict[str, DistortionModel] = {
    "plumb_bob": "plumb_bob",
    "radtan": "plumb_bob",  # Kalibr
    "radial_tangential": "plumb_bob",
    "brown_conrady": "plumb_bob",  # RealSense, DepthAI
    "opencv": "plumb_bob",
    "pinhole": "plumb_bob",
    "perspective": "plumb_bob",
    "rational_polynomial": "rational_polynomial",
    "rational": "rational_polynomial",
    "equidistant": "equidistant",
    "fisheye": "equidistant",  # OpenCV's name
    "opencv_fisheye": "equidistant",
    "kannala_brandt": "equidistant",
    "kannala_brandt4": "equidistant",
}
"""Names that drivers use, by lower case and underscores."""

_LONGEST_PLUMB_BOB = 5


def lens_model(name: str, coefficients: int) -> DistortionModel | None:
    """The lens model that a ``distortion_model`` means.

    Args:
        name: As in the message; empty is taken by the number of coefficients.
        coefficients: How many there are.

    Returns:
        ``None``: not known.
    """
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    model = _ALIASES.get(plain) if plain else "plumb_bob"
    if model == "plumb_bob" and coefficients > _LONGEST_PLUMB_BOB:
        return "rational_polynomial"
    return model


def images_of(info: Any) -> tuple[int, int]:
    """``(width, height)`` in pixels of the images a CameraInfo describes: its region, binned."""
    width, height = info.roi.width or info.width, info.roi.height or info.height
    return width // max(info.binning_x, 1), height // max(info.binning_y, 1)


def camera_model(
    info: Any, size: tuple[int, int] | None = None, *, rectified: bool = False
) -> tuple[CameraModel, tuple[str, ...]]:
    """The intrinsics of the images as they arrive.

    Args:
        info: Anything with the fields of ``sensor_msgs/CameraInfo``.
        size: ``(width, height)`` of the images, where known: drivers exist that give the binning
            and a ``K`` that is already of the binned images.
        rectified: They are ``image_rect``: the camera is ``P``, without distortion.

    Returns:
        The model, ``matrix`` ``None`` for an uncalibrated camera, and what is doubtful of it, a
        sentence each: a lens model that is not known is taken as a pinhole.
    """
    k, d, p = (_field(info, name) for name in "kdp")
    matrix = p.reshape(3, 4)[:, :3].copy() if rectified and p.any() else k.reshape(3, 3).copy()
    distortion = () if rectified or not d.any() else tuple(float(v) for v in d)
    model = lens_model(info.distortion_model, len(distortion))
    remarks = []
    if model is None and distortion:
        remarks.append(
            f"distortion model {info.distortion_model!r} is not known, its lens is taken as a "
            "pinhole; wanted plumb_bob, rational_polynomial or equidistant"
        )
    if model is None:
        model, distortion = "plumb_bob", ()
    if model == "equidistant" and not rectified:
        distortion = tuple(float(v) for v in d[:4])  # bends also where all are 0
    described = images_of(info)
    if size is not None and size != described and size == (info.width, info.height):
        remarks.append(
            f"tells of images of {described[0]}x{described[1]} (binning or roi), they are "
            f"{size[0]}x{size[1]}: binning and roi are not applied"
        )
        described = size
    else:
        _crop_and_bin(matrix, info)
    known = matrix if matrix.any() else None  # all 0 means "not calibrated"
    return CameraModel(described, known, distortion, model), tuple(remarks)


def _crop_and_bin(matrix: Any, info: Any) -> None:
    """K of the region, then of the binned images, in place; zeros stay zeros."""
    if not matrix.any():
        return
    matrix[0, 2] -= info.roi.x_offset
    matrix[1, 2] -= info.roi.y_offset
    matrix[0] /= max(info.binning_x, 1)
    matrix[1] /= max(info.binning_y, 1)


def _field(info: Any, name: str) -> Any:
    """K, D or P as float64; ROS 1 names them in capitals."""
    values = getattr(info, name) if hasattr(info, name) else getattr(info, name.upper())
    return np.asarray(values, np.float64)
