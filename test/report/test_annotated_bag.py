"""The annotated bag holds what the detector answered, under the node's names."""

from __future__ import annotations

import importlib
from contextlib import closing
from dataclasses import replace

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.bag_truth import stamp_of, truth_from
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording
from mdacl_tools.report.annotated_bag import write_annotated
from mdacl_tools.report.source_images import replay as replayed
from mdacl_tools.scoring.frames import read_frames
from report.made import answers, two_cameras, write_evaluation

RECORDING = two_cameras()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def written(folder):
    report = write_evaluation(folder, RECORDING)
    out = write_annotated(RECORDING, report, folder / "frames.jsonl", folder / "annotated")
    messages: dict[str, list] = {}
    with closing(AnyReader([out])) as reader:  # with the definitions that the bag carries
        reader.open()
        for connection, time_ns, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            messages.setdefault(connection.topic, []).append((time_ns, message))
    return list(read_frames(folder / "frames.jsonl")), messages


def test_every_answer_has_a_message_on_every_topic(written):
    records, messages = written
    assert set(messages) == {
        "/detector_node/detections",
        "/detector_node/dominance",
        "/detector_node/mdi",
        "/detector_node/reliance",
        "/detector_node/overlay/compressed",
        "/ground_truth/detections",
    }
    assert {len(rows) for rows in messages.values()} == {len(records)}
    arrivals = {e.frame.stamp_ns: e.time_ns for e in RECORDING if e.camera == "rgb"}
    for record, (time_ns, message) in zip(
        records, messages["/detector_node/detections"], strict=True
    ):
        assert stamp_of(message) == record.stamp_ns
        assert message.header.frame_id == "rgb_optical_frame"
        assert time_ns == arrivals[record.stamp_ns]


def test_the_numbers_are_those_of_the_answers(written):
    records, messages = written
    found = [message for _, message in messages["/detector_node/detections"]]
    dominance = [message for _, message in messages["/detector_node/dominance"]]
    mdi = [message.data for _, message in messages["/detector_node/mdi"]]
    truths = [truth_from(message) for _, message in messages["/ground_truth/detections"]]
    assert mdi == pytest.approx([record.mdi for record in records])
    for record, boxes, reading, truth in zip(records, found, dominance, truths, strict=True):
        first = boxes.detections[0]
        assert first.results[0].hypothesis.class_id == "person"
        assert first.bbox.center.position.x == pytest.approx(record.boxes[0, ::2].mean())
        values = {pair.key: pair.value for pair in reading.status[0].values}
        assert float(values["mdi"]) == pytest.approx(record.mdi)
        assert values["present"] == ("rgb+thermal" if record.thermal else "rgb")
        assert ("exact_mdi" in values) == (record.exact_mdi is not None)
        np.testing.assert_array_equal(truth.boxes, record.truth.boxes)


def test_the_overlay_is_a_picture_with_boxes(written):
    records, messages = written
    _, message = messages["/detector_node/overlay/compressed"][0]
    assert message.format == "jpeg"
    picture = cv2.imdecode(message.data, cv2.IMREAD_COLOR)
    assert picture.shape[:2] == records[0].image_size[::-1]
    plain = next(e.frame.image for e in RECORDING if e.camera == "rgb")
    assert np.abs(picture[..., ::-1].astype(int) - plain).max() > 100


def test_foxglove_s_reader_and_ros_itself_understand_it(written, folder):
    reading = pytest.importorskip("mcap.reader")
    serialization = pytest.importorskip("rclpy.serialization")
    records, _ = written
    (file,) = (folder / "annotated").glob("*.mcap")
    counts: dict[str, int] = {}
    with file.open("rb") as stream:
        for schema, channel, message in reading.make_reader(stream).iter_messages():
            assert (schema.encoding, channel.message_encoding) == ("ros2msg", "cdr")
            package, _, name = schema.name.split("/")
            kind = getattr(importlib.import_module(f"{package}.msg"), name)
            parsed = serialization.deserialize_message(message.data, kind)
            assert isinstance(parsed, kind)
            counts[channel.topic] = counts.get(channel.topic, 0) + 1
    assert set(counts.values()) == {len(records)}


def test_pictures_are_those_of_the_stamps_also_with_a_clock_offset():
    faults = RigFaults(duration_s=1.0, thermal_clock_offset_ns=40_000_000)
    recording = SyntheticRecording(faults)
    thermal = {e.frame.stamp_ns: e.frame.image for e in recording if e.camera == "thermal"}
    shift = faults.thermal_clock_offset_ns
    records = records_with_offset(recording, sorted(thermal), shift)
    assert len(records) > 4
    for shown in replayed(recording, records, thermal_clock_offset_ns=shift):
        wanted = shown.record.stamp_ns + round(shown.record.skew_ms * 1e6) - shift
        assert shown.rgb.shape[:2] == shown.record.image_size[::-1]
        assert shown.thermal.shape == shown.record.image_size[::-1]
        # The square is where it was at that moment: columns that are bright.
        bright = thermal[wanted].max(0) > 100
        scale = shown.thermal.shape[1] / len(bright)
        assert np.flatnonzero(shown.thermal.max(0) > 100).mean() == pytest.approx(
            np.flatnonzero(bright).mean() * scale, abs=2 * scale
        )


def records_with_offset(recording, thermal_stamps, shift):
    records = []
    for record in answers(recording):
        stamp = min(thermal_stamps, key=lambda s: abs(s + shift - record.stamp_ns))
        skew_ms = (stamp + shift - record.stamp_ns) / 1e6
        records.append(replace(record, thermal=True, skew_ms=skew_ms))
    return records[::3]


def test_another_recording_is_refused_and_leaves_nothing(tmp_path):
    report = write_evaluation(tmp_path, RECORDING)
    other = two_cameras(0.5)
    with pytest.raises(RecordingError, match="give the recording that was evaluated"):
        write_annotated(other, report, tmp_path / "frames.jsonl", tmp_path / "annotated")
    assert {p.name for p in tmp_path.iterdir()} == {"report.json", "frames.jsonl"}
