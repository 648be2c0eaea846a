"""The example that writes a bag of a simulated rig."""

from __future__ import annotations

import runpy
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from mdacl_ros.sensing.registration.rig import save_rig
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_tools.recordings.open_recording import open_recording

SCRIPT = Path(__file__).parents[2] / "examples" / "simulated_rig.py"
RGB, THERMAL = (160, 96), (80, 64)


def small_rig(path: Path) -> Path:
    rgb = np.array([[110.0, 0, 80], [0, 110, 48], [0, 0, 1]])
    thermal = np.array([[70.0, 0, 40], [0, 70, 32], [0, 0, 1]])
    save_rig(
        RigCalibration(
            "extrinsics",
            CameraModel(RGB, rgb),
            CameraModel(THERMAL, thermal),
            reference_distance=10.0,
            rotation=np.eye(3),
            translation=np.array([0.06, 0.0, 0.0]),
        ),
        path,
    )
    return path


def thermal_of(path: Path) -> np.ndarray:
    with closing(open_recording(path)) as recording:
        assert recording.frames == {"rgb": 1, "thermal": 1}
        images = {event.camera: event.frame.image for event in recording}
        models = [recording.camera_model(camera) for camera in ("rgb", "thermal")]
    assert images["rgb"].shape == (*RGB[::-1], 3)
    assert images["thermal"].shape == THERMAL[::-1]
    assert [model.size for model in models] == [RGB, THERMAL]
    return images["thermal"].astype(np.float32)


def test_a_knock_moves_thermal_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = str(small_rig(tmp_path / "rig.yaml"))
    for name, degrees in (("straight", "0"), ("knocked", "3")):
        out = str(tmp_path / name)
        arguments = [str(SCRIPT), out, "--rig", rig, "--pairs", "1", "--knock", degrees]
        monkeypatch.setattr(sys, "argv", arguments)
        runpy.run_path(str(SCRIPT), run_name="__main__")
    straight, knocked = (thermal_of(tmp_path / name) for name in ("straight", "knocked"))
    columns, rows = (round(70 * np.tan(np.radians(angle))) for angle in (3.0, 1.5))
    moved = np.roll(straight, (rows, -columns), axis=(0, 1))
    inner = slice(8, -8)
    error = {
        name: np.abs(image - knocked)[inner, inner].mean()
        for name, image in (("still", straight), ("moved", moved))
    }
    assert error["moved"] < 0.6 * error["still"]
