"""A calibration and its picture: both new, or both as they were."""

from __future__ import annotations

import pytest

from mdacl_ros.errors import CalibrationError
from mdacl_ros.sensing.registration.rig import load_rig
from mdacl_ros.sensing.registration.rig_types import RigCalibration
from mdacl_tools.calibrate.result_files import write_with_picture

from .rig_scenes import rig


def test_a_rig_that_cannot_be_written_leaves_the_older_pair(tmp_path):
    path = tmp_path / "rig.yaml"
    write_with_picture(rig(), path, b"old")
    bad = RigCalibration("homography", rig().rgb, rig().thermal)
    with pytest.raises(CalibrationError, match="homography: missing"):
        write_with_picture(bad, path, b"new")
    assert load_rig(path).kind == "extrinsics"
    assert (tmp_path / "rig.png").read_bytes() == b"old"
    with pytest.raises(CalibrationError, match="homography: missing"):
        write_with_picture(bad, tmp_path / "other.yaml", b"new")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rig.png", "rig.yaml"]
