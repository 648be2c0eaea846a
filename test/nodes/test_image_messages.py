"""What the callback does at once, what is left to the inference thread, and what is done twice."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest

from mdacl_ros.errors import ImageError
from mdacl_ros.nodes import messages
from mdacl_ros.nodes.image_messages import FrameDecoder, HeldFrame, hold
from mdacl_ros.sensing import images
from mdacl_ros.sensing.camera_info import images_of
from mdacl_ros.types import FramePair, Modality

HEIGHT, WIDTH = 12, 16
RNG = np.random.default_rng(3)


def raw(encoding: str, channels: int, item: int = 1, big: bool = False) -> Image:
    step = WIDTH * channels * item
    return Image(
        header=messages.to_header(5, "cam"),
        encoding=encoding,
        height=HEIGHT,
        width=WIDTH,
        step=step,
        is_bigendian=int(big),
        data=RNG.integers(0, 256, HEIGHT * step, dtype=np.uint8).tobytes(),
    )


def png(image: np.ndarray) -> CompressedImage:
    data = cv2.imencode(".png", image)[1].tobytes()
    return CompressedImage(header=messages.to_header(5, "cam"), format="png", data=data)


@pytest.fixture
def rejected() -> list[tuple[Modality, ImageError]]:
    return []


@pytest.fixture
def decoder(rejected: list[tuple[Modality, ImageError]]) -> FrameDecoder:
    return FrameDecoder(lambda camera, error: rejected.append((camera, error)))


@pytest.mark.parametrize(
    ("camera", "encoding", "channels", "item"),
    [("rgb", "rgb8", 3, 1), ("thermal", "mono8", 1, 1), ("thermal", "16UC1", 1, 2),
     ("thermal", "32FC1", 1, 4)],
)  # fmt: skip
def test_what_needs_no_conversion_is_viewed_at_once(
    camera: Modality, encoding: str, channels: int, item: int
) -> None:
    message = raw(encoding, channels, item)
    frame = hold(message, camera)
    assert not isinstance(frame, HeldFrame)
    assert np.shares_memory(frame.image, np.frombuffer(message.data, np.uint8))


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        ("rgb", raw("bgr8", 3)),
        ("rgb", raw("yuv422_yuy2", 2)),
        ("rgb", raw("bayer_rggb8", 1)),
        ("rgb", raw("mono8", 1)),
        ("thermal", raw("mono16", 1, 2, big=True)),
    ],
)
def test_conversion_is_left_to_the_inference_thread(
    camera: Modality, message: Image, decoder: FrameDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(images, "to_rgb8", lambda *_: pytest.fail("converted in the callback"))
        frame = hold(message, camera)
    assert isinstance(frame, HeldFrame)
    assert np.shares_memory(frame.image, np.frombuffer(message.data, np.uint8))
    rgb, thermal = (frame, None) if camera == "rgb" else (None, frame)
    decoded = decoder.decode(FramePair(rgb, thermal, 5))
    got = decoded.rgb if camera == "rgb" else decoded.thermal
    wanted = images.image_frame(message, camera)
    assert got is not None
    assert np.array_equal(got.image, wanted.image)
    assert (got.encoding, got.stamp_ns, got.frame_id) == (wanted.encoding, 5, "cam")


def test_a_bad_image_that_needs_conversion_is_still_refused_at_once() -> None:
    message = raw("bgr8", 3)
    message.step = 17
    with pytest.raises(ImageError, match="step 17"):
        hold(message, "rgb")


@pytest.mark.parametrize(
    ("info", "size"),
    [
        (CameraInfo(width=640, height=480), (640, 480)),
        (CameraInfo(width=640, height=480, binning_x=2, binning_y=2), (320, 240)),
        (
            CameraInfo(width=640, height=480, roi=RegionOfInterest(width=400, height=300)),
            (400, 300),
        ),
    ],
)
def test_camera_info_tells_the_size_of_the_images(info: CameraInfo, size: tuple[int, int]) -> None:
    assert images_of(info) == size


def test_a_frame_that_serves_several_pairs_is_decoded_once(decoder: FrameDecoder) -> None:
    thermal = hold(png(RNG.integers(0, 2**14, (HEIGHT, WIDTH), np.uint16)), "thermal")
    first, second = (
        decoder.decode(FramePair(hold(raw("rgb8", 3), "rgb"), thermal, stamp)) for stamp in (5, 6)
    )
    assert first.thermal is not None
    assert first.thermal.image.dtype == np.uint16
    assert second.thermal is first.thermal  # Perception normalises it once too
    other = hold(png(np.zeros((HEIGHT, WIDTH), np.uint8)), "thermal")
    assert decoder.decode(FramePair(None, other, 7)).thermal is not first.thermal


def test_a_broken_file_is_rejected_once_and_counts_as_absent(
    decoder: FrameDecoder, rejected: list[tuple[Modality, ImageError]]
) -> None:
    broken = hold(CompressedImage(format="png", data=b"nonsense"), "thermal")
    rgb = hold(raw("rgb8", 3), "rgb")
    for stamp in (5, 6):
        decoded = decoder.decode(FramePair(rgb, broken, stamp, skew_ns=9))
        assert decoded.rgb is rgb
        assert decoded.thermal is None
        assert decoded.skew_ns == 0
    assert [camera for camera, _ in rejected] == ["thermal"]
