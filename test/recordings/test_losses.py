"""What was lost or guessed reaches the person, with its cause, in every command alike."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mdacl_ros.errors import RecordingError
from mdacl_tools.cli.main import main
from mdacl_tools.recordings.bag_messages import COMPRESSED, IMAGE
from mdacl_tools.recordings.input_options import exit_code, input_remarks
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.recordings.videos import VideoRecording

from .datasets import trees
from .small_bags import (
    RGB,
    STEP,
    T0,
    THERMAL,
    compressed,
    picture,
    put_rgb,
    raw_image,
    write_pairs,
)


def passed(path: Path, **options: object):
    """A recording after a pass."""
    recording = open_recording(path, **options)  # type: ignore[arg-type]
    for _ in recording:
        pass
    return recording


def put_jpeg(bag, index: int, cut: bool) -> None:
    t = T0 + index * STEP
    data = cv2.imencode(".jpg", picture(index, 3))[1].tobytes()
    data = data[:-9] if cut else data
    bag.put(f"{RGB}/compressed", COMPRESSED, compressed(bag.make, data, "jpeg", t), t)


def put_encoding(encoding: str, every: int = 1):
    """Colour images, of which every n-th has another encoding in its header."""

    def put(bag, index: int) -> None:
        if index % every:
            return put_rgb(bag, index)
        t = T0 + index * STEP
        bag.put(RGB, IMAGE, raw_image(bag.make, picture(index, 3), encoding, t), t)
        return None

    return put


def test_one_cut_image_is_left_out_and_named(tmp_path):
    bag = write_pairs(tmp_path / "bag", rgb=lambda b, i: put_jpeg(b, i, i == 4))
    recording = passed(bag)
    assert recording.losses.counts == {"rgb": 1}
    (line,) = recording.losses.sentences()
    assert line.startswith(f"1 rgb images unreadable: topic {RGB}/compressed")
    assert "cut off" in line
    assert exit_code(recording) == 0


@pytest.mark.parametrize(
    ("encoding", "said"), [("rgb565", "'rgb565': not supported"), ("16UC1", "'16UC1': not")]
)
def test_the_first_error_of_each_kind_is_kept_with_its_count(tmp_path, encoding, said):
    bag = write_pairs(tmp_path / "bag", rgb=put_encoding(encoding, every=3))
    recording = passed(bag, rgb_topic=RGB, thermal_topic=THERMAL)
    (cause,) = recording.losses.causes
    assert (cause.count, cause.camera) == (4, "rgb")
    assert said in cause.first
    assert recording.losses.read == {"rgb": 6, "thermal": 10}


def test_a_camera_without_a_readable_image_is_exit_code_3_in_convert(tmp_path, capsys):
    bag = write_pairs(tmp_path / "bag", rgb=put_encoding("rgb565"))
    out = tmp_path / "out"
    assert main(["convert", "recording", str(bag), str(out)]) == 3
    said = capsys.readouterr().err
    assert f"10 rgb images unreadable: topic {RGB}" in said
    assert "no rgb image could be read" in said
    assert "swap" not in said


def test_exchanged_topics_are_called_so(tmp_path, capsys):
    def red(bag, index: int) -> None:
        t = T0 + index * STEP
        pixels = np.zeros((12, 16, 3), np.uint8)
        pixels[..., 0] = 200
        bag.put(RGB, IMAGE, raw_image(bag.make, pixels, "rgb8", t), t)

    bag = write_pairs(tmp_path / "bag", rgb=red)
    swapped = ["--rgb-topic", THERMAL, "--thermal-topic", RGB]
    assert main(["convert", "recording", str(bag), str(tmp_path / "out"), *swapped]) == 3
    assert "look exchanged: swap --rgb-topic and --thermal-topic" in capsys.readouterr().err


@pytest.mark.parametrize("cameras", [("rgb",), ("thermal",), ("rgb", "thermal")])
def test_images_without_stamps_get_their_log_times(tmp_path, cameras):
    def zero(camera: str, channels: int, topic: str, encoding: str):
        def put(bag, index: int) -> None:
            t = T0 + index * STEP
            stamp = 0 if camera in cameras else t
            pixels = picture(index, channels)
            bag.put(topic, IMAGE, raw_image(bag.make, pixels, encoding, stamp), t)

        return put

    bag = write_pairs(
        tmp_path / "bag",
        rgb=zero("rgb", 3, RGB, "rgb8"),
        thermal=zero("thermal", 1, THERMAL, "mono8"),
    )
    recording = passed(bag)
    assert [e.frame.stamp_ns for e in recording] == [e.time_ns for e in recording]
    notes = " ".join(recording.notes)
    assert all(f"10 {camera} images have stamp 0" in notes for camera in cameras)


@pytest.mark.parametrize("offset_s", [-3.2, 37.0, -1.7e9])
def test_clocks_that_differ_are_named_with_the_value_to_give(tmp_path, offset_s):
    def late(bag, index: int) -> None:
        t = T0 + index * STEP
        stamp = t + round(offset_s * 1e9)
        bag.put(THERMAL, IMAGE, raw_image(bag.make, picture(index), "mono8", stamp), t)

    recording = passed(write_pairs(tmp_path / "bag", thermal=late))
    said = " ".join(input_remarks(recording, 0.0))
    assert f"--thermal-clock-offset {-offset_s:.3f}" in said
    assert "--thermal-clock-offset" not in " ".join(input_remarks(recording))
    assert "thermal stamps are" not in " ".join(input_remarks(recording, -offset_s))


def video(path: Path, count: int, *, palette: bool = False, code: str = "MJPG") -> Path:
    """A video of a moving block."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 10, (64, 48))
    for index in range(count):
        grey = np.full((48, 64), 60, np.uint8)
        grey[10:30, index % 40 : index % 40 + 12] = 220
        colour = cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)
        writer.write(colour if palette else cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def test_a_video_that_ends_before_it_says_is_damaged(tmp_path):
    sound = VideoRecording(video(tmp_path / "a.mkv", 40), video(tmp_path / "b.mkv", 40))
    assert len(list(sound)) == 80
    assert sound.damage == []
    data = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(data[: len(data) // 2])
    cut = VideoRecording(tmp_path / "a.mkv", tmp_path / "b.mkv")
    frames = sum(event.camera == "rgb" for event in cut)
    if cut.frames["rgb"] <= frames:
        pytest.skip("this OpenCV counts the frames of a cut file")
    assert cut.damage[0].startswith(f"a.mkv: {frames} of the {cut.frames['rgb']} frames")
    assert exit_code(cut) == 3


def test_a_thermal_video_in_palette_colours_is_not_taken_for_grey(tmp_path):
    files = video(tmp_path / "a.avi", 5), video(tmp_path / "b.avi", 5, palette=True)
    recording = VideoRecording(*files)
    assert {event.camera for event in recording} == {"rgb"}
    assert "5 thermal images unreadable: video b.avi" in recording.losses.sentences()[0]
    assert exit_code(recording) == 3


def test_a_byte_order_mark_is_skipped_and_noted(tmp_path):
    root = trees.coco_pairs(tmp_path, ("test",))
    file = root / "test.json"
    file.write_text(file.read_text(), encoding="utf-8-sig")
    assert any("byte order mark" in note for note in passed(root).notes)


def test_thermal_images_of_a_data_set_in_palette_colours_are_refused(tmp_path):
    root = trees.coco_pairs(tmp_path, ("test",))
    image = next((root / "thermal").glob("test_*"))
    grey = cv2.resize(np.arange(256, dtype=np.uint8).reshape(16, 16), (64, 48))
    cv2.imwrite(str(image), cv2.applyColorMap(grey, cv2.COLORMAP_JET))
    with pytest.raises(RecordingError, match=r"palette colours.*data check"):
        passed(root)


def test_turned_images_are_read_as_they_are_stored_and_counted(tmp_path):
    from PIL import Image

    root = trees.llvip(tmp_path)
    for file in (root / "visible" / "test").iterdir():
        with Image.open(file) as image:
            size, exif = image.size, image.getexif()
            exif[0x0112] = 8
            image.save(file, exif=exif)
    recording = passed(root, split="test")
    rgb = next(event.frame.image for event in recording if event.camera == "rgb")
    assert (rgb.shape[1], rgb.shape[0]) == size
    assert any("EXIF orientation" in note for note in passed(root, split="test").notes)
