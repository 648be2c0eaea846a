"""The table of encodings: every row is read, or refused with the camera that has it."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mdacl_ros.errors import ImageError, ImageKindError
from mdacl_ros.sensing.encodings import ENCODINGS, find_encoding, known_encodings
from mdacl_ros.sensing.images import decode_image, image_frame, needs_conversion
from mdacl_ros.sensing.thermal.normalizer import normalize_once
from mdacl_ros.types import MODALITIES, Modality

HEIGHT, WIDTH = 8, 12


def wire(name: str, pad: int = 0, whole: bool = False) -> SimpleNamespace:
    """A message of grey pixels, 100 everywhere, in this encoding."""
    row = ENCODINGS[name]
    rows = HEIGHT * 3 // 2 if row.plane == "chroma_below" else HEIGHT
    value = 25_000 if row.itemsize > 1 else 100
    pixels = np.full((rows, WIDTH * row.channels), value, row.dtype)
    if row.plane == "chroma_below":
        pixels[HEIGHT:] = 128
    elif row.luma is not None:
        pixels[:, 1 - row.luma :: 2] = 128
    line = pixels.view(np.uint8).reshape(rows, -1)
    line = np.pad(line, ((0, 0), (0, pad)))
    stamp = SimpleNamespace(sec=1, nanosec=2)
    return SimpleNamespace(
        header=SimpleNamespace(stamp=stamp, frame_id="camera"),
        encoding=name,
        height=rows if whole else HEIGHT,
        width=WIDTH,
        step=line.shape[1],
        is_bigendian=0,
        data=line.reshape(-1),
    )


@pytest.mark.parametrize("camera", MODALITIES)
@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_is_read_or_refused_by_kind(name: str, camera: Modality) -> None:
    message = wire(name)
    if camera not in ENCODINGS[name].cameras:
        with pytest.raises(ImageKindError, match=f"{camera} image, encoding '{name}'"):
            image_frame(message, camera)
        return
    frame = image_frame(message, camera)
    assert frame.image.shape[:2] == (HEIGHT, WIDTH)
    if camera == "rgb":
        assert (frame.encoding, frame.image.dtype) == ("rgb8", np.uint8)
        assert np.ptp(frame.image) <= 1
    else:
        assert frame.image.ndim == 2
        assert normalize_once(frame.image, frame.encoding).shape == (HEIGHT, WIDTH)
        copied = not np.shares_memory(frame.image, message.data)
        assert needs_conversion(message, camera) or not copied


@pytest.mark.parametrize("name", ["nv12", "nv21", "i420", "yuv420", "yuv420p", "yv12"])
@pytest.mark.parametrize("camera", MODALITIES)
def test_planar_yuv_with_the_height_of_all_planes(name: str, camera: Modality) -> None:
    whole, plain = wire(name, whole=True), wire(name)
    np.testing.assert_array_equal(
        image_frame(whole, camera).image, image_frame(plain, camera).image
    )
    assert image_frame(whole, camera).image.shape[:2] == (HEIGHT, WIDTH)


@pytest.mark.parametrize("name", ["i420", "yv12", "nv12", "nv21"])
def test_planar_yuv_keeps_its_colours(name: str) -> None:
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[:, :6], rgb[:, 6:] = (200, 40, 40), (30, 60, 190)
    i420 = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    luma, chroma = i420[:HEIGHT], i420[HEIGHT:].reshape(2, -1)  # U, V
    if name == "yv12":
        chroma = chroma[::-1]
    elif name != "i420":
        chroma = (chroma if name == "nv12" else chroma[::-1]).T
    data = np.concatenate((luma.ravel(), chroma.ravel()))
    image = decode_image(data, name, HEIGHT, WIDTH, WIDTH, False)
    assert np.abs(image.astype(int) - rgb)[:, [0, 1, 2, 3, 9, 10, 11]].max() < 12


def test_padded_half_planes_cannot_be_told_apart_and_are_refused() -> None:
    with pytest.raises(ImageError, match=r"step 16, wanted 12.*nv12"):
        image_frame(wire("i420", pad=4), "rgb")
    assert image_frame(wire("nv12", pad=4), "rgb").image.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("name", ["RGB8", " bgr8", "8uc3", "Mono16", "YUV422_YUY2", "NV12"])
def test_the_case_of_an_encoding_does_not_matter(name: str) -> None:
    row = find_encoding(name)
    assert row is not None
    message = wire(row.name)
    message.encoding = name
    assert image_frame(message, "rgb").image.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("name", ["yuyv", "uyvy", "nv12", "i420", "rgba8", "8UC3"])
def test_thermal_in_palette_colours_is_refused_in_every_encoding(name: str) -> None:
    message = wire(name)
    message.data = np.random.default_rng(0).integers(0, 255, message.data.size, np.uint8)
    with pytest.raises(ImageKindError, match=r"palette colours.*white-hot"):
        image_frame(message, "thermal")


def test_opencvs_names_mean_blue_first() -> None:
    pixels = np.array([[[10, 20, 30]]], np.uint8)
    assert decode_image(pixels.tobytes(), "8UC3", 1, 1, 3, False).tolist() == [[[30, 20, 10]]]
    assert "16SC1" not in known_encodings("thermal")
