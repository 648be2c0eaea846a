"""Which topics are taken as the cameras: content before names, and the reason said."""

from __future__ import annotations

import pytest

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.bag_messages import COMPRESSED, IMAGE
from mdacl_tools.recordings.bag_topics import BagTopic, choose_topics


def topic(name: str, encoding: str, count: int = 5) -> BagTopic:
    return BagTopic(name, COMPRESSED if name.endswith("compressed") else IMAGE, encoding, count)


@pytest.mark.parametrize(
    ("rgb", "thermal"),
    [
        (("/flir_bfs/image_raw", "bayer_grbg8"), ("/lepton/image", "16UC1")),
        (("/flir/colour/image_raw", "bgr8"), ("/flir/ir/image_raw", "mono8")),
        (("/thermal_rig/eo/image", "yuv422_yuy2"), ("/thermal_rig/lwir/image", "mono16")),
        (("/ir_and_rgb/camera/image", "rgb8"), ("/boson640/image", "mono8")),
        (("/blackfly/image", "rgb8"), ("/flir/image", "rgb8")),
        (("/visible/image_raw/compressed", "rgb8"), ("/cam2/image_raw/compressed", "mono16")),
        (("/thermal/image", "bgr16"), ("/rgb/image", "32FC1")),  # named the wrong way round
        (("/usb_cam/image", "mono8"), ("/optris/thermal_image", "mono16")),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_content_and_the_last_part_of_the_name_tell_them_apart(rgb, thermal, swapped):
    topics = [topic(*rgb), topic(*thermal)]
    choice = choose_topics("bag", topics[::-1] if swapped else topics)
    assert choice.topics == {"rgb": rgb[0], "thermal": thermal[0]}
    (reason,) = choice.reasons
    assert rgb[0] in reason
    assert thermal[0] in reason


@pytest.mark.parametrize(
    "names",
    [
        [("/a/image", "bayer_rggb8"), ("/b/image", "bayer_rggb8"), ("/t/image", "16UC1")],
        [("/front/thermal", "mono8"), ("/rear/thermal", "mono8"), ("/rgb", "rgb8")],
        [("/left", "mono8"), ("/right", "mono8")],
    ],
)
def test_what_cannot_be_told_is_asked(names):
    with pytest.raises(RecordingError, match="--rgb-topic and --thermal-topic"):
        choose_topics("bag", [topic(*row) for row in names])


def test_a_topic_without_messages_is_no_camera():
    topics = [topic("/rgb/image", "", 0), topic("/cam/image", "rgb8"), topic("/ir", "mono8")]
    assert choose_topics("bag", topics).topics["rgb"] == "/cam/image"
    with pytest.raises(RecordingError, match="rgb topic /rgb/image holds no message"):
        choose_topics("bag", topics, rgb="/rgb/image")


@pytest.mark.parametrize(
    ("name", "msgtype", "transport"),
    [
        ("/rgb/ffmpeg", "ffmpeg_image_transport_msgs/msg/FFMPEGPacket", "ffmpeg"),
        ("/rgb/theora", "theora_image_transport/msg/Packet", "theora"),
        ("/video", "foxglove_msgs/msg/CompressedVideo", "ffmpeg"),
    ],
)
def test_video_topics_are_named_with_the_way_to_decode_them(name, msgtype, transport):
    with pytest.raises(RecordingError, match=f"republish.*in_transport:={transport}"):
        choose_topics("bag", [BagTopic(name, msgtype, "", 9, readable=False)])


def test_one_topic_cannot_be_both_cameras():
    with pytest.raises(RecordingError, match="one topic for both cameras"):
        choose_topics("bag", [topic("/cam", "mono8")], rgb="/cam", thermal="/cam")
