"""Bags in the states in which recorders, copies and other tools leave them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
import yaml
import zstandard
from mcap.writer import Writer

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.bag_messages import IMAGE, MessageMaker, bag_types
from mdacl_tools.recordings.bags import BagRecording, frame_rate
from mdacl_tools.recordings.open_recording import open_recording

from .small_bags import (
    RGB,
    STEP,
    T0,
    THERMAL,
    picture,
    put_rgb,
    put_thermal,
    raw_image,
    storage_file,
    write_pairs,
)

STORAGES = ("mcap", "sqlite3")


def read(path: Path) -> tuple[Counter, BagRecording]:
    """Frames of one pass by camera, and the recording after it."""
    recording = open_recording(path)
    return Counter(event.camera for event in recording), recording


@pytest.fixture(params=STORAGES)
def bag(request, tmp_path):
    return write_pairs(tmp_path / "bag", storage=request.param)


def edit_metadata(bag: Path, change) -> None:
    file = bag / "metadata.yaml"
    values = yaml.safe_load(file.read_text())
    change(values["rosbag2_bagfile_information"])
    file.write_text(yaml.safe_dump(values))


def test_a_sound_bag_has_nothing_to_say(bag):
    counts, recording = read(bag)
    assert counts == {"rgb": 10, "thermal": 10}
    assert recording.damage == []
    assert recording.losses.sentences() == []
    assert recording.fps == {"rgb": pytest.approx(10.0), "thermal": pytest.approx(10.0)}
    assert recording.duration_ns == 9 * STEP


def test_fewer_messages_than_the_metadata_says_are_named_by_topic(bag):
    def more(values):
        for row in values["topics_with_message_count"]:
            if row["topic_metadata"]["name"] == THERMAL:
                row["message_count"] += 7

    edit_metadata(bag, more)
    counts, recording = read(bag)
    assert counts["thermal"] == 10
    assert recording.damage == [f"7 messages (26%) are lost: 7 of 17 {THERMAL}"]


@pytest.mark.parametrize(
    "change",
    [
        lambda values: [
            row["topic_metadata"].update(offered_qos_profiles="- history: 3\n  depth: 0")
            for row in values["topics_with_message_count"]
        ],
        lambda values: values.update(version=99),
        lambda values: values.pop("duration"),
        lambda values: values.update(storage_identifier="my_plugin"),
        lambda values: values.update(compression_format="fake", compression_mode=""),
    ],
    ids=["qos", "version", "no duration", "plugin", "compression"],
)
def test_what_metadata_says_beside_files_and_counts_does_not_matter(bag, change):
    edit_metadata(bag, change)
    counts, recording = read(bag)
    assert counts == {"rgb": 10, "thermal": 10}
    assert recording.damage == []


@pytest.mark.parametrize("text", ["", "broken: [", "rosbag2_bagfile_information: 3\n", "\x00\xff"])
def test_a_bag_with_unusable_metadata_is_read(bag, text):
    (bag / "metadata.yaml").write_text(text, encoding="latin-1")
    assert read(bag)[0] == {"rgb": 10, "thermal": 10}


def test_the_metadata_file_means_its_folder(bag):
    assert read(bag / "metadata.yaml")[0]["rgb"] == 10


def split(tmp_path: Path, names: tuple[str, ...], storage: str = "mcap") -> Path:
    """Parts of 5 pairs each, without metadata, named so, the first name recorded first."""
    out = tmp_path / "split"
    out.mkdir()
    for number, name in enumerate(names):
        part = write_pairs(tmp_path / f"p{number}", 5, storage=storage, first=5 * number)
        shutil.copy(storage_file(part), out / f"{name}{storage_file(part).suffix}")
    return out


@pytest.mark.parametrize("storage", STORAGES)
def test_parts_without_metadata_are_read_in_the_order_of_recording(tmp_path, storage):
    counts, recording = read(split(tmp_path, ("run_9", "run_10", "run_2"), storage))
    assert counts == {"rgb": 15, "thermal": 15}
    stamps = [event.frame.stamp_ns for event in recording if event.camera == "rgb"]
    assert stamps == sorted(stamps)
    assert any("were taken as files of one recording" in note for note in recording.notes)


def test_files_of_several_recordings_are_not_mixed(tmp_path):
    with pytest.raises(RecordingError, match=r"wanted one, got.*ros2 bag reindex"):
        open_recording(split(tmp_path, ("monday", "tuesday")))


def test_a_missing_and_an_unlisted_part_are_named(tmp_path):
    out = split(tmp_path, ("run_0", "run_1"))
    listed = {"relative_file_paths": ["run_0.mcap", "run_2.mcap"]}
    (out / "metadata.yaml").write_text(yaml.safe_dump({"rosbag2_bagfile_information": listed}))
    counts, recording = read(out)
    assert counts["rgb"] == 5
    said = " ".join(recording.damage)
    assert "run_2.mcap is missing" in said
    assert "run_1.mcap lies beside it but metadata.yaml does not list it" in said


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("alone", [False, True])
def test_compressed_files_are_read_without_metadata(tmp_path, storage, alone):
    file = storage_file(write_pairs(tmp_path / "bag", storage=storage))
    packed = tmp_path / "packed" / f"{file.name}.zstd"
    packed.parent.mkdir()
    packed.write_bytes(zstandard.compress(file.read_bytes()))
    counts, recording = read(packed if alone else packed.parent)
    assert counts == {"rgb": 10, "thermal": 10}
    recording.close()


@pytest.mark.parametrize(
    ("name", "data", "remedy"),
    [
        ("a.mcap", b"", "empty (0 bytes)"),
        ("a.mcap", b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        ("a.bag", b"#ROSBAG V1.2\n", "rosbag fix"),
        ("a.db3", b"\x1f\x8b\x08\x00" + bytes(9), "gunzip"),
        ("a.mcap", b"PK\x03\x04" + bytes(9), "unzip"),
        ("a.db3", b"\x04\x22\x4d\x18" + bytes(9), "unlz4"),
        ("a.bag", b"nothing that we know", "begins like no"),
    ],
)
def test_files_that_are_no_bag_are_called_what_they_are(tmp_path, name, data, remedy):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RecordingError) as told:
        open_recording(tmp_path / name)
    assert remedy in str(told.value)
    assert "damaged" not in str(told.value)


def test_content_goes_before_the_suffix(tmp_path):
    file = storage_file(write_pairs(tmp_path / "bag", storage="sqlite3"))
    wrong = file.rename(tmp_path / "run.mcap")
    assert read(wrong)[0]["rgb"] == 10


@pytest.mark.parametrize("name", ["run #3", "a?b=1", "50%41", "Größe 測試", "a b&c;d"])
@pytest.mark.parametrize("metadata", [True, False])
@pytest.mark.parametrize("storage", STORAGES)
def test_any_path_is_read_and_no_file_appears_beside_it(tmp_path, storage, name, metadata):
    bag = write_pairs(tmp_path / "bag", storage=storage).rename(tmp_path / name)
    if not metadata:
        (bag / "metadata.yaml").unlink()
    before = sorted(tmp_path.rglob("*"))
    assert read(bag)[0] == {"rgb": 10, "thermal": 10}
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["x#y", "what?", "5%20"])
def test_a_path_that_sqlite_would_misread_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(RecordingError, match="--storage mcap"):
        write_pairs(tmp_path / name, storage="sqlite3")
    assert list(tmp_path.iterdir()) == []
    assert read(write_pairs(tmp_path / name))[0]["rgb"] == 10


def logged(tmp_path: Path, name: str, checkpoint: int) -> Path:
    """A database of 10 pairs whose newest rows lie in its write-ahead log."""
    source = sqlite3.connect(storage_file(write_pairs(tmp_path / "bag", storage="sqlite3")))
    live = sqlite3.connect(tmp_path / "live.db3", isolation_level=None)
    live.execute("PRAGMA journal_mode=WAL")
    live.execute("PRAGMA wal_autocheckpoint=1000000")
    for (sql,) in source.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"):
        live.execute(sql)
    for table in ("schema", "topics", "message_definitions", "messages"):
        for number, row in enumerate(source.execute(f"SELECT * FROM {table}").fetchall()):
            live.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)
            if table == "messages" and number + 1 == checkpoint:
                live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    out = tmp_path / name
    out.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"live.db3{suffix}", out / f"run.db3{suffix}")
    live.close()
    source.close()
    return out


def test_the_write_ahead_log_is_read_and_left_as_it_is(tmp_path):
    bag = logged(tmp_path, "run #1", 6)
    before = {p.name: p.read_bytes() for p in bag.iterdir()}
    counts, recording = read(bag)
    assert counts == {"rgb": 10, "thermal": 10}
    assert any("run.db3-wal holds the newest messages" in note for note in recording.notes)
    recording.close()
    assert {p.name: p.read_bytes() for p in bag.iterdir()} == before


def test_the_log_beside_a_link_s_target_is_read(tmp_path):
    """Stores that keep contents by digest hand out links."""
    bag, links = logged(tmp_path, "run", 6), tmp_path / "links"
    links.mkdir()
    (links / "bag.db3").symlink_to(bag / "run.db3")
    assert read(links)[0] == {"rgb": 10, "thermal": 10}


def write_mcap(path: Path, *, profile: str = "ros2", chunks: bool = True, **extra) -> Path:
    """An mcap written record by record; ``extra``: a channel as topic, type, schema, messages."""
    types = bag_types()
    make = MessageMaker(types)
    text = types.generate_msgdef(IMAGE, ros_version=2)[0].encode()
    with path.open("wb") as stream:
        writer = Writer(stream, use_chunking=chunks)
        writer.start(profile=profile, library="test")
        schema = writer.register_schema(IMAGE, "ros2msg", text)
        channels = [writer.register_channel(topic, "cdr", schema) for topic in (RGB, THERMAL)]
        second = writer.register_channel(RGB, "cdr", schema, {"driver": "restarted"})
        if extra:
            other = writer.register_schema(extra["kind"], extra["form"], extra["schema"])
            channel = writer.register_channel(extra["topic"], extra["encoding"], other)
        for index in range(10):
            t = T0 + index * STEP
            images = (
                raw_image(make, picture(index, 3), "rgb8", t),
                raw_image(make, picture(index), "mono8", t),
            )
            rgb = channels[0] if index < 4 else second
            for number, message in zip((rgb, channels[1]), images, strict=True):
                writer.add_message(number, t, bytes(types.serialize_cdr(message, IMAGE)), t)
            if extra:
                writer.add_message(channel, t, extra["data"], t)
        writer.finish()
    return path


@pytest.mark.parametrize("chunks", [True, False])
@pytest.mark.parametrize("profile", ["", "ros2", "px4"])
def test_two_channels_of_a_topic_are_one_stream_whatever_the_profile(tmp_path, profile, chunks):
    counts, recording = read(write_mcap(tmp_path / "a.mcap", profile=profile, chunks=chunks))
    assert counts == {"rgb": 10, "thermal": 10}
    assert recording.frames == counts
    assert recording.damage == []


@pytest.mark.parametrize(
    "extra",
    [
        {"kind": "note", "form": "jsonschema", "schema": b"{}", "encoding": "json"},
        {"kind": "pkg.Msg", "form": "protobuf", "schema": b"\x0a\x00", "encoding": "protobuf"},
        {"kind": "a/msg/B", "form": "ros2msg", "schema": b"}{ no message", "encoding": "cdr"},
        {
            "kind": "a/msg/Own",
            "form": "ros2msg",
            "schema": b"std_msgs/Header header\n" + b"=" * 80 + b"\nMSG: std_msgs/Header\nint8 x\n",
            "encoding": "cdr",
        },
    ],
    ids=["json", "protobuf", "garbage", "own Header"],
)
def test_channels_beside_the_images_do_not_matter(tmp_path, extra):
    data = json.dumps({}).encode()
    counts, recording = read(write_mcap(tmp_path / "a.mcap", topic="/other", data=data, **extra))
    assert counts == {"rgb": 10, "thermal": 10}
    assert recording.damage == []


def test_images_coded_as_video_are_named_with_the_way_to_decode_them(tmp_path):
    from .small_bags import BagFile

    with BagFile(tmp_path / "bag") as bag:
        make = bag.make
        for index in range(2):
            bag.put(
                "/imu/temperature",
                "std_msgs/msg/Float32",
                make("std_msgs/msg/Float32", data=1.0),
                T0 + index,
            )
    with pytest.raises(RecordingError, match="no image topic, wanted sensor_msgs/msg/Image"):
        open_recording(tmp_path / "bag")


def test_rates_and_length_are_those_of_the_cameras_not_of_the_bag(tmp_path):
    from .small_bags import BagFile

    with BagFile(tmp_path / "bag") as bag:
        note = bag.make("std_msgs/msg/Float32", data=1.0)
        bag.put("/early", "std_msgs/msg/Float32", note, T0 - 3600 * 10**9)
        for index in [*range(10), *range(300, 310)]:  # a gap of half a minute
            put_rgb(bag, index)
        for index in range(305, 310):
            put_thermal(bag, index)
        bag.put("/late", "std_msgs/msg/Float32", note, T0 + 3600 * 10**9)
    recording = open_recording(tmp_path / "bag")
    assert recording.duration_ns == 309 * STEP
    assert recording.fps == {"rgb": pytest.approx(10.0), "thermal": pytest.approx(10.0)}


def test_the_rate_of_nothing_is_one():
    import numpy as np

    assert frame_rate(np.zeros(0, np.int64)) == 1.0
    assert frame_rate(np.array([5, 5], np.int64)) == 1.0


@pytest.mark.parametrize(
    ("storage", "keep"), [("mcap", 0.97), ("sqlite3", 0.3), ("sqlite3", 0.6), ("sqlite3", 0.95)]
)
def test_of_a_cut_file_what_is_left_is_read_and_the_rest_counted(tmp_path, storage, keep):
    bag = write_pairs(tmp_path / "bag", 200, storage=storage)
    file = storage_file(bag)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * keep)])
    counts, recording = read(bag)
    lost = 400 - sum(counts.values())
    said = " ".join(recording.damage)
    assert lost == 0 or f"{lost} messages" in said
    assert sum(counts.values()) > 0 or not lost


def test_a_pass_that_is_left_early_forgets_no_damage(tmp_path):
    bag = write_pairs(tmp_path / "bag")
    file = storage_file(bag)
    file.write_bytes(file.read_bytes()[:-20])
    recording = open_recording(bag)
    before = recording.damage
    assert "ends in the middle of a record" in before[0]
    next(iter(recording))
    assert recording.damage == before
