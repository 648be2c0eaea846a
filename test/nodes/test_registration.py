"""The registration at run time: another distance without a hiccup, and a knocked rig is told of."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from mdacl_ros.nodes.diagnostics import _residual
from mdacl_ros.sensing.registration.residual import Residual
from mdacl_ros.sensing.registration.rig import save_rig
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration

from .bench import RGB_SIZE, THERMAL_SIZE, Bench

T0 = 1_700_000_000_000_000_000
STEP = 150_000_000
OK, WARN = (
    int.from_bytes(level, "little") for level in (DiagnosticStatus.OK, DiagnosticStatus.WARN)
)


def extrinsics() -> RigCalibration:
    rgb = np.array([[200.0, 0, 160], [0, 200, 120], [0, 0, 1]])
    thermal = np.array([[100.0, 0, 80], [0, 100, 60], [0, 0, 1]])
    return RigCalibration(
        "extrinsics",
        CameraModel(RGB_SIZE, rgb),
        CameraModel(THERMAL_SIZE, thermal),
        reference_distance=10.0,
        rotation=np.eye(3),
        translation=np.array([0.1, 0.0, 0.0]),
        date="2026-01-01",
        source="test",
    )


@pytest.fixture
def calibrated(model_folder: Path, tmp_path: Path) -> Iterator[Bench]:
    save_rig(extrinsics(), tmp_path / "rig.yaml")
    parameters: dict[str, str | float] = {
        "model": str(model_folder),
        "calibration": str(tmp_path / "rig.yaml"),
    }
    parameters["partner_timeout"] = 20.0  # the test pauses
    with Bench(parameters) as running:
        running.activate()
        yield running


@pytest.fixture
def registered(model_folder: Path, tmp_path: Path) -> Iterator[Bench]:
    """Calibrated as showing the same view."""
    same = RigCalibration("identity", CameraModel(RGB_SIZE), CameraModel(THERMAL_SIZE))
    save_rig(same, tmp_path / "rig.yaml")
    parameters = {"model": str(model_folder), "calibration": str(tmp_path / "rig.yaml")}
    with Bench(parameters) as running:
        running.activate()
        yield running


def scene() -> np.ndarray:
    """``(240, 320)`` uint8 with edges in all directions."""
    rng = np.random.default_rng(5)
    image = np.full((RGB_SIZE[1], RGB_SIZE[0]), 90, np.uint8)
    for _ in range(220):
        x, y, size = rng.integers(0, 320), rng.integers(0, 240), rng.integers(5, 30)
        points = rng.integers(-size, size, (4, 2)) + np.array((x, y))
        cv2.fillConvexPoly(image, points.astype(np.int32), int(rng.integers(20, 230)))
    return image


def publish_scene(bench: Bench, stamp: int, shift: tuple[float, float]) -> None:
    """One pair; thermal is the negative, displaced by RGB pixels."""
    image = scene()
    moved = cv2.warpAffine(image, np.float32([[1, 0, shift[0]], [0, 1, shift[1]]]), RGB_SIZE)
    bench.publish(
        "thermal", stamp, 255 - cv2.resize(moved, THERMAL_SIZE, interpolation=cv2.INTER_AREA)
    )
    bench.publish("rgb", stamp, np.repeat(image[..., None], 3, axis=2))
    bench.wait_for_stamp(stamp)


def measure(bench: Bench, first: int, pairs: int, shift: tuple[float, float]) -> None:
    """Publish pairs slowly enough that each is measured at 10 Hz."""
    for i in range(first, first + pairs):
        publish_scene(bench, T0 + i * STEP, shift)
        time.sleep(0.11)


def test_a_new_distance_costs_no_pair(calibrated: Bench) -> None:
    calibrated.publish_pair(T0)
    calibrated.wait_for_stamp(T0)
    calibrated.wait_for_health(
        "calibration", lambda _l, _m, v: v.get("reference_distance") == "10", "10 m"
    )
    assert calibrated.set_parameter("reference_distance", 2.0)[0]
    stamps = [T0 + i * STEP for i in range(1, 30)]
    for stamp in stamps:
        calibrated.publish_pair(stamp)
        calibrated.wait_for_stamp(stamp)
        if calibrated.node.perception.registration.current.distance == 2.0:
            break
    source = calibrated.node.perception.registration
    assert source.current.distance == 2.0
    assert not source.pending
    counts = calibrated.counts()
    assert counts["published"] == counts["pairs"] == len(calibrated.stamps())
    assert counts["dropped_busy"] == counts["dropped_failed"] == 0
    _, _, values = calibrated.wait_for_health(
        "calibration", lambda _l, _m, v: v.get("reference_distance") == "2", "2 m"
    )
    assert float(values["registration_ms"]) > 0
    assert int(values["calibration_age_days"]) > 0


def test_a_knocked_rig_is_told_of_and_forgiven(registered: Bench) -> None:
    bench = registered
    for name, value in (("residual_rate", 10.0), ("residual_warn", 6.0)):
        assert bench.set_parameter(name, value)[0]
    measure(bench, 0, 5, (10.0, -4.0))
    level, message, values = bench.wait_for_health(
        "calibration", lambda _l, m, _v: "rig seems misaligned" in m, "the alarm"
    )
    assert level == WARN
    assert "thermal off by about 11 px (+10, -4); calibrate again" in message
    assert float(values["residual_px"]) == pytest.approx(10.8, abs=1.0)
    assert values["residual_shift"].startswith("+")
    assert 0.6 <= float(values["residual_confidence"]) <= 1.0
    assert bench.set_parameter("residual_warn", 12.0)[0]  # 10.8 is not under three quarters of it
    beats = bench.health_beats
    bench.wait_for_health("calibration", lambda *_: bench.health_beats > beats + 2, "more beats")
    assert "misaligned" in bench.health["calibration"][1]
    assert bench.set_parameter("residual_warn", 40.0)[0]
    bench.wait_for_health("calibration", lambda _l, m, _v: "misaligned" not in m, "no alarm")
    assert bench.set_parameter("residual_rate", 0.0)[0]
    publish_scene(bench, T0 + 100 * STEP, (0.0, 0.0))
    bench.wait_for_health(
        "calibration", lambda _l, _m, v: "residual_confidence" not in v, "nothing measured"
    )


def test_a_calibration_of_the_wrong_size_is_reported_until_it_is_replaced(
    registered: Bench,
) -> None:
    bench = registered
    assert bench.set_parameter("residual_rate", 10.0)[0]
    image = scene()
    rgb = np.repeat(image[..., None], 3, axis=2)
    part = np.ascontiguousarray(image[36:204, 48:272])  # thermal sees the middle 70 %
    thermal = 255 - cv2.resize(part, THERMAL_SIZE, interpolation=cv2.INTER_AREA)
    for i in range(14):  # some may be replaced before they are measured
        bench.publish("thermal", T0 + i * STEP, thermal)
        bench.publish("rgb", T0 + i * STEP, rgb)
        bench.wait_for_stamp(T0 + i * STEP)
        time.sleep(0.15)
    level, message, _ = bench.wait_for_health(
        "calibration", lambda _l, m, _v: "does not fit these images" in m, "the warning"
    )
    assert level == WARN
    assert "calibrate again (docs/calibration.md)" in message
    assert bench.set_parameter("residual_rate", 0.0)[0]
    publish_scene(bench, T0 + 100 * STEP, (0.0, 0.0))
    bench.wait_for_health("calibration", lambda _l, m, _v: "does not fit" not in m, "no warning")


def test_a_well_registered_pair_has_no_residual_to_speak_of(bench: Bench) -> None:
    assert bench.set_parameter("residual_rate", 10.0)[0]
    measure(bench, 0, 4, (0.0, 0.0))
    _, message, values = bench.wait_for_health(
        "calibration", lambda _l, _m, v: "residual_px" in v, "a residual"
    )
    assert float(values["residual_px"]) < 1.0
    assert "misaligned" not in message


def test_pairs_far_apart_in_time_are_not_measured(bench: Bench) -> None:
    assert bench.set_parameter("residual_rate", 10.0)[0]
    bench.publish_pair(T0, skew_ns=60_000_000)
    bench.wait_for_stamp(T0)
    assert bench.node.session.watch_residual() == (None, None)
    time.sleep(0.3)
    assert bench.node.session.watch_residual() == (None, None)


def test_every_key_that_a_running_node_tells_is_in_the_docs(calibrated: Bench) -> None:
    calibrated.publish_pair(T0)
    calibrated.wait_for_stamp(T0)
    calibrated.wait_for_health("cameras", lambda _l, _m, v: v["published"] == "1", "the answer")
    calibrated.wait_for_health("calibration", lambda _l, _m, v: "registration_ms" in v, "the map")
    keys = {key for _, _, values in calibrated.health.values() for key in values}
    keys |= set(_residual(Residual((1.0, 2.0), 0.9, 5, np.zeros((3, 3, 2)), RGB_SIZE)))
    text = (Path(__file__).resolve().parents[2] / "docs" / "diagnostics.md").read_text()
    told = [name.replace("*", r"\w+") for name in re.findall(r"`([\w*]+)`", text)]
    missing = {key for key in keys if not any(re.fullmatch(name, key) for name in told)}
    assert {"pending", "inference_hangs", "residual_px", "calibration_age_days"} <= keys
    assert missing == set()
