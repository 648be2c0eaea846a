"""Whatever a broken driver sends: the topic is named, it is counted, and the stream goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from lifecycle_msgs.msg import Transition
from sensor_msgs.msg import CompressedImage, Image

from mdacl_ros.nodes import messages

from .bench import RGB_FRAME, Bench, image_message, rgb_scene, thermal_scene, wait_until

T0 = 1_700_000_000_000_000_000
MS = 1_000_000


def good() -> Image:
    return image_message(rgb_scene(), "rgb8", T0, RGB_FRAME)


def unknown_encoding() -> Image:
    message = good()
    message.encoding = "rgb565"
    return message


def wrong_step() -> Image:
    message = good()
    message.step = 17
    return message


def zero_size() -> Image:
    message = good()
    message.width = message.height = message.step = 0
    message.data = []
    return message


def truncated() -> Image:
    message = good()
    message.data = message.data[:-100]
    return message


def gigantic() -> Image:
    message = good()
    message.width = 2**31
    return message


def publish_bad(bench: Bench, images: list[Image]) -> None:
    """One after the other: the node's subscription only keeps the newest."""
    for number, message in enumerate(images, start=1):
        bench.cameras["rgb"].publish(message)
        wait_until(lambda n=number: bench.counts()["dropped_bad_image_rgb"] == n, f"no. {number}")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (unknown_encoding, "'rgb565'"),
        (wrong_step, "step 17"),
        (zero_size, "size 0x0"),
        (truncated, "truncated"),
        (gigantic, "size 2147483648x240"),
    ],
)
def test_a_bad_image_is_named_counted_and_survived(
    bench: Bench, make: Callable[[], Image], said: str
) -> None:
    publish_bad(bench, [make() for _ in range(3)])
    assert bench.node.session is not None
    line = bench.node.session.statistics.facts()["bad_image_rgb"]
    assert line.startswith("topic /rgb/image_raw: ")
    assert said in line
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)


def test_a_camera_that_only_sends_rubbish_counts_as_dead(bench: Bench) -> None:
    assert bench.set_parameter("partner_timeout", 0.1)[0]
    for i in range(3):
        bad = image_message(thermal_scene(), "mono8", T0 + i, "thermal")
        bad.encoding = "mjpeg"
        bench.cameras["thermal"].publish(bad)
    bench.publish("rgb", T0)
    bench.wait_for_stamp(T0)
    wait_until(lambda: bench.dominance, "dominance")
    assert bench.dominance[0]["present"] == "rgb"


