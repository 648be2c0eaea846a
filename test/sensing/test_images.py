"""Decoding: the pixels of rosbags-image, no copy where none is needed, bad messages named."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from rosbags.image import compressed_image_to_cvimage, image_to_cvimage

from mdacl_ros.errors import ImageError
from mdacl_ros.sensing.images import decode_compressed, decode_image, image_frame

HEIGHT, WIDTH = 12, 20
BAYER = [f"bayer_{order}{bits}" for order in ("rggb", "bggr", "gbrg", "grbg") for bits in (8, 16)]
LAYOUTS = {
    "rgb8": (1, 3), "bgr8": (1, 3), "rgba8": (1, 4), "bgra8": (1, 4), "mono8": (1, 1),
    "rgb16": (2, 3), "bgr16": (2, 3), "rgba16": (2, 4), "bgra16": (2, 4), "mono16": (2, 1),
    "uyvy": (1, 2), "yuv422": (1, 2), "yuyv": (1, 2), "yuv422_yuy2": (1, 2),
    "nv12": (1, 1), "nv21": (1, 1),
    **{name: (2 if name.endswith("16") else 1, 1) for name in BAYER},
}  # fmt: skip


def message(encoding: str, item: int, channels: int, padding: int = 0, big: bool = False):
    """An Image message with random pixels; rows padded by ``padding`` bytes."""
    rows = HEIGHT * 3 // 2 if encoding.startswith("nv") else HEIGHT
    step = WIDTH * item * channels + padding
    data = np.random.default_rng(5).integers(0, 256, (rows, step)).astype(np.uint8)
    return SimpleNamespace(
        header=SimpleNamespace(stamp=SimpleNamespace(sec=12, nanosec=34), frame_id="cam"),
        encoding=encoding,
        height=HEIGHT,
        width=WIDTH,
        step=step,
        is_bigendian=int(big),
        data=data.ravel(),
    )


def decode(image, camera="rgb"):
    return decode_image(
        image.data,
        image.encoding,
        image.height,
        image.width,
        image.step,
        image.is_bigendian,
        camera,
    )


def reference(image, wanted: str = "rgb8"):
    """rosbags-image's answer; it knows no padding and counts the rows of all planes."""
    row = image.step - image.padding if hasattr(image, "padding") else image.step
    rows = len(image.data) // image.step
    plain = SimpleNamespace(**{**vars(image), "height": rows})
    plain.data = np.ascontiguousarray(image.data.reshape(rows, image.step)[:, :row]).ravel()
    return image_to_cvimage(plain, wanted)


@pytest.mark.parametrize("encoding", LAYOUTS)
@pytest.mark.parametrize("padding", [0, 12])
@pytest.mark.parametrize("big", [False, True])
def test_pixels_equal_those_of_rosbags_image(encoding, padding, big):
    image = message(encoding, *LAYOUTS[encoding], padding, big)
    image.padding = padding
    pixels = decode(image)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == reference(image)).all()


@pytest.mark.parametrize(
    ("encoding", "dtype"),
    [("mono8", "u1"), ("8UC1", "u1"), ("mono16", "u2"), ("16UC1", "u2"), ("32FC1", "f4")],
)
@pytest.mark.parametrize("big", [False, True])
def test_thermal_keeps_its_raw_unit(encoding, dtype, big):
    image = message(encoding, np.dtype(dtype).itemsize, 1, padding=8, big=big)
    pixels = decode(image, "thermal")
    assert pixels.dtype == np.dtype(dtype)
    rows = image.data.reshape(HEIGHT, -1)[:, :-8]
    assert (
        pixels.tobytes() == rows.copy().view((">" if big else "<") + dtype).astype(dtype).tobytes()
    )


@pytest.mark.parametrize(
    ("encoding", "camera"), [("rgb8", "rgb"), ("mono8", "thermal"), ("16UC1", "thermal")]
)
def test_what_needs_no_conversion_is_not_copied(encoding, camera):
    item, channels = LAYOUTS.get(encoding, (2, 1))
    image = message(encoding, item, channels, padding=4)
    assert np.shares_memory(decode(image, camera), image.data)


@pytest.mark.parametrize("container", [bytes, bytearray, memoryview])
def test_any_container_of_bytes_will_do(container):
    image = message("rgb8", 1, 3)
    wanted = decode(image)
    image.data = container(image.data.tobytes())
    assert (decode(image) == wanted).all()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"encoding": "64FC3"}, "'64FC3': not supported, wanted one of rgb8"),
        ({"height": 0}, "got size 20x0"),
        ({"width": 1 << 30}, "got size 1073741824x12, wanted 1x1 up to 16384"),
        ({"height": 16_000, "width": 16_000}, "64000000 pixels"),
        ({"step": 59}, "got step 59, wanted at least 60"),
        ({"step": 64}, "got 720 bytes, wanted 768"),
        ({"height": 13}, "got 720 bytes, wanted 780"),
        ({"height": 11}, "got 720 bytes, wanted 660"),
        ({"encoding": "rgb16"}, "got step 60, wanted at least 120"),
        ({"encoding": "yuv422", "width": 19}, "got size 19x12, wanted even sides"),
    ],
)
def test_bad_messages_are_named(change, text):
    image = message("rgb8", 1, 3)
    vars(image).update(change)
    with pytest.raises(ImageError, match=text):
        decode(image)


