from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from builtin_interfaces.msg import Time

from mdacl_ros.nodes import messages
from mdacl_ros.types import Detections, DominanceReading

HEADER = messages.to_header(1_700_000_000_123_456_789, "rgb_optical")
READING = DominanceReading(
    mdi=-0.25,
    dominance=(0.375, 0.625),
    entropy=(0.5, 0.6),
    sensitivity=(0.3, 0.7),
    gates=(0.9, 1.1),
)


@pytest.mark.parametrize("stamp", [0, 1, 999_999_999, 10**9, 1_700_000_000_123_456_789])
def test_stamps_survive_to_the_nanosecond(stamp: int) -> None:
    assert messages.to_nanoseconds(messages.to_time(stamp)) == stamp


def test_time_splits_into_seconds_and_nanoseconds() -> None:
    assert messages.to_time(2_000_000_003) == Time(sec=2, nanosec=3)


@pytest.mark.parametrize("shape", [(5, 7, 3), (5, 7)])
def test_pixels_survive_also_from_a_strided_view(shape: tuple[int, ...]) -> None:
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)[:, ::-1]
    message = messages.to_image(image, HEADER)
    assert (message.height, message.width) == (5, 7)
    assert message.step == 7 * (3 if len(shape) == 3 else 1)
    assert message.encoding == ("rgb8" if len(shape) == 3 else "mono8")
    assert np.array_equal(np.frombuffer(message.data, np.uint8).reshape(shape), image)


def test_detections_are_centres_and_sizes_with_names() -> None:
    detections = Detections(
        boxes=np.array([[10, 20, 30, 60], [0, 0, 5, 5]], np.float32),
        scores=np.array([0.9, 0.4], np.float32),
        labels=np.array([1, 0]),
        image_size=(640, 480),
    )
    message = messages.to_detection_array(detections, ("person", "car"), HEADER)
    first = message.detections[0]
    assert message.header == first.header == HEADER
    assert (first.bbox.center.position.x, first.bbox.center.position.y) == (20, 40)
    assert (first.bbox.size_x, first.bbox.size_y, first.bbox.center.theta) == (20, 40, 0)
    assert first.results[0].hypothesis.class_id == "car"
    assert first.results[0].hypothesis.score == pytest.approx(0.9)
    assert message.detections[1].results[0].hypothesis.class_id == "person"


def two_detections(shares: list[float] | None, *, exact: bool = False) -> Detections:
    return Detections(
        boxes=np.array([[10, 20, 30, 60], [0, 0, 5, 5]], np.float32),
        scores=np.array([0.9, 0.4], np.float32),
        labels=np.array([1, 0]),
        image_size=(640, 480),
        rgb_shares=None if shares is None else np.array(shares, np.float32),
        shares_exact=exact,
    )


def test_ids_stay_free_for_trackers_unless_asked() -> None:
    found = two_detections([0.29, 1.0], exact=True)
    plain = messages.to_detection_array(found, ("person", "car"), HEADER)
    assert [d.id for d in plain.detections] == ["", ""]
    told = messages.to_detection_array(found, ("person", "car"), HEADER, share_in_id=True)
    assert [d.id for d in told.detections] == [
        "rgb=0.29 thermal=0.71 exact",
        "rgb=1.00 thermal=0.00 exact",
    ]
    assert [d.results[0].hypothesis.class_id for d in told.detections] == ["car", "person"]


def test_shares_are_numbered_as_the_detections() -> None:
    values = messages.share_values(two_detections([0.25, 1.0]))
    assert values == {
        "exact": False,
        "detection_0_rgb_share": 0.25,
        "detection_1_rgb_share": 1.0,
    }


def test_the_dominance_message_has_the_frame_and_then_the_detections() -> None:
    shares = messages.share_values(two_detections([0.25, 1.0]))
    values = messages.dominance_values(READING, (True, True))
    frame, each = messages.to_dominance("detector_node", HEADER, values, shares).status
    assert (frame.name, each.name) == ("detector_node: dominance", "detector_node: detections")
    assert {v.key: v.value for v in each.values}["detection_0_rgb_share"] == "0.25"
    unmeasured = messages.share_values(two_detections(None))
    _, each = messages.to_dominance("detector_node", HEADER, values, unmeasured).status
    assert (each.message, len(each.values)) == ("not measured by this engine", 0)


def test_no_detections_is_a_message_too() -> None:
    empty = Detections(
        np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, int), (1, 1)
    )
    message = messages.to_detection_array(empty, ("person",), HEADER)
    assert message.header == HEADER
    assert len(message.detections) == 0


def test_label_info_numbers_the_names() -> None:
    message = messages.to_label_info(("person", "car"), 0.5, HEADER)
    assert [(c.class_id, c.class_name) for c in message.class_map] == [(0, "person"), (1, "car")]
    assert message.threshold == pytest.approx(0.5)


def test_dominance_values_have_stable_names() -> None:
    values = messages.dominance_values(READING, (True, False))
    assert values["mdi"] == -0.25
    assert values["dominance_thermal"] == 0.625
    assert values["gate_rgb"] == 0.9
    assert values["present"] == "rgb"
    assert math.isnan(values["reliance"])
    assert not {"exact_mdi", "evidence"} & set(values)
    measured = replace(READING, reliance=-0.5, evidence=(2.0, 0.5, 1.5))
    values = messages.dominance_values(measured, (True, True))
    assert (values["reliance"], values["evidence_thermal"]) == (-0.5, 1.5)


def test_key_values_parse_back() -> None:
    pairs = {v.key: v.value for v in messages.to_key_values({"a": 0.1234567, "b": 7, "c": True})}
    assert float(pairs["a"]) == pytest.approx(0.1234567, rel=1e-5)
    assert pairs["b"] == "7"
    assert pairs["c"] == "True"
