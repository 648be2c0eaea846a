"""What users and drivers do that a node must not believe, wait for, or die of."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, CompressedImage
from vision_msgs.msg import Detection2DArray
from visualization_msgs.msg import MarkerArray

from mdacl_ros.nodes import topics
from mdacl_ros.sensing.registration.rig import CameraModel, RigCalibration, save_rig

from .bench import Bench, wait_until
from .cameras import Cameras

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
RGB_SIZE, THERMAL_SIZE = (320, 240), (160, 120)

LENS = CameraInfo(width=320, height=240, k=[300.0, 0, 160, 0, 300, 120, 0, 0, 1])


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(400 << 20)
    return tmp_path / "huge.yaml"


def rig(date: str) -> RigCalibration:
    cameras = CameraModel(RGB_SIZE), CameraModel(THERMAL_SIZE)
    return replace(RigCalibration("identity", *cameras), date=date)


def test_a_calibration_that_is_no_text_file_is_refused_at_once(
    bench: Bench, pipe: Path, huge: Path
) -> None:
    for path, said in (
        ("/dev/zero", "is no regular file"),
        (str(pipe), "is no regular file"),
        (str(huge), "419430400 bytes, at most 1048576"),
        (str(pipe.parent), "is no regular file"),
        ("~nosuchuser/rig.yaml", "No such file"),
    ):
        taken, reason = bench.set_parameter("calibration", path)
        assert not taken
        assert said in reason
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)


def test_an_error_nobody_foresaw_refuses_the_parameter(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(bench.node._pipeline, "check_rig", broken)
    taken, reason = bench.set_parameter("calibration", "rig.yaml")
    assert (taken, reason) == (False, "calibration: ZeroDivisionError: a bug")
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)


def test_a_calibration_made_anew_in_its_place_is_read_when_it_is_set_again(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "rig.yaml"
    for date in ("2026-01-02", "2026-03-04"):
        save_rig(rig(date), path)
        assert bench.set_parameter("calibration", str(path)) == (True, "")
        assert bench.node.rig.date == date
    path.write_text("no: rig")
    assert bench.set_parameter("score_threshold", 0.4)[0]  # has nothing to do with it
    assert not bench.set_parameter("calibration", str(path))[0]
    assert bench.node.rig.date == "2026-03-04"


@pytest.fixture
def watched(bench: Bench) -> tuple[Bench, list[MarkerArray]]:
    """A node somebody looks at in RViz."""
    got: list[MarkerArray] = []
    bench.listen(MarkerArray, "/detector_node/markers", got.append, 1)
    wait_until(lambda: bench.output("markers").get_subscription_count() == 1, "connected")
    return bench, got


def lens(**changes: object) -> CameraInfo:
    fields = {"width": 320, "height": 240, "k": LENS.k, "distortion_model": "plumb_bob"}
    return CameraInfo(**(fields | changes))


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (lens(d=[0.0] * 6), "has 6 distortion coefficients"),
        (lens(d=[float("nan")] * 5), "holds NaN or inf"),
        (lens(width=640, height=480), "is for images of 640x480, they are 320x240"),
        (lens(k=[0.0] * 9), "is uncalibrated"),
    ],
)
def test_intrinsics_that_cannot_be_used_cost_no_pair_and_are_heard_anew(
    watched: tuple[Bench, list[MarkerArray]],
    info: CameraInfo,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, got = watched
    monkeypatch.setattr("mdacl_ros.nodes.camera_input.INFO_RETRY_S", 0.2)
    publisher = bench.tester.create_publisher(CameraInfo, "rgb/camera_info", topics.latched())
    publisher.publish(info)
    rgb = bench.node.session.cameras["rgb"]
    wait_until(lambda: rgb.camera_info is not None, "camera_info")
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)
    bench.wait_for_health("calibration", lambda _l, m, _v: said in m, "it is said")
    bench.wait_for_health("inference", lambda lv, _m, _v: lv == 0, "nothing is lost")
    assert got == []
    assert bench.counts()["inference_restarts"] == 0
    for number in range(1, 40):
        publisher.publish(lens(d=[0.0] * 5))  # the camera has been calibrated meanwhile
        time.sleep(0.05)
        bench.publish_pair(T0 + number * 100 * MS)
        bench.wait_for_stamp(T0 + number * 100 * MS)
        if got:
            break
    assert got
    bench.wait_for_health("calibration", lambda _l, m, _v: "camera_info" not in m, "all is well")


def test_pictures_that_cannot_be_drawn_cost_no_pair(
    watched: tuple[Bench, list[MarkerArray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, _ = watched

    def broken(*_: object) -> None:
        raise ValueError("a\nbug")

    monkeypatch.setattr("mdacl_ros.nodes.markers.to_markers", broken)
    publisher = bench.tester.create_publisher(CameraInfo, "rgb/camera_info", topics.latched())
    publisher.publish(LENS)
    wait_until(lambda: bench.node.session.cameras["rgb"].camera_info is not None, "camera_info")
    for stamp in (T0, T0 + 100 * MS):
        bench.publish_pair(stamp)
        bench.wait_for_stamp(stamp)
    level, message, _ = bench.wait_for_health("inference", lambda lv, _m, _v: lv, "it is said")
    assert (level, message) == (1, "no overlay, preview or markers: ValueError: a bug")
    wait_until(lambda: bench.counts()["pictures_failed"] == 2, "both are counted")
    assert bench.counts()["dropped_failed"] == 0


def test_a_publisher_of_another_message_type_is_told(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.activate_without_cameras()
    with Cameras("elsewhere") as other_process:  # one of its own, as DDS sees it
        other_process.node.create_publisher(CompressedImage, "/rgb/image_raw", 10)
        level, message, _ = bench.wait_for_health(
            "cameras", lambda _l, m, _v: "carries" in m, "the type"
        )
    bench.wait_for_health("cameras", lambda _l, m, _v: "carries" not in m, "it has left")
    assert level > 0
    assert "/rgb/image_raw: carries sensor_msgs/msg/CompressedImage, wanted sensor_msgs" in message
    assert "set parameter rgb_transport to compressed" in message


def test_a_listener_with_a_qos_that_is_not_offered_is_told(bench: Bench) -> None:
    where = "/detector_node/detections"
    deaf = bench.listen(Detection2DArray, where, lambda _: None, topics.latched())
    level, message, _ = bench.wait_for_health(
        "inference", lambda _l, m, _v: "a subscriber with incompatible" in m, "the subscriber"
    )
    assert level == 1
    assert (
        "topic /detector_node/detections: a subscriber with incompatible QoS (durability)"
        in message
    )
    assert "qos_overrides./detector_node/detections.publisher.durability" in message
    assert bench.counts()["incompatible_listeners"] == 1
    bench.tester.destroy_subscription(deaf)
    bench.wait_for_health("inference", lambda lv, _m, _v: lv == 0, "nobody is deaf any more")


@pytest.mark.parametrize("name", ["scores", "boxes", "gates", "energies"])
def test_an_engine_that_answers_with_nan_is_an_error(
    bench: Bench, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = bench.factory.engine
    sound = engine.infer

    def damaged(*given: np.ndarray, probe: bool = False):
        raw = sound(*given, probe=probe)
        return replace(raw, **{name: np.full_like(getattr(raw, name), np.nan)})

    monkeypatch.setattr(engine, "infer", damaged)
    bench.publish_pair(T0)
    level, message, _ = bench.wait_for_health("inference", lambda lv, _m, _v: lv, "an error")
    assert level == 2
    assert f"returned {name} with NaN or Inf" in message
    assert bench.detections == []
    monkeypatch.undo()
    bench.publish_pair(T0 + 100 * MS)
    bench.wait_for_stamp(T0 + 100 * MS)
    assert bench.counts()["inference_restarts"] == 0


def test_a_wrong_value_at_start_is_an_error_before_it_is_configured(model_folder: Path) -> None:
    with Bench({"model": str(model_folder), "max_skew": "soon"}) as bench:
        level, message, _ = bench.wait_for_health("inference", lambda lv, _m, _v: lv, "the error")
        assert level == 2
        assert "max_skew" in message
        assert bench.set_parameter("max_skew", 0.1)[0]
        bench.wait_for_health("inference", lambda lv, _m, _v: lv == 0, "mended")
