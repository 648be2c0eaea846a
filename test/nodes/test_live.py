"""Parameters while running, QoS, topics that are only served when somebody looks."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from rcl_interfaces.srv import DescribeParameters, ListParameters
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from vision_msgs.msg import LabelInfo
from visualization_msgs.msg import MarkerArray

from mdacl_ros.config.parameters import SPECS
from mdacl_ros.drawing.overlay import without_image
from mdacl_ros.nodes import messages

from .bench import RGB_SIZE, Bench, wait_until

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def test_the_score_threshold_changes_live(bench: Bench) -> None:
    bench.publish_pair(T0)
    assert len(bench.wait_for_stamp(T0).detections) > 0
    assert bench.set_parameter("score_threshold", 1.0)[0]
    bench.publish_pair(T0 + 100 * MS)
    assert len(bench.wait_for_stamp(T0 + 100 * MS).detections) == 0


def test_max_detections_changes_live(bench: Bench) -> None:
    assert bench.set_parameter("max_detections", 1)[0]
    bench.publish_pair(T0)
    assert len(bench.wait_for_stamp(T0).detections) == 1


def test_the_clock_offset_changes_live(bench: Bench) -> None:
    assert bench.set_parameter("max_skew", 0.01)[0]
    assert bench.set_parameter("thermal_clock_offset", 0.04)[0]
    bench.publish("thermal", T0 - 40 * MS)
    bench.publish("rgb", T0)
    bench.wait_for_stamp(T0)
    wait_until(lambda: bench.dominance, "dominance")
    assert float(bench.dominance[0]["skew_ms"]) == 0


def test_a_smaller_clock_offset_is_no_clock_that_jumped(bench: Bench) -> None:
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)
    assert bench.set_parameter("thermal_clock_offset", -3.0)[0]
    bench.publish("thermal", T0 + 100 * MS)
    bench.publish("rgb", T0 + 100 * MS)
    bench.wait_for_health("cameras", lambda _l, _m, v: v["frames_rgb"] == "2", "both frames")
    _, message, values = bench.health["cameras"]
    assert values["clock_resets"] == values["dropped_late_thermal"] == "0"
    assert "jumped back" not in message


def test_the_probe_runs_at_its_rate_only(bench: Bench) -> None:
    engine = bench.factory.engine
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)
    assert engine.probes == 0
    assert bench.set_parameter("reliance_rate", 0.001)[0]
    for i in range(1, 4):
        bench.publish_pair(T0 + i * 100 * MS)
        bench.wait_for_stamp(T0 + i * 100 * MS)
    assert engine.probes == 1  # at once, then not again for a thousand seconds
    wait_until(lambda: len(bench.dominance) == 4, "dominance")
    for name in ("exact_mdi", "evidence_rgb"):
        assert [name in values for values in bench.dominance] == [False, True, False, False]
    reliance = [float(values["reliance"]) for values in bench.dominance]
    assert math.isnan(reliance[0])
    assert len(set(reliance[1:])) == 1  # it holds for a second
    assert -1 <= reliance[1] <= 1


def test_each_detection_says_what_it_rests_on(bench: Bench) -> None:
    assert bench.set_parameter("reliance_rate", 0.001)[0]
    bench.publish_pair(T0)  # probed
    assert [d.id for d in bench.wait_for_stamp(T0).detections] == ["", ""]
    assert bench.set_parameter("share_in_detection_id", True)[0]
    bench.publish_pair(T0 + 100 * MS)
    told = bench.wait_for_stamp(T0 + 100 * MS)
    wait_until(lambda: len(bench.shares) == 2, "both frames' shares")
    exact, estimated = bench.shares
    assert exact == {
        "exact": "True",
        "detection_0_rgb_share": "0",
        "detection_1_rgb_share": "1",
    }
    share = float(estimated["detection_1_rgb_share"])
    assert estimated["exact"] == "False"
    assert 0 < share < 1
    assert told.detections[1].id == f"rgb={share:.2f} thermal={1 - share:.2f} estimate"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("kelvin_scale", 0.04, "clean up first"),
        ("calibration", "/elsewhere.yaml", "rig calibration /elsewhere.yaml: cannot be read"),
        ("autostart", True, "read-only"),
        ("score_threshold", 2.0, "score_threshold"),
        ("score_threshold", "much", "expected"),
        ("input_width", 100, "input_width"),
        ("reliance_warn", 1.5, "reliance_warn"),
    ],
)
def test_a_refused_change_says_why(bench: Bench, name: str, value: object, said: str) -> None:
    before = bench.node.parameters
    accepted, reason = bench.set_parameter(name, value)
    assert not accepted
    assert said in reason
    assert bench.node.parameters == before


def test_parameters_are_described(idle_bench: Bench) -> None:
    request = DescribeParameters.Request(names=list(SPECS))
    described = idle_bench.call(DescribeParameters, "describe_parameters", request).descriptors
    by_name = {d.name: d for d in described}
    assert all(d.description for d in described)
    assert by_name["score_threshold"].floating_point_range[0].to_value == 1.0
    assert by_name["input_width"].integer_range[0].step == 32
    assert "openvino" in by_name["engine"].additional_constraints
    assert by_name["autostart"].read_only


def test_every_camera_and_result_topic_has_qos_overrides(bench: Bench) -> None:
    request = ListParameters.Request(prefixes=["qos_overrides"])
    names = bench.call(ListParameters, "list_parameters", request).result.names
    for topic in ("/rgb/image_raw", "/thermal/image_raw", "/rgb/camera_info"):
        assert f"qos_overrides.{topic}.subscription.reliability" in names
    for topic in ("detections", "dominance", "reliance", "mdi", "overlay", "markers", "label_info"):
        assert f"qos_overrides./detector_node/{topic}.publisher.depth" in names


def test_qos_overrides_take_effect(model_folder: Path) -> None:
    values = {
        "model": str(model_folder),
        "qos_overrides./rgb/image_raw.subscription.reliability": "reliable",
        "qos_overrides./rgb/image_raw.subscription.depth": 4,
        "qos_overrides./detector_node/overlay.publisher.reliability": "best_effort",
    }
    with Bench(values) as bench:
        bench.activate()
        (rgb,) = bench.node.get_subscriptions_info_by_topic("/rgb/image_raw")
        (thermal,) = bench.node.get_subscriptions_info_by_topic("/thermal/image_raw")
        (overlay,) = bench.node.get_publishers_info_by_topic("/detector_node/overlay")
        assert rgb.qos_profile.reliability == ReliabilityPolicy.RELIABLE
        assert thermal.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
        assert overlay.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT


def test_a_publisher_with_incompatible_qos_is_reported(model_folder: Path) -> None:
    values = {
        "model": str(model_folder),
        "qos_overrides./rgb/image_raw.subscription.reliability": "reliable",
    }
    with Bench(values) as bench:
        bench.activate()
        offer = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        bench.tester.create_publisher(Image, "rgb/image_raw", offer)
        wait_until(lambda: bench.counts()["incompatible_qos"] == 1, "the event")
        bench.wait_for_health("cameras", lambda _l, _m, v: v["incompatible_qos"] == "1", "a number")
        _, message, _ = bench.wait_for_health(
            "cameras", lambda _l, m, _v: "incompatible" in m, "the mismatch is shown"
        )
        assert "qos_overrides./rgb/image_raw.subscription.reliability to best_effort" in message
        assert bench.node.session is not None
        rgb = bench.node.session.cameras["rgb"]
        assert rgb.incompatible in message
        bench.publish_pair(T0)  # of a publisher that is heard
        wait_until(lambda: not rgb.incompatible, "it is forgotten")


def test_the_overlay_is_drawn_only_for_subscribers(bench: Bench) -> None:
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)
    assert bench.counts()["overlays_drawn"] == 0
    pictures: list[Image] = []
    registered: list[Image] = []
    bench.listen(Image, "/detector_node/overlay", pictures.append, 1)
    bench.listen(Image, "/detector_node/thermal_registered", registered.append, 1)
    wait_until(lambda: bench.output("overlay").get_subscription_count() == 1, "connected")
    wait_until(lambda: bench.output("thermal_registered").get_subscription_count() == 1, "too")
    bench.publish_pair(T0 + 100 * MS)

    def newest(images: list[Image]) -> int:
        return messages.to_nanoseconds(images[-1].header.stamp) if images else 0

    # On a busy machine the first pair is still being published when they subscribe.
    wait_until(lambda: newest(pictures) == newest(registered) == T0 + 100 * MS, "the images")
    assert bench.counts()["overlays_drawn"] == len(pictures)
    for picture, encoding in ((pictures[-1], "rgb8"), (registered[-1], "mono8")):
        assert (picture.width, picture.height) == RGB_SIZE
        assert picture.encoding == encoding
        assert messages.to_nanoseconds(picture.header.stamp) == T0 + 100 * MS


def test_a_thermal_preview_says_that_there_is_no_image(bench: Bench) -> None:
    assert bench.set_parameter("partner_timeout", 0.2)[0]
    shown: list[Image] = []
    bench.listen(Image, "/detector_node/thermal_registered", shown.append, 1)
    wait_until(lambda: bench.output("thermal_registered").get_subscription_count() == 1, "heard")
    bench.publish_pair(T0)
    wait_until(lambda: shown, "the preview")
    live = shown[0]
    for step in range(1, 12):
        bench.publish("rgb", T0 + step * 100 * MS)
        wait_until(lambda: not bench.synchronizer_alive("thermal"), "thermal is declared dead")
    wait_until(lambda: shown[-1].header.stamp.sec > live.header.stamp.sec, "the next one")
    said = shown[-1]
    wanted = without_image(RGB_SIZE, "THERMAL")
    assert np.array_equal(np.frombuffer(said.data, np.uint8), wanted.reshape(-1))
    assert (said.encoding, said.header.frame_id) == (live.encoding, live.header.frame_id)
    assert wanted.max() > 3 * np.median(wanted)  # there are words on it


def test_markers_need_camera_info_and_a_subscriber(bench: Bench) -> None:
    got: list[MarkerArray] = []
    bench.listen(MarkerArray, "/detector_node/markers", got.append, 1)
    wait_until(lambda: bench.output("markers").get_subscription_count() == 1, "connected")
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)
    bench.wait_for_health("calibration", lambda _l, m, _v: "camera_info" in m, "it is missed")
    info = CameraInfo(width=320, height=240, k=[300.0, 0, 160, 0, 300, 120, 0, 0, 1])
    publisher = bench.tester.create_publisher(CameraInfo, "rgb/camera_info", LATCHED)
    publisher.publish(info)
    session = bench.node.session
    assert session is not None
    wait_until(lambda: session.cameras["rgb"].camera_info is not None, "camera_info")
    assert got == []
    bench.publish_pair(T0 + 100 * MS)
    wait_until(lambda: got, "markers")
    assert {m.ns for m in got[0].markers} >= {"boxes", "labels", "reliance", "image_plane"}


def test_uncalibrated_camera_info_gives_no_markers(bench: Bench) -> None:
    got: list[MarkerArray] = []
    bench.listen(MarkerArray, "/detector_node/markers", got.append, 1)
    wait_until(lambda: bench.output("markers").get_subscription_count() == 1, "connected")
    publisher = bench.tester.create_publisher(CameraInfo, "rgb/camera_info", LATCHED)
    publisher.publish(CameraInfo(width=320, height=240))
    session = bench.node.session
    assert session is not None
    wait_until(lambda: session.cameras["rgb"].camera_info is not None, "camera_info")
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)
    bench.wait_for_health("calibration", lambda _l, m, _v: "uncalibrated" in m, "it is said")
    assert got == []


def test_label_info_is_there_for_late_subscribers(bench: Bench) -> None:
    got: list[LabelInfo] = []
    bench.listen(LabelInfo, "/detector_node/label_info", got.append, LATCHED)
    wait_until(lambda: got, "label info")
    assert [c.class_name for c in got[0].class_map] == ["person", "car", "bicycle"]
    assert got[0].threshold == pytest.approx(0.3)
    assert bench.set_parameter("score_threshold", 0.6)[0]
    wait_until(lambda: len(got) == 2, "the new threshold")
    assert got[1].threshold == pytest.approx(0.6)


def test_diagnostics_tell_what_runs_in_every_state(idle_bench: Bench) -> None:
    idle_bench.wait_for_health(
        "inference", lambda _l, _m, v: v["state"] == "unconfigured", "unconfigured"
    )
    idle_bench.activate()
    for i in range(5):
        idle_bench.publish_pair(T0 + i * 100 * MS)
        idle_bench.wait_for_stamp(T0 + i * 100 * MS)
    _, _, values = idle_bench.wait_for_health(
        "inference",
        lambda _l, _m, v: v["state"] == "active" and "latency_p50_ms" in v,
        "active, and the beat behind the answers",
    )
    assert values["engine"] == "blob"
    assert values["precision"] == "float32"
    assert values["input_size"] == "160x128"
    assert {"latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "rate_processed"} <= set(values)
    _, _, values = idle_bench.wait_for_health(
        "cameras", lambda _l, _m, v: v["processed"] == "5", "five processed"
    )
    assert values["frames_rgb"] == values["frames_thermal"] == values["pairs"] == "5"
    assert values["single_rgb"] == values["single_thermal"] == values["dropped_busy"] == "0"
    assert values["published"] == "5"
    assert float(values["skew_ms"]) == 0
    assert float(values["rate_rgb"]) > 0


def test_the_log_tells_when_a_camera_is_lost_and_there_again(
    model_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Bench({"model": str(model_folder), "partner_timeout": 0.2}) as bench:
        bench.activate()
        said: list[str] = []

        def logged(text: str) -> bool:
            bench.publish("rgb", time.time_ns())
            if alive:
                bench.publish("thermal", time.time_ns())
            time.sleep(0.02)
            said.append(capfd.readouterr().err)
            return text in "".join(said)

        alive = True
        wait_until(lambda: logged("") and bench.counts()["pairs"] > 3, "pairs")
        alive = False
        lost = "thermal (/thermal/image_raw) has no usable frames: only rgb is left"
        wait_until(lambda: logged(lost), "the loss is logged")
        alive = True
        wait_until(lambda: logged("thermal recovered"), "the return is logged")
    assert "diagnostics failed" not in "".join(said)