def test_bad_images_are_logged_once_each_kind_and_shown_in_diagnostics(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = [wrong_step() for _ in range(4)]
    for i, message in enumerate(wrong):
        message.step = 10 + i
    publish_bad(bench, [*wrong, *(unknown_encoding() for _ in range(4))])
    logged = [x for x in capfd.readouterr().err.splitlines() if "topic /rgb/image_raw" in x]
    assert len(logged) == 2
    assert all("ERROR" in line and "wanted" in line for line in logged)
    level, message, values = bench.wait_for_health(
        "cameras", lambda _l, _m, v: v.get("dropped_bad_image_rgb") == "8", "counted"
    )
    assert level > 0
    assert "/rgb/image_raw" in message
    assert "bad_image_rgb" in values


def test_an_exception_in_the_detector_loses_one_pair_not_the_stream(bench: Bench) -> None:
    engine = bench.factory.engine
    engine.fail = RuntimeError("device lost")
    bench.publish_pair(T0)
    wait_until(lambda: bench.counts()["dropped_failed"] == 1, "a failed pair")
    engine.fail = None
    bench.publish_pair(T0 + 100 * MS)
    bench.wait_for_stamp(T0 + 100 * MS)
    assert bench.stamps() == [T0 + 100 * MS]
    _, message, _ = bench.wait_for_health(
        "inference", lambda level, *_: level == 2, "the failure is shown"
    )
    assert "device lost" in message


def no_numbers() -> np.ndarray:
    return np.full(thermal_scene().shape, np.nan, np.float32)


def test_a_picture_without_numbers_counts_once_however_many_pairs_it_serves(bench: Bench) -> None:
    """Thermal at 10 Hz sends nothing but NaN, 30 Hz RGB is answered: bad, never frozen."""
    for number in range(24):
        stamp = T0 + number * 33 * MS
        if number % 3 == 0:
            bench.publish("thermal", stamp, no_numbers(), "32FC1")
            seen = number // 3 + 1
            wait_until(lambda n=seen: bench.counts()["frames_thermal"] == n, f"thermal {seen}")
        image = rgb_scene()
        image[:4, :4] = number
        bench.publish("rgb", stamp, image)
        bench.wait_for_stamp(stamp)
    counts = bench.counts()
    assert counts["pairs"] == counts["published"] == 24
    assert counts["dropped_bad_image_thermal"] == 8
    assert counts["dropped_frozen_thermal"] == 0
    wait_until(lambda: len(bench.dominance) == 24, "dominance")
    assert {values["present"] for values in bench.dominance} == {"rgb"}


def test_a_picture_without_numbers_counts_where_it_leaves_no_answer(bench: Bench) -> None:
    assert bench.set_parameter("partner_timeout", 0.05)[0]
    for number in range(3):
        bench.publish("thermal", T0 + number * 100 * MS, no_numbers(), "32FC1")
        wait_until(lambda n=number: bench.counts()["dropped_failed"] == n + 1, f"pair {number}")
    assert bench.counts()["dropped_bad_image_thermal"] == 3


def compressed(image: np.ndarray, extension: str, stamp_ns: int) -> CompressedImage:
    ok, data = cv2.imencode(extension, image)
    assert ok
    return CompressedImage(
        header=messages.to_header(stamp_ns, RGB_FRAME), format=extension[1:], data=data.tobytes()
    )


@pytest.fixture
def compressed_bench(model_folder: Path) -> Any:
    values = {"rgb_transport": "compressed", "thermal_transport": "compressed"}
    with Bench(values | {"model": str(model_folder)}) as bench:
        assert bench.change_state(Transition.TRANSITION_CONFIGURE)
        assert bench.change_state(Transition.TRANSITION_ACTIVATE)
        bench.connect_cameras(CompressedImage, "/compressed")
        yield bench


def test_compressed_images_are_decoded(compressed_bench: Bench) -> None:
    thermal16 = thermal_scene().astype(np.uint16) * 64
    compressed_bench.cameras["thermal"].publish(compressed(thermal16, ".png", T0))
    compressed_bench.cameras["rgb"].publish(compressed(rgb_scene(), ".jpg", T0))
    message = compressed_bench.wait_for_stamp(T0)
    names = {d.results[0].hypothesis.class_id for d in message.detections}
    assert names == {"person", "car"}


def test_a_compressed_camera_that_repeats_its_picture_counts_as_frozen(
    compressed_bench: Bench,
) -> None:
    bench = compressed_bench
    assert bench.set_parameter("frozen_after", 2)[0]
    assert bench.set_parameter("thermal_shutter", 0.0)[0]
    for number in range(4):
        stamp = T0 + number * 200 * MS  # too far apart to share a thermal frame
        bench.cameras["thermal"].publish(compressed(thermal_scene(), ".png", stamp))
        wait_until(lambda n=number: bench.counts()["frames_thermal"] == n + 1, f"thermal {number}")
        levels = np.indices((24, 32)).sum(0)[..., None].repeat(3, axis=2) % 2 * 60 + number * 20
        bench.cameras["rgb"].publish(compressed(levels.astype(np.uint8), ".jpg", stamp))
        bench.wait_for_stamp(stamp)
    wait_until(lambda: len(bench.dominance) == 4, "dominance")
    present = [values["present"] for values in bench.dominance]
    assert present == ["rgb+thermal", "rgb+thermal", "rgb", "rgb"]


def test_a_truncated_jpeg_leaves_the_other_camera(compressed_bench: Bench) -> None:
    bench = compressed_bench
    broken = compressed(rgb_scene(), ".jpg", T0)
    broken.data = broken.data[: len(broken.data) // 2]
    bench.cameras["thermal"].publish(compressed(thermal_scene(), ".png", T0))
    bench.cameras["rgb"].publish(broken)
    message = bench.wait_for_stamp(T0)
    wait_until(lambda: bench.dominance, "dominance")
    assert bench.dominance[0]["present"] == "thermal"
    assert {d.results[0].hypothesis.class_id for d in message.detections} == {"person"}
    assert bench.counts()["dropped_bad_image_rgb"] == 1
