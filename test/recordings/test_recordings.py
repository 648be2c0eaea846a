"""Every kind of recording gives the same ordered stream of frames."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.bag_messages import COMPRESSED, IMAGE
from mdacl_tools.recordings.bag_topics import BagTopic, choose_topics
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording

DATA = Path(os.environ.get("MDACL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not (DATA / "m3svd").is_dir(), reason=f"no data in {DATA}")

SHORT = RigFaults(duration_s=1.0, freeze_s=(0.4, 0.7))


def write_video(path: Path, levels: list[int], fps: float, size=(64, 48)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, size)
    for level in levels:
        writer.write(np.full((size[1], size[0], 3), level, np.uint8))
    writer.release()


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        write_video(tmp_path / "visible" / f"{name}.mp4", [20, 120, 220], 30)
        write_video(tmp_path / "infrared" / f"{name}.mp4", [220, 20], 10)
    return tmp_path


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[..., 2] = 200  # red, in OpenCV's order
    cv2.imwrite(str(tmp_path / "a.png"), rgb)
    cv2.imwrite(str(tmp_path / "a_t.png"), np.full((24, 32), 3000, np.uint16))
    image = {"id": 4, "rgb": "a.png", "thermal": "a_t.png", "width": 64, "height": 48}
    box = {"id": 1, "image_id": 4, "category_id": 2, "bbox": [1, 2, 30, 20], "iscrowd": 0}
    crowd = box | {"id": 2, "category_id": 1, "iscrowd": 1}
    bus = box | {"id": 3, "category_id": 9}
    names = [{"id": 1, "name": "person"}, {"id": 2, "name": "car"}, {"id": 9, "name": "bus"}]
    coco = {"images": [image], "annotations": [box, crowd, bus], "categories": names}
    (tmp_path / "test.json").write_text(json.dumps(coco))
    return tmp_path


def stamps(recording, camera: str) -> list[int]:
    return [e.frame.stamp_ns for e in recording if e.camera == camera]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize("compress", [None, "png", "jpeg"])
def test_a_bag_gives_back_what_was_written(tmp_path, storage, compress):
    source = SyntheticRecording(SHORT)
    written = write_bag(source, tmp_path / "bag", storage=storage, compress=compress)
    assert written.frames == source.frames
    bag = open_recording(tmp_path / "bag")
    pairs = list(itertools.zip_longest(source, bag))
    assert len(pairs) == sum(written.frames.values())
    for want, got in pairs:
        assert (got.camera, got.time_ns) == (want.camera, want.time_ns)
        assert got.frame.stamp_ns == want.frame.stamp_ns
        assert got.frame.frame_id == want.frame.frame_id
        assert got.frame.encoding == want.frame.encoding
        loss = 12 if compress == "jpeg" else 0
        difference = got.frame.image.astype(int) - want.frame.image
        assert np.abs(difference).mean() <= loss / 4
    assert bag.frames == source.frames
    assert bag.camera_model("rgb").matrix == pytest.approx(source.camera_model("rgb").matrix)
    stamp = stamps(source, "rgb")[3]
    assert bag.truth(stamp).boxes.tolist() == source.truth(stamp).boxes.tolist()
    bag.close()


def test_a_bag_can_be_opened_by_its_file_and_played_twice(tmp_path):
    write_bag(SyntheticRecording(SHORT), tmp_path / "bag")
    (file,) = (tmp_path / "bag").glob("*.mcap")
    bag = open_recording(file)
    assert stamps(bag, "thermal") == stamps(bag, "thermal")
    bag.close()


def test_an_existing_bag_is_not_overwritten(tmp_path):
    write_bag(SyntheticRecording(SHORT), tmp_path / "bag")
    with pytest.raises(RecordingError, match="exists already"):
        write_bag(SyntheticRecording(SHORT), tmp_path / "bag")


def test_a_truncated_bag_is_one_clear_error(tmp_path):
    write_bag(SyntheticRecording(SHORT), tmp_path / "bag")
    (file,) = (tmp_path / "bag").glob("*.mcap")
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(RecordingError, match="not readable"):
        open_recording(file)


def topic(name: str, encoding: str = "mono8", compressed: bool = False) -> BagTopic:
    return BagTopic(name, COMPRESSED if compressed else IMAGE, encoding)


@pytest.mark.parametrize(
    ("topics", "rgb", "thermal"),
    [
        ([topic("/rgb/image_raw"), topic("/thermal/image_raw")], 0, 1),
        ([topic("/flir_boson/image", "mono16"), topic("/camera/image_raw", "bgr8")], 1, 0),
        ([topic("/cam0/image", "16UC1"), topic("/cam1/image", "bayer_rggb8")], 1, 0),
        ([topic("/left/image"), topic("/camera/ir/image")], 0, 1),
        ([topic("/lepton/false_colour", "rgb8"), topic("/front/image", "rgb8")], 1, 0),
        (
            [
                topic("/rgb/image_raw/compressed", "rgb8", True),
                topic("/rgb/image_raw", "rgb8"),
                topic("/depth/image", "16UC1"),
                topic("/thermal/image/compressed", "mono8", True),
            ],
            1,
            3,
        ),
    ],
)
def test_topics_are_told_apart(topics, rgb, thermal):
    want = {"rgb": topics[rgb].name, "thermal": topics[thermal].name}
    assert choose_topics("bag", topics).topics == want


def test_unclear_topics_ask_and_can_be_named():
    topics = [topic("/left/image", "rgb8"), topic("/right/image", "rgb8"), topic("/ir/image")]
    with pytest.raises(RecordingError, match=r"2 could be the rgb.*/left/image.*--rgb-topic"):
        choose_topics("bag", topics)
    assert choose_topics("bag", topics, rgb="/right/image").topics["rgb"] == "/right/image"
    with pytest.raises(RecordingError, match="got rgb topic /front, wanted one of"):
        choose_topics("bag", topics, rgb="/front")
    with pytest.raises(RecordingError, match="no image topic"):
        choose_topics("bag", [])


def test_a_bag_of_one_camera_plays_alone():
    assert choose_topics("bag", [topic("/thermal/image")]).topics == {"thermal": "/thermal/image"}


def test_videos_merge_by_time(clips):
    recording = open_recording(clips, clip="two")
    events = list(recording)
    assert [e.camera for e in events] == ["rgb", "thermal", "rgb", "rgb", "thermal"]
    assert [e.time_ns for e in events] == sorted(e.time_ns for e in events)
    assert stamps(recording, "rgb")[1] - stamps(recording, "rgb")[0] == 33_333_333
    assert events[0].frame.image.shape == (48, 64, 3)
    assert events[1].frame.image.shape == (48, 64)
    assert events[1].frame.encoding == "mono8"
    assert recording.frames == {"rgb": 3, "thermal": 2}


def test_a_clip_must_be_named_where_there_are_several(clips):
    with pytest.raises(RecordingError, match=r"no clip name, wanted one of one, two.*--clip"):
        open_recording(clips)
    with pytest.raises(RecordingError, match="clip 'three'"):
        open_recording(clips, clip="three")


def test_a_broken_video_names_the_file(clips):
    (clips / "visible" / "one.mp4").write_bytes(b"not a video")
    with pytest.raises(RecordingError, match=r"visible/one\.mp4"):
        open_recording(clips, clip="one")


def test_a_dataset_is_a_slide_show_with_truth(dataset):
    recording = open_recording(dataset, fps=4.0)
    rgb, thermal = recording
    assert rgb.frame.image[0, 0].tolist() == [200, 0, 0]
    assert (thermal.frame.encoding, thermal.frame.image.dtype) == ("mono16", np.uint16)
    assert thermal.frame.image.shape == (24, 32)
    truth = recording.truth(rgb.frame.stamp_ns)
    assert truth.boxes.tolist() == [[1, 2, 31, 22]] * 3
    assert truth.labels.tolist() == [1, 0, 1]
    assert truth.ignore.tolist() == [False, True, True]  # a crowd, a bus
    assert recording.truth(123) is None


def test_a_missing_image_names_the_file(dataset):
    (dataset / "a_t.png").unlink()
    with pytest.raises(RecordingError, match=r"a_t\.png"):
        list(open_recording(dataset))


def test_nothing_to_play_is_one_clear_line(tmp_path):
    with pytest.raises(RecordingError, match="no such file"):
        open_recording(tmp_path / "nowhere")
    with pytest.raises(RecordingError, match="found no bag"):
        open_recording(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(RecordingError, match="found no bag"):
        open_recording(tmp_path / "notes.txt")


@needs_data
def test_real_clips_and_data_sets_open():
    clip = open_recording(DATA / "m3svd" / "videos", clip="0117_1605")
    assert clip.frames == {"rgb": 407, "thermal": 407}
    first = next(iter(clip))
    assert first.frame.image.shape == (480, 640, 3)
    smoke = open_recording(DATA / "m3svd")
    assert smoke.frames["rgb"] == 35
    assert {phase.name for phase in smoke.phases} == {"day", "night", "smoke"}
    assert open_recording(DATA / "msrs" / "train.json").frames["rgb"] == 243


def test_a_freeze_leaves_a_gap_and_an_offset_shifts_stamps():
    recording = SyntheticRecording(RigFaults(duration_s=10.0))
    thermal = stamps(recording, "thermal")
    assert max(b - a for a, b in itertools.pairwise(thermal)) > 2_400_000_000
    first = next(e for e in recording if e.camera == "thermal")
    assert first.time_ns - first.frame.stamp_ns == 40_000_000
