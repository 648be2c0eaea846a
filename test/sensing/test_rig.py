"""Rig files: what is written is read back, and every impossible value is named."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from mdacl_ros.errors import CalibrationError
from mdacl_ros.sensing.registration.rig import CameraModel, RigCalibration, load_rig, save_rig
from mdacl_ros.sensing.registration.thermal_registration import Registration

FOLDER = Path(__file__).resolve().parents[2] / "calibration"
K = np.array([[500.0, 0, 320], [0, 501.0, 240], [0, 0, 1]])
EXTRINSICS = RigCalibration(
    "extrinsics",
    CameraModel((640, 480), K, (0.1, -0.2, 0.001, 0.002, 0.0)),
    CameraModel((640, 512), K, (0.1, 0.01, 0.001, 0.002), "equidistant"),
    12.5,
    rotation=np.eye(3),
    translation=np.array([0.05, 0.0, 0.0]),
    date="2026-11-22",
    source="test",
    sha256="5eed" * 16,
    reprojection_error={"rgb": 0.05, "thermal": 0.1},
    thermal_clock_offset=0.0,
)
HOMOGRAPHY = RigCalibration(
    "homography",
    CameraModel((640, 480)),
    CameraModel((320, 240)),
    homography=np.array([[2.0, 0.01, 3], [0.0, 2.0, 5], [0, 0, 1]]),
)
IDENTITY = RigCalibration("identity", CameraModel((640, 480)), CameraModel((320, 240)))


@pytest.mark.parametrize("rig", [EXTRINSICS, HOMOGRAPHY, IDENTITY], ids=lambda rig: rig.kind)
def test_what_is_saved_is_loaded(rig, tmp_path):
    path = tmp_path / "rig.yaml"
    save_rig(rig, path)
    loaded = load_rig(path)
    assert list(tmp_path.iterdir()) == [path]
    assert (loaded.kind, loaded.date, loaded.source) == (rig.kind, rig.date, rig.source)
    for name in ("reference_distance", "sha256", "reprojection_error", "thermal_clock_offset"):
        assert getattr(loaded, name) == getattr(rig, name)
    for name in ("homography", "rotation", "translation"):
        assert np.array_equal(getattr(loaded, name), getattr(rig, name))
    for camera in ("rgb", "thermal"):
        got, wanted = getattr(loaded, camera), getattr(rig, camera)
        assert (got.size, got.distortion, got.model) == (
            wanted.size,
            wanted.distortion,
            wanted.model,
        )
        assert np.array_equal(got.matrix, wanted.matrix)


@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_a_camera_block_has_all_that_camera_calibration_parsers_reads(camera, tmp_path):
    path = tmp_path / "rig.yaml"
    save_rig(EXTRINSICS, path)
    block = yaml.safe_load(path.read_text())[camera]
    matrices = {key: value for key, value in block.items() if isinstance(value, dict)}
    coefficients = len(getattr(EXTRINSICS, camera).distortion)
    assert {key: (value["rows"], value["cols"]) for key, value in matrices.items()} == {
        "camera_matrix": (3, 3),
        "distortion_coefficients": (1, coefficients),
        "rectification_matrix": (3, 3),
        "projection_matrix": (3, 4),
    }
    for value in matrices.values():
        assert len(value["data"]) == value["rows"] * value["cols"]
    assert matrices["rectification_matrix"]["data"] == np.eye(3).ravel().tolist()
    projection = np.reshape(matrices["projection_matrix"]["data"], (3, 4))
    assert np.array_equal(projection, np.column_stack((K, np.zeros(3))))


def test_the_matrices_of_rectification_are_not_needed(tmp_path):
    path = tmp_path / "rig.yaml"
    save_rig(EXTRINSICS, path)
    content = yaml.safe_load(path.read_text())
    del content["rgb"]["rectification_matrix"]
    content["thermal"]["projection_matrix"] = "none"
    path.write_text(yaml.safe_dump(content))
    assert np.array_equal(load_rig(path).rgb.matrix, K)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_the_shipped_examples_load_and_register(path):
    rig = load_rig(path)
    registration = Registration(rig, rig.rgb.size, rig.thermal.size, (320, 256))
    assert registration.coverage.mean() > 0.3


@pytest.mark.parametrize(
    ("rig", "change", "message"),
    [
        (IDENTITY, {"version": 7}, r"version: got 7, wanted 1; update"),
        (IDENTITY, {"kind": "affine"}, "kind: got 'affine', wanted identity or homography"),
        (IDENTITY, {"rgb": None}, "rgb: got NoneType, wanted a mapping"),
        (IDENTITY, {"rgb.image_width": 0}, "rgb: image_width: got 0, wanted whole pixels"),
        (IDENTITY, {"rgb.image_width": 64.5}, "image_width: got 64.5"),
        (IDENTITY, {"reference_distance": -1}, "reference_distance: got -1, wanted metres"),
        (IDENTITY, {"reference_distance": "far"}, "reference_distance: got 'far', wanted a number"),
        (IDENTITY, {"thermal_clock_offset": math.inf}, "got inf, wanted a finite number"),
        (
            IDENTITY,
            {"reprojection_error": {"rgb": "small"}},
            "reprojection_error: rgb: got 'small', wanted a number",
        ),
        (HOMOGRAPHY, {"homography": [[1, 2], [3, 4]]}, r"numbers of shape \(3, 3\)"),
        (HOMOGRAPHY, {"homography": np.ones((3, 3)).tolist()}, "wanted an invertible 3x3"),
        (HOMOGRAPHY, {"homography": [[math.nan] * 3] * 3}, "wanted finite numbers"),
        (HOMOGRAPHY, {"homography": [[2, 0, 0], [0, 2, 0], [-0.01, 0, 1]]}, "no horizon"),
        (HOMOGRAPHY, {"homography": None}, "homography: got None"),
        (EXTRINSICS, {"rotation": (2 * np.eye(3)).tolist()}, "wanted a rotation matrix"),
        (EXTRINSICS, {"rotation": np.diag([1.0, 1, -1]).tolist()}, "wanted a rotation matrix"),
        (EXTRINSICS, {"translation": [1, 2]}, r"translation: got \[1, 2\]"),
        (EXTRINSICS, {"rgb.camera_matrix": {"data": [0] * 9}}, "fx, fy > 0.*uncalibrated"),
        (EXTRINSICS, {"rgb.distortion_model": "magic"}, "got 'magic', wanted plumb_bob"),
        (EXTRINSICS, {"rgb.distortion_coefficients": {"data": [1, 2]}}, "wanted 4 or 5"),
    ],
)
def test_impossible_values_are_named(rig, change, message, tmp_path):
    path = tmp_path / "rig.yaml"
    save_rig(rig, path)
    content = yaml.safe_load(path.read_text())
    for key, value in change.items():
        *sections, last = key.split(".")
        target = content[sections[0]] if sections else content
        target[last] = value
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(CalibrationError, match=message) as error:
        load_rig(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_key_is_named(tmp_path):
    path = tmp_path / "rig.yaml"
    path.write_text("version: 1\nkind: identity\n")
    with pytest.raises(CalibrationError, match="rgb: missing"):
        load_rig(path)


def test_a_missing_file_and_broken_yaml_are_named(tmp_path):
    with pytest.raises(
        CalibrationError, match=r"nowhere.yaml: cannot be read.*calibration/README.md"
    ):
        load_rig(tmp_path / "nowhere.yaml")
    (tmp_path / "broken.yaml").write_text("a: [1")
    with pytest.raises(CalibrationError, match=r"broken\.yaml: cannot be read"):
        load_rig(str(tmp_path / "broken.yaml"))


def test_an_invalid_rig_is_not_written(tmp_path):
    bad = RigCalibration("homography", CameraModel((640, 480)), CameraModel((320, 240)))
    with pytest.raises(CalibrationError, match="homography: missing"):
        save_rig(bad, tmp_path / "rig.yaml")
    assert not list(tmp_path.iterdir())


def test_an_unwritable_place_is_named(tmp_path):
    with pytest.raises(CalibrationError, match="cannot be written"):
        save_rig(IDENTITY, tmp_path / "missing" / "rig.yaml")
