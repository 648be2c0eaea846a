"""Compressed images: their format text, padding, orientation, and what the header says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mdacl_ros.errors import ImageError
from mdacl_ros.sensing.compressed import (
    CompressedFormat,
    content_encoding,
    decode_compressed,
    exif_orientation,
    is_cut_off,
    parse_format,
)

RGB = np.zeros((24, 32, 3), np.uint8)
RGB[:, :16], RGB[:, 16:] = (220, 60, 20), (20, 80, 200)


def encoded(image: np.ndarray, suffix: str = ".jpg") -> bytes:
    return bytes(cv2.imencode(suffix, image)[1].tobytes())


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("pad", [b"\0" * 3, b"\0" * 300_000, b"\xab" * 5_000])
def test_padding_behind_the_end_does_not_matter(suffix: str, pad: bytes) -> None:
    data = encoded(RGB[..., ::-1], suffix)
    assert not is_cut_off(data + pad)
    np.testing.assert_array_equal(
        decode_compressed(data + pad, "jpeg", "rgb"), decode_compressed(data, "jpeg", "rgb")
    )


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("pad", [b"", b"\0" * 2_000])
def test_a_cut_file_is_refused_with_padding_too(suffix: str, pad: bytes) -> None:
    data = encoded(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8), suffix)
    with pytest.raises(ImageError, match="cut off"):
        decode_compressed(data[: len(data) // 2] + pad, "jpeg", "rgb")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("jpeg", CompressedFormat("", "jpeg", "")),
        ("rgb8; jpeg compressed bgr8", CompressedFormat("rgb8", "jpeg", "bgr8")),
        ("16UC1; png compressed ", CompressedFormat("16UC1", "png", "")),
        ("16UC1; compressedDepth png", CompressedFormat("16UC1", "compressedDepth", "")),
        ("bayer_rggb8;jpeg compressed", CompressedFormat("bayer_rggb8", "jpeg", "")),
        ("", CompressedFormat("", "", "")),
    ],
)
def test_the_format_text_is_taken_apart(text: str, wanted: CompressedFormat) -> None:
    assert parse_format(text) == wanted


@pytest.mark.parametrize("text", ["jpeg", "rgb8; jpeg compressed bgr8", "bgr8; jpeg compressed"])
def test_colours_are_right_as_the_file_has_them(text: str) -> None:
    image = decode_compressed(encoded(RGB[..., ::-1]), text, "rgb")
    assert np.abs(image[:, 4].astype(int) - RGB[:, 4]).max() < 12


def test_a_file_that_was_written_with_red_first_is_put_right() -> None:
    image = decode_compressed(encoded(RGB), "rgb8; jpeg compressed rgb8", "rgb")
    assert np.abs(image[:, 4].astype(int) - RGB[:, 4]).max() < 12


@pytest.mark.parametrize("order", ["rggb", "bggr", "gbrg", "grbg"])
def test_a_compressed_mosaic_becomes_a_colour_image(order: str) -> None:
    mosaic = np.empty((24, 32), np.uint8)
    for place, colour in zip(((0, 0), (0, 1), (1, 0), (1, 1)), order, strict=True):
        mosaic[place[0] :: 2, place[1] :: 2] = {"r": 200, "g": 90, "b": 30}[colour]
    image = decode_compressed(encoded(mosaic, ".png"), f"bayer_{order}8; png compressed", "rgb")
    assert np.abs(image[4:-4, 4:-4].astype(int) - (200, 90, 30)).max() <= 2


@pytest.mark.parametrize(
    ("image", "suffix", "wanted"),
    [
        (RGB, ".jpg", "rgb8"),
        (RGB[..., 0], ".jpg", "mono8"),
        (RGB, ".png", "rgb8"),
        (RGB[..., 0], ".png", "mono8"),
        (RGB[..., 0].astype(np.uint16), ".png", "mono16"),
        (RGB.astype(np.uint16), ".png", "rgb16"),
    ],
)
def test_the_header_tells_depth_and_channels(image, suffix, wanted) -> None:
    assert content_encoding(encoded(image, suffix)) == wanted


def test_other_data_has_no_encoding() -> None:
    assert content_encoding(b"\0\0\0\1\x67") == ""
    assert content_encoding(b"") == ""


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("value", [1, 3, 6, 8])
def test_the_orientation_of_exif_is_found(order, value) -> None:
    entry = (0x0112).to_bytes(2, order) + (3).to_bytes(2, order) + (1).to_bytes(4, order)
    entry += value.to_bytes(2, order) + bytes(2)
    head = (
        (b"II" if order == "little" else b"MM") + (42).to_bytes(2, order) + (8).to_bytes(4, order)
    )
    tiff = head + (1).to_bytes(2, order) + entry + bytes(4)
    segment = b"Exif\0\0" + tiff
    data = encoded(RGB)
    data = data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]
    assert exif_orientation(data) == value
    assert decode_compressed(data, "jpeg", "rgb").shape == RGB.shape
    assert exif_orientation(encoded(RGB)) == 1
