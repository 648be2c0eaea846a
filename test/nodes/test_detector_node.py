"""What goes in comes out: stamps, frames, pairing, empty results, a camera that dies."""

from __future__ import annotations

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo

from mdacl_ros.nodes import messages

from .bench import OBJECT, RGB_FRAME, RGB_SIZE, Bench, rgb_scene, thermal_scene, wait_until

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def test_a_pair_gives_detections_with_the_rgb_stamp_and_frame(bench: Bench) -> None:
    stamp = T0 + 123_456_789
    bench.publish_pair(stamp, skew_ns=7 * MS)
    message = bench.wait_for_stamp(stamp)
    assert message.header.frame_id == RGB_FRAME
    assert all(d.header == message.header for d in message.detections)
    names = {d.results[0].hypothesis.class_id for d in message.detections}
    assert names == {"person", "car"}  # hot and bright: both cameras took part


def test_boxes_lie_in_rgb_pixels(bench: Bench) -> None:
    bench.publish_pair(T0)
    message = bench.wait_for_stamp(T0)
    box = message.detections[0].bbox
    centre = (box.center.position.x, box.center.position.y)
    assert centre == pytest.approx(
        ((OBJECT[0] + OBJECT[2]) / 2, (OBJECT[1] + OBJECT[3]) / 2), abs=4
    )
    assert (box.size_x, box.size_y) == pytest.approx((80, 120), abs=6)


def test_a_frame_without_objects_is_answered_too(bench: Bench) -> None:
    bench.publish("thermal", T0, thermal_scene(hot=False))
    bench.publish("rgb", T0, rgb_scene(bright=False))
    message = bench.wait_for_stamp(T0)
    assert message.header.frame_id == RGB_FRAME
    assert len(message.detections) == 0


def test_every_pair_of_a_stream_is_answered_once_and_in_order(bench: Bench) -> None:
    stamps = [T0 + i * 33 * MS for i in range(20)]
    for stamp in stamps:
        bench.publish_pair(stamp, skew_ns=5 * MS)
        bench.wait_for_stamp(stamp)
    assert bench.stamps() == stamps
    counts = bench.counts()
    assert counts["frames_rgb"] == counts["frames_thermal"] == 20
    assert counts["pairs"] == counts["processed"] == counts["published"] == 20


def test_dominance_and_mdi_belong_to_the_same_frames(bench: Bench) -> None:
    bench.publish_pair(T0, skew_ns=5 * MS)
    bench.wait_for_stamp(T0)
    wait_until(lambda: bench.dominance and bench.mdi, "dominance and mdi")
    values = bench.dominance[0]
    assert values["present"] == "rgb+thermal"
    assert float(values["mdi"]) == pytest.approx(bench.mdi[0], abs=1e-5)
    assert float(values["skew_ms"]) == 5.0
    assert int(values["detections"]) == len(bench.detections[0].detections)
    assert float(values["dominance_rgb"]) + float(values["dominance_thermal"]) == pytest.approx(1)
    assert float(values["latency_ms"]) > 0
    assert {"entropy_rgb", "sensitivity_thermal", "gate_rgb", "infer_ms"} <= set(values)


def test_a_frozen_camera_leaves_the_other_alone_until_it_returns(bench: Bench) -> None:
    assert bench.set_parameter("partner_timeout", 0.2)[0]
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)
    freeze = [T0 + i * 100 * MS for i in range(1, 8)]
    for stamp in freeze:  # thermal says nothing; its last frame soon is too old to pair with
        bench.publish("rgb", stamp)
        wait_until(lambda: not bench.synchronizer_alive("thermal"), "thermal is declared dead")
    bench.wait_for_stamp(freeze[-1])
    answered = bench.stamps()
    assert set(answered) <= {T0, *freeze}
    # topics arrive independently: the newest answer's dominance and mdi may still be on their way
    wait_until(
        lambda: len(bench.dominance) == len(bench.mdi) == len(answered),
        "every topic of the answers",
    )
    assert bench.dominance[-1]["present"] == "rgb"
    assert bench.mdi[-1] == pytest.approx(1.0)
    back = T0 + 900 * MS
    bench.publish("thermal", back)
    wait_until(lambda: bench.synchronizer_alive("thermal"), "thermal is back")
    bench.publish("rgb", back)
    bench.wait_for_stamp(back)
    wait_until(lambda: bench.dominance[-1]["present"] == "rgb+thermal", "the pair after the freeze")


def test_thermal_alone_is_answered_in_the_rgb_frame(bench: Bench) -> None:
    assert bench.set_parameter("partner_timeout", 0.1)[0]
    assert bench.set_parameter("thermal_clock_offset", 0.04)[0]
    bench.publish("rgb", T0 + 40 * MS)
    bench.publish("thermal", T0)
    bench.wait_for_stamp(T0 + 40 * MS)
    wait_until(lambda: not bench.synchronizer_alive("rgb"), "rgb is declared dead")
    bench.publish("thermal", T0 + 500 * MS)
    message = bench.wait_for_stamp(T0 + 540 * MS)  # the thermal stamp with the offset added
    assert message.header.frame_id == RGB_FRAME
    wait_until(lambda: bench.mdi[-1:] == [pytest.approx(-1.0)], "thermal alone")


def test_a_camera_that_was_never_heard_of_is_dead_too(bench: Bench) -> None:
    bench.publish("thermal", T0)
    message = bench.wait_for_stamp(T0)  # only the clock can let it out: nothing else arrives
    assert message.header.frame_id == "thermal_optical"


def test_thermal_alone_from_the_start_is_answered_in_rgb_pixels(bench: Bench) -> None:
    width, height = RGB_SIZE
    info = CameraInfo(width=width, height=height, header=messages.to_header(0, RGB_FRAME))
    publisher = bench.tester.create_publisher(CameraInfo, "rgb/camera_info", LATCHED)
    publisher.publish(info)
    session = bench.node.session
    assert session is not None
    wait_until(lambda: session.cameras["rgb"].camera_info is not None, "camera_info")
    bench.publish("thermal", T0)
    message = bench.wait_for_stamp(T0)
    assert message.header.frame_id == RGB_FRAME
    box = message.detections[0].bbox
    centre = (OBJECT[0] + OBJECT[2]) / 2, (OBJECT[1] + OBJECT[3]) / 2
    assert (box.center.position.x, box.center.position.y) == pytest.approx(centre, abs=4)
    assert (box.size_x, box.size_y) == pytest.approx((80, 120), abs=8)


def test_a_slow_detector_takes_the_newest_and_counts_the_rest(bench: Bench) -> None:
    engine = bench.factory.engine
    engine.gate.clear()
    bench.publish_pair(T0)
    assert engine.entered.wait(10)
    for i in range(1, 6):
        bench.publish_pair(T0 + i * 200 * MS)
        wait_until(lambda n=i: bench.counts()["pairs"] == n + 1, f"pair {i}")
    engine.gate.set()
    bench.wait_for_stamp(T0 + 1000 * MS)
    assert bench.stamps() == [T0, T0 + 1000 * MS]
    assert bench.counts()["dropped_busy"] == 4
    assert bench.counts()["processed"] == 2


def test_sixteen_bit_thermal_arrives(bench: Bench) -> None:
    counts = (thermal_scene().astype(np.uint16) * 20) + 29_000
    bench.publish("thermal", T0, counts, "16UC1")
    bench.publish("rgb", T0)
    message = bench.wait_for_stamp(T0)
    assert messages.to_nanoseconds(message.header.stamp) == T0
    assert "person" in {d.results[0].hypothesis.class_id for d in message.detections}
