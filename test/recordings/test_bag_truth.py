"""Ground truth travels in the bag and comes back as it was."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import LABELS, GroundTruth
from mdacl_tools.cli.main import main
from mdacl_tools.recordings.bag_file import BagFile
from mdacl_tools.recordings.bag_messages import DETECTIONS, MessageMaker, bag_types
from mdacl_tools.recordings.bag_truth import (
    TRUTH_TOPIC,
    phases_from,
    scene_messages,
    truth_from,
    truth_message,
)
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.recordings.recording import RecordingPhase
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording
from recordings.datasets import trees

MAKE = MessageMaker(bag_types())
LAYOUTS = (trees.llvip, trees.flir, trees.m3fd, trees.m3fd_yolo, trees.kaist, trees.msrs)

# As fine as a 65536th of a pixel.
pixels = st.integers(0, 2**29).map(lambda value: value / 2**16)
objects = st.lists(
    st.tuples(
        st.tuples(pixels, pixels, pixels, pixels), st.integers(0, len(LABELS) - 1), st.booleans()
    )
)


def truth_of(rows: list) -> GroundTruth:
    return GroundTruth(
        np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        np.array([label for _, label, _ in rows], np.int64),
        np.array([ignore for _, _, ignore in rows], np.bool_),
    )


def assert_same(got: GroundTruth | None, want: GroundTruth | None) -> None:
    assert got is not None
    assert want is not None
    for a, b in ((got.boxes, want.boxes), (got.labels, want.labels), (got.ignore, want.ignore)):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@settings(max_examples=50, deadline=None)
@given(objects)
def test_truth_survives_the_message_bit_for_bit(rows):
    truth = truth_of(rows)
    assert_same(truth_from(truth_message(MAKE, 1, "rgb", truth)), truth)


def test_truth_survives_the_wire():
    types = bag_types()
    truth = truth_of([((1.25, 2.5, 30.125, 40), 1, False), ((0, 0, 5, 5), 0, True)])
    data = types.serialize_cdr(truth_message(MAKE, 7, "rgb", truth), DETECTIONS)
    message = types.deserialize_cdr(data, DETECTIONS)
    assert_same(truth_from(message), truth)
    assert [found.id for found in message.detections] == ["", "ignore"]


def test_names_of_other_labellers_are_understood():
    header = MAKE.header(1, "rgb")
    names = ("pedestrian", "Bus", "lamp")
    found = [MAKE.detection(header, (0, 0, 4, 8), name, 1.0) for name in names]
    truth = truth_from(MAKE.detections(header, found))
    assert [LABELS[label] for label in truth.labels] == ["person", "car"]
    assert truth.ignore.tolist() == [False, True]


@pytest.mark.parametrize(
    "phases",
    [
        (),
        (RecordingPhase("day", 5, 10), RecordingPhase("night", 10, 30)),
        (RecordingPhase("day", 5, 10), RecordingPhase("smoke", 12, 30)),
    ],
)
def test_parts_survive(phases):
    messages = [message for _, message in scene_messages(MAKE, phases)]
    assert phases_from(messages, 99) == phases


def test_a_part_that_nothing_ends_lasts_to_the_end_and_may_be_repeated():
    first, _ = (message for _, message in scene_messages(MAKE, [RecordingPhase("day", 5, 10)]))
    again = scene_messages(MAKE, [RecordingPhase("day", 8, 10)])[0][1]
    assert phases_from([again, first], 99) == (RecordingPhase("day", 5, 99),)


@pytest.mark.parametrize("layout", [*LAYOUTS, trees.coco_pairs], ids=lambda f: f.__name__)
def test_every_layout_becomes_a_bag_with_identical_frames_and_truth(tmp_path, layout):
    part = "detection" if layout is trees.msrs else None
    with (
        closing(open_recording(layout(tmp_path / "set"), split=part)) as source,
        tmp_path_bag(source, tmp_path / "bag") as bag,
    ):
        assert bag.has_truth
        assert bag.phases == source.phases
        pairs = list(zip(source, bag, strict=True))
        assert pairs
        for want, got in pairs:
            assert (got.camera, got.time_ns) == (want.camera, want.time_ns)
            assert got.frame.encoding == want.frame.encoding
            np.testing.assert_array_equal(got.frame.image, want.frame.image)
            assert_same(bag.truth(got.frame.stamp_ns), source.truth(want.frame.stamp_ns))
            height, width = want.frame.image.shape[:2]
            assert bag.camera_model(want.camera).size == (width, height)
        assert bag.truth(1) is None


def tmp_path_bag(source, path: Path):
    write_bag(source, path, compress="png")
    return closing(open_recording(path))


def test_the_bag_is_one_that_humble_reads(tmp_path):
    write_bag(SyntheticRecording(RigFaults(duration_s=0.3)), tmp_path / "bag")
    about = yaml.safe_load((tmp_path / "bag" / "metadata.yaml").read_text())
    information = about["rosbag2_bagfile_information"]
    assert information["version"] <= 8
    kinds = {
        t["topic_metadata"]["name"]: t["topic_metadata"]["type"]
        for t in information["topics_with_message_count"]
    }
    assert kinds[TRUTH_TOPIC] == "vision_msgs/msg/Detection2DArray"
    assert kinds["/rgb/camera_info"] == "sensor_msgs/msg/CameraInfo"
    # Humble stores quality of service as a text of YAML, not as YAML.
    profile = information["topics_with_message_count"][0]["topic_metadata"]["offered_qos_profiles"]
    assert isinstance(profile, str)


def test_truth_beside_a_bag_of_an_earlier_version_is_still_read(tmp_path):
    source = SyntheticRecording(RigFaults(duration_s=0.3))
    source.has_truth = False
    source.truth = lambda stamp_ns: None
    write_bag(source, tmp_path / "bag")
    stamp = next(e for e in source if e.camera == "rgb").frame.stamp_ns
    coco = {
        "images": [{"id": 1, "stamp_ns": stamp, "width": 64, "height": 48}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 1, "name": "car"}],
    }
    (tmp_path / "bag" / "truth.json").write_text(json.dumps(coco))
    with closing(open_recording(tmp_path / "bag")) as bag:
        assert bag.has_truth
        assert_same(bag.truth(stamp), truth_of([((1, 2, 4, 6), 1, False)]))


def test_nothing_is_left_of_a_bag_that_failed(tmp_path):
    class Broken(SyntheticRecording):
        def __iter__(self):
            yield next(super().__iter__())
            raise RecordingError("the disk is gone")

    with pytest.raises(RecordingError, match="the disk is gone"):
        write_bag(Broken(RigFaults(duration_s=0.3)), tmp_path / "out" / "bag")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_bag_in_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot be created"), BagFile(tmp_path / "file" / "b"):
        pass


def test_convert_takes_the_part_that_was_asked_for(tmp_path, capsys):
    root, out = trees.llvip(tmp_path / "set"), tmp_path / "bag"
    assert main(["convert", "recording", str(root), str(out), "--split", "train"]) == 0
    assert f"2 rgb, 2 thermal frames, 0.5 s, ground truth on {TRUTH_TOPIC}" in (
        capsys.readouterr().out
    )
    assert main(["convert", "recording", str(root), str(out)]) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("fps", ["0", "-2", "nan", "inf"])
def test_a_rate_that_makes_no_sense_is_one_line(tmp_path, capsys, fps):
    path = trees.llvip(tmp_path / "data")
    assert main(["convert", "recording", str(path), str(tmp_path / "bag"), f"--fps={fps}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"fps: got {float(fps)}, wanted 0.001 to 1000" in line
    assert not (tmp_path / "bag").exists()
