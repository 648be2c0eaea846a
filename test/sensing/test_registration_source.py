"""The registration in use: sizes wait for their map, another distance does not."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from mdacl_ros.sensing.registration import registration_source
from mdacl_ros.sensing.registration.registration_source import RegistrationSource
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_ros.sensing.registration.thermal_registration import Registration

RGB, THERMAL, OUTPUT = (160, 96), (80, 64), (160, 96)


def rig(kind: str = "extrinsics") -> RigCalibration:
    if kind == "homography":
        matrix = np.diag((2.0, 1.5, 1.0))
        return RigCalibration("homography", CameraModel(RGB), CameraModel(THERMAL), 10.0, matrix)
    rgb = CameraModel(RGB, np.array([[110.0, 0, 80], [0, 110, 48], [0, 0, 1]]))
    thermal = CameraModel(THERMAL, np.array([[70.0, 0, 40], [0, 70, 32], [0, 0, 1]]))
    translation = np.array([0.06, 0.0, 0.0])
    return RigCalibration(
        "extrinsics", rgb, thermal, 10.0, rotation=np.eye(3), translation=translation
    )


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Holds the second and later builds up until it is set."""
    opened, built = threading.Event(), []

    def slow(*args: object) -> Registration:
        if built:
            assert opened.wait(20)
        built.append(args)
        return Registration(*args)

    monkeypatch.setattr(registration_source, "Registration", slow)
    return opened


def settle(source: RegistrationSource, distance: float) -> None:
    """Ask again and again, as pairs do, until nothing is being built."""
    end = time.monotonic() + 20
    while True:
        source.update(RGB, THERMAL, distance)
        if not source.pending:
            return
        assert time.monotonic() < end
        time.sleep(0.005)


def test_the_old_map_serves_until_the_new_one_is_there(gate):
    source = RegistrationSource(rig(), OUTPUT, background=True)
    source.update(RGB, THERMAL, None)
    first = source.current
    assert first.distance == 10.0
    for _ in range(3):
        source.update(RGB, THERMAL, 2.0)
        assert source.current is first
        assert source.pending
    gate.set()
    settle(source, 2.0)
    assert source.current.distance == 2.0
    assert source.build_ms > 0


def test_the_newest_distance_wins(gate):
    source = RegistrationSource(rig(), OUTPUT, background=True)
    for distance in (None, 2.0, 3.0, 4.0):
        source.update(RGB, THERMAL, distance)
    gate.set()
    settle(source, 4.0)
    assert source.current.distance == 4.0


def test_the_map_for_display_is_kept_ready():
    source = RegistrationSource(rig(), OUTPUT, background=True)
    source.update(RGB, THERMAL, None)
    source.current.warp_to_rgb(np.zeros(THERMAL[::-1], np.uint8))
    settle(source, 3.0)
    assert source.current.distance == 3.0
    assert source.current.display_ready


def test_a_new_size_is_not_served_by_an_old_map():
    source = RegistrationSource(None, OUTPUT, background=True)
    source.update(RGB, (80, 48), None)
    source.update(RGB, (160, 96), None)
    assert source.current.warp(np.ones((96, 160), np.uint8)).shape == (96, 160)
    assert source.warnings[0].startswith("no rig calibration")


@pytest.mark.parametrize("background", [False, True])
def test_an_impossible_distance_leaves_thermal_where_it_was(background):
    source = RegistrationSource(rig("homography"), OUTPUT, background=background)
    source.update(RGB, THERMAL, None)
    settle(source, 5.0)
    assert source.current.distance == 10.0
    assert "thermal stays at the distance it was" in source.warnings[0]
    assert "10.0 m only" in source.warnings[0]
    settle(source, 10.0)
    assert source.warnings == ()


def test_without_background_the_caller_waits():
    source = RegistrationSource(rig(), OUTPUT)
    for distance in (10.0, 2.0, 7.0):
        source.update(RGB, THERMAL, distance)
        assert source.current.distance == distance
        assert not source.pending


def test_a_rig_for_other_sizes_gives_no_registration_and_recovers():
    source = RegistrationSource(rig(), OUTPUT, background=True)
    source.update((640, 480), THERMAL, None)
    assert source.current is None
    assert "640x480" in str(source.error)
    source.update(RGB, THERMAL, None)
    assert source.current is not None
    assert source.error is None