def test_a_step_between_samples_is_refused():
    image = message("16UC1", 2, 1, padding=1)
    with pytest.raises(ImageError, match="multiple of 2"):
        decode(image, "thermal")


def test_a_colour_encoding_from_the_thermal_camera_must_be_grey():
    image = message("rgb8", 1, 3)
    with pytest.raises(ImageError, match="palette"):
        decode(image, "thermal")
    grey = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 1)).astype(np.uint8)
    image.data = np.repeat(grey, 3, axis=2).ravel()
    assert (decode(image, "thermal") == grey[..., 0]).all()
    assert image_frame(image, "thermal").encoding == "mono8"


def photo(channels: int) -> np.ndarray:
    noise = np.random.default_rng(1).integers(0, 255, (6, 8, channels)).astype(np.uint8)
    return np.squeeze(cv2.resize(noise, (64, 48), interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_compressed_colour_equals_rosbags_image(suffix):
    data = cv2.imencode(suffix, photo(3))[1]
    pixels = decode_compressed(data.tobytes(), "bgr8; compressed", "rgb")
    assert (pixels == compressed_image_to_cvimage(SimpleNamespace(data=data), "rgb8")).all()


def test_compressed_grey_from_a_colour_camera_becomes_rgb():
    grey = photo(1)
    pixels = decode_compressed(cv2.imencode(".png", grey)[1].tobytes(), "mono8; png", "rgb")
    assert (pixels == grey[..., None]).all()
    assert pixels.shape == (48, 64, 3)


def test_16_bit_png_keeps_its_counts():
    counts = np.random.default_rng(2).integers(0, 65535, (48, 64)).astype(np.uint16)
    data = cv2.imencode(".png", counts)[1].tobytes()
    assert (decode_compressed(data, "16UC1; png compressed", "thermal") == counts).all()


@pytest.mark.parametrize(
    ("format_", "encoding"), [("16UC1; png compressed ", "16UC1"), ("png", "mono16")]
)
def test_kelvin_is_claimed_only_where_the_format_says_so(format_, encoding):
    data = cv2.imencode(".png", np.zeros((4, 4), np.uint16))[1]
    header = SimpleNamespace(stamp=SimpleNamespace(sec=1, nanosec=2), frame_id="t")
    frame = image_frame(SimpleNamespace(header=header, format=format_, data=data), "thermal")
    assert (frame.encoding, frame.stamp_ns, frame.frame_id) == (encoding, 1_000_000_002, "t")


def test_a_grey_jpeg_preview_with_three_channels_becomes_one():
    grey = photo(1)
    data = cv2.imencode(".jpg", np.repeat(grey[..., None], 3, axis=2))[1].tobytes()
    pixels = decode_compressed(data, "jpeg", "thermal")
    assert pixels.shape == (48, 64)
    assert np.abs(pixels.astype(int) - grey).mean() < 3


def bad_files() -> list[tuple[bytes, str, str]]:
    png = cv2.imencode(".png", photo(3))[1].tobytes()
    jpeg = cv2.imencode(".jpg", photo(3))[1].tobytes()
    huge = png[:16] + (1 << 30).to_bytes(4, "big") + png[20:]
    frame_start = jpeg.index(b"\xff\xc0") + 5
    huge_jpeg = jpeg[:frame_start] + b"\xff\xff\xff\xff" + jpeg[frame_start + 4 :]
    return [
        (png[:-40], "png", "cut off"),
        (jpeg[:-40], "jpeg", "cut off"),
        (b"", "jpeg", "starts with nothing"),
        (b"\x00\x00\x00\x01g" * 20, "h264", "00 00 00 01.*republish"),
        (png, "16UC1; compressedDepth png", "compressedDepth is for depth images"),
        (huge, "png", "got size 1073741824x48"),
        (huge_jpeg, "jpeg", "got size 65535x65535"),
        (png[:60] + bytes(60) + png[120:], "png", "corrupt|truncated"),
        (b"\xff\xd8\xff\xd9", "jpeg", "no image size"),
        (b"\xff\xd8" + b"\xff" * 100 + b"\xd9", "jpeg", "no image size"),
    ]


@pytest.mark.parametrize(("data", "format_", "text"), bad_files())
def test_bad_compressed_data_is_named(data, format_, text):
    with pytest.raises(ImageError, match=text):
        decode_compressed(data, format_, "rgb")


def test_a_frame_keeps_stamp_and_frame_id():
    frame = image_frame(message("bgr8", 1, 3), "rgb")
    assert (frame.stamp_ns, frame.frame_id, frame.encoding) == (12_000_000_034, "cam", "rgb8")
