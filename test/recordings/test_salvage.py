"""Damaged bags: what was readable is read, and what is lost is said."""

import sqlite3

import pytest
import yaml
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.bag_messages import bag_types
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.bags import BagRecording
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording

SOURCE = SyntheticRecording(RigFaults(duration_s=3.0, rgb_size=(320, 240), thermal_size=(160, 120)))


def stamps(recording) -> list[tuple[str, int]]:
    return [(event.camera, event.frame.stamp_ns) for event in recording]


@pytest.fixture
def bag(tmp_path):
    write_bag(SOURCE, tmp_path / "bag")
    return tmp_path / "bag"


def mcap_of(bag):
    (file,) = bag.glob("*.mcap")
    return file


def test_a_cut_off_mcap_gives_all_before_the_cut(bag) -> None:
    whole = stamps(BagRecording(bag))
    data = mcap_of(bag).read_bytes()
    mcap_of(bag).write_bytes(data[: len(data) * 6 // 10])
    left = BagRecording(bag)
    found = stamps(left)
    assert found == whole[: len(found)]
    assert len(whole) // 3 < len(found) < len(whole)
    assert sum(left.frames.values()) == len(found)
    text = " ".join(left.damage)
    assert "ends in the middle of a record" in text
    lost = SOURCE.frames["rgb"] - left.frames["rgb"]
    assert f"{lost} of {SOURCE.frames['rgb']} /rgb/image_raw" in text
    assert stamps(left) == found  # a second pass


def test_without_metadata_it_is_said_that_the_loss_is_unknown(bag) -> None:
    data = mcap_of(bag).read_bytes()
    mcap_of(bag).write_bytes(data[:-20])
    (bag / "metadata.yaml").unlink()
    left = BagRecording(mcap_of(bag))
    assert left.frames == SOURCE.frames  # only the index at the end was cut
    assert "not known: the bag has no metadata.yaml" in left.damage[-1]


def test_a_broken_chunk_costs_only_itself(bag, tmp_path) -> None:
    """Zstd chunks, one of them overwritten: found while reading, the rest still comes."""
    packed = tmp_path / "packed"
    repack(bag, packed, CompressionMode.STORAGE)
    whole = stamps(BagRecording(packed))
    assert whole == stamps(BagRecording(bag))
    data = bytearray(mcap_of(packed).read_bytes())
    first = data.index(b"\x28\xb5\x2f\xfd", len(data) // 20)  # zstd's magic
    data[first : first + 64] = bytes(64)
    mcap_of(packed).write_bytes(data)
    left = BagRecording(packed)
    found = stamps(left)
    assert 0 < len(found) < len(whole)
    assert [item for item in whole if item in set(found)] == found
    assert found[-1] == whole[-1]
    assert any("1 broken chunks were left out" in line for line in left.damage)


def repack(bag, out, mode) -> None:
    """Copy a bag with compression."""
    source = BagRecording(bag)
    plugin = StoragePlugin.SQLITE3 if "sqlite3" in out.name else StoragePlugin.MCAP
    writer = Writer(out, version=9, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        container, made = source._bag, {}
        topics = {channel.topic for channel in container.channels}
        for channel, time_ns, raw in container.messages(topics):
            if channel.topic not in made:
                made[channel.topic] = writer.add_connection(
                    channel.topic, channel.msgtype, typestore=bag_types()
                )
            writer.write(made[channel.topic], time_ns, raw)


@pytest.mark.parametrize("name", ["mcap", "sqlite3"])
@pytest.mark.parametrize("mode", [CompressionMode.FILE, CompressionMode.MESSAGE])
def test_compressed_bags_are_read(bag, tmp_path, name, mode) -> None:
    out = tmp_path / f"{name}_{mode.name}"
    repack(bag, out, mode)
    assert stamps(BagRecording(out)) == stamps(BagRecording(bag))


def test_a_torn_database_gives_its_first_rows(tmp_path) -> None:
    write_bag(SOURCE, tmp_path / "bag", storage="sqlite3")
    whole = stamps(BagRecording(tmp_path / "bag"))
    (file,) = (tmp_path / "bag").glob("*.db3")
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    left = BagRecording(tmp_path / "bag")
    found = stamps(left)
    assert 0 < len(found) < len(whole)
    assert found == whole[: len(found)]
    assert "the database is torn" in left.damage[0]


def test_images_that_cannot_be_decoded_are_counted(tmp_path) -> None:
    write_bag(SOURCE, tmp_path / "bag", storage="sqlite3", compress="png")
    (file,) = (tmp_path / "bag").glob("*.db3")
    with sqlite3.connect(file) as base:
        base.execute("UPDATE messages SET data = substr(data, 1, 200) WHERE id IN (21, 22)")
    left = BagRecording(tmp_path / "bag")
    total = sum(SOURCE.frames.values())
    assert len(stamps(left)) + sum(left.losses.counts.values()) == total
    assert 1 <= sum(left.losses.counts.values()) <= 2


def test_nothing_left_and_empty_bags_are_one_clear_line(bag, tmp_path) -> None:
    mcap_of(bag).write_bytes(mcap_of(bag).read_bytes()[:100])
    with pytest.raises(RecordingError, match="no message is left of it"):
        BagRecording(bag)
    writer = Writer(tmp_path / "empty", version=8)
    with writer:
        types = get_typestore(Stores.ROS2_HUMBLE)
        writer.add_connection("/rgb/image_raw", "sensor_msgs/msg/Image", typestore=types)
    with pytest.raises(RecordingError, match="empty"):
        BagRecording(tmp_path / "empty")


class Part(SyntheticRecording):
    """Every second of three of the source, as a recorder that splits its files has it."""

    def __init__(self, first_s: float, last_s: float) -> None:
        super().__init__(SOURCE._faults)
        self._span = first_s, last_s

    def __iter__(self):
        start = 10**9
        for event in super().__iter__():
            if self._span[0] <= (event.time_ns - start) / 1e9 < self._span[1]:
                yield event


@pytest.fixture
def split_bag(tmp_path):
    """Two files that one metadata.yaml puts together."""
    out, merged = tmp_path / "split", None
    out.mkdir()
    for number, span in enumerate(((0.0, 1.5), (1.5, 9.0))):
        write_bag(Part(*span), tmp_path / f"part{number}")
        (file,) = (tmp_path / f"part{number}").glob("*.mcap")
        file.rename(out / f"split_{number}.mcap")
        text = (tmp_path / f"part{number}" / "metadata.yaml").read_text()
        values = yaml.safe_load(text)["rosbag2_bagfile_information"]
        if merged is None:
            merged = values
            continue
        merged["message_count"] += values["message_count"]
        for row, other in zip(
            merged["topics_with_message_count"], values["topics_with_message_count"], strict=True
        ):
            assert row["topic_metadata"]["name"] == other["topic_metadata"]["name"]
            row["message_count"] += other["message_count"]
    merged["relative_file_paths"] = ["split_0.mcap", "split_1.mcap"]
    merged["duration"]["nanoseconds"] = SOURCE.duration_ns
    (out / "metadata.yaml").write_text(yaml.safe_dump({"rosbag2_bagfile_information": merged}))
    return out


def test_split_bags_are_one_recording(split_bag) -> None:
    whole = BagRecording(split_bag)
    assert whole.frames == SOURCE.frames
    assert stamps(whole) == stamps(SOURCE)
    last = split_bag / "split_1.mcap"
    last.write_bytes(last.read_bytes()[:-5000])
    left = BagRecording(split_bag)
    found = stamps(left)
    assert found == stamps(SOURCE)[: len(found)]
    assert len(found) > len(stamps(SOURCE)) // 2
    assert left.damage[0].startswith("split_1.mcap: ends in the middle")
