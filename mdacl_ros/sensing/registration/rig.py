"""The geometric calibration of an RGB-thermal rig, as it lies in a YAML file.

Pixel coordinates in the file are OpenCV's and camera_info's: integers are pixel centres. Optical
frames follow REP-103 / REP-105: x right, y down, z forward, metres. Camera blocks are those that
camera_calibration and camera_info_manager write.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from mdacl_ros.errors import CalibrationError
from mdacl_ros.sensing.registration.rig_fields import rig_from_mapping, rig_to_mapping
from mdacl_ros.sensing.registration.rig_types import (
    CameraModel,
    DistortionModel,
    RigCalibration,
    RigKind,
)
from mdacl_ros.small_file import read_small_text
from mdacl_ros.unique_yaml import load_unique_yaml
from mdacl_ros.whole_file import write_whole

__all__ = ["CameraModel", "DistortionModel", "RigCalibration", "RigKind", "load_rig", "save_rig"]


def load_rig(path: Path | str) -> RigCalibration:
    """Read and check a rig calibration.

    Args:
        path: YAML file written by :func:`save_rig` or by hand, see calibration/README.md.

    Returns:
        The calibration.

    Raises:
        CalibrationError: The file is missing or unreadable, or a value is impossible; the message
            names file, key, got, wanted and remedy.
    """
    file = Path(path)
    try:
        content = load_unique_yaml(read_small_text(file))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise CalibrationError(
            f"rig calibration {file}: cannot be read ({reason}); check the parameter"
            " 'calibration', or make one as calibration/README.md tells"
        ) from error
    return rig_from_mapping(content, str(file))


def save_rig(rig: RigCalibration, path: Path | str) -> None:
    """Write a rig calibration so that :func:`load_rig` returns the same; checked first.

    Args:
        rig: The calibration.
        path: YAML file; replaced as a whole or not at all.

    Raises:
        CalibrationError: The calibration is not valid or the file cannot be written.
    """
    file = Path(path)
    content = rig_to_mapping(rig)
    rig_from_mapping(content, str(file))
    try:
        write_whole(file, yaml.safe_dump(content, sort_keys=False, default_flow_style=None))
    except OSError as error:
        raise CalibrationError(
            f"rig calibration {file}: cannot be written ({error.strerror}); choose another folder"
        ) from error
