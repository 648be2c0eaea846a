"""Whatever bytes a camera sends: an array of the promised kind, or one line that says why not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mdacl_ros.errors import ImageError, MdaclError
from mdacl_ros.pipeline.pair_input import PairInput
from mdacl_ros.sensing import images
from mdacl_ros.sensing.encodings import ENCODINGS as ENCODINGS_TABLE
from mdacl_ros.sensing.encodings import find_encoding
from mdacl_ros.types import Frame, FramePair, Modality

from .budget import fuzz, refused
from .mutations import EDITS, damaged

CAMERAS = st.sampled_from(["rgb", "thermal"])
ENCODINGS = st.one_of(
    st.sampled_from(sorted({*ENCODINGS_TABLE, "", "jpeg", "64FC1", "8UC"})),
    st.text(max_size=10),
)
SIDES = st.one_of(st.integers(0, 40), st.sampled_from([2**16, 2**31, 2**32 - 1]))


def decoded(message: Any, camera: Modality) -> Frame | None:
    """The frame, checked; ``None`` where it was refused with one line."""
    frames: list[Frame] = []
    if refused(lambda: frames.append(images.image_frame(message, camera)), ImageError):
        return None
    (frame,) = frames
    shape = (*frame.image.shape[:2], 3) if camera == "rgb" else frame.image.shape[:2]
    assert frame.image.shape == shape
    assert frame.image.size > 0
    kinds = {"rgb": (np.uint8,), "thermal": (np.uint8, np.uint16, np.float32)}[camera]
    assert frame.image.dtype in kinds
    return frame


def header() -> Any:
    return SimpleNamespace(stamp=SimpleNamespace(sec=1, nanosec=2), frame_id="camera")


@fuzz()
@given(CAMERAS, ENCODINGS, SIDES, SIDES, SIDES, st.booleans(), st.integers(0, 20_000))
def test_raw_messages(
    camera: Modality, encoding: str, height: int, width: int, step: int, big: bool, size: int
) -> None:
    message = SimpleNamespace(
        header=header(), encoding=encoding, height=height, width=width, step=step,
        is_bigendian=big, data=bytes(size),
    )  # fmt: skip
    decoded(message, camera)


@fuzz()
@given(
    CAMERAS, ENCODINGS, st.integers(1, 12), st.integers(1, 12), st.integers(0, 5), st.booleans(),
    st.binary(max_size=64), st.integers(-3, 3),
)  # fmt: skip
def test_nearly_right_raw_messages(
    camera: Modality, encoding: str, height: int, width: int, padding: int, big: bool,
    pixels: bytes, missing: int,
) -> None:  # fmt: skip
    row = find_encoding(encoding) or ENCODINGS_TABLE["mono8"]
    step = width * row.channels * row.itemsize + padding
    rows = height * 3 // 2 if row.plane == "chroma_below" else height
    data = (pixels + bytes(step * rows))[: max(0, step * rows - missing)]
    message = SimpleNamespace(
        header=header(), encoding=encoding, height=height, width=width, step=step,
        is_bigendian=big, data=data,
    )  # fmt: skip
    decoded(message, camera)


def picture(extension: str, image: np.ndarray) -> bytes:
    ok, data = cv2.imencode(extension, image)
    assert ok
    return data.tobytes()


NOISE = np.random.default_rng(3).integers(0, 255, (24, 32, 3)).astype(np.uint8)
FILES = [
    picture(".jpg", NOISE),
    picture(".png", NOISE),
    picture(".jpg", NOISE[..., 0]),
    picture(".png", NOISE[..., 0]),
    picture(".png", NOISE[..., 0].astype(np.uint16) * 100),
    picture(".png", np.dstack([NOISE, NOISE[..., 0]])),
]
FORMATS = st.sampled_from(
    ["jpeg", "png", "16UC1; png compressed", "rgb8; jpeg compressed bgr8", ""]
)


@fuzz()
@given(CAMERAS, FORMATS, st.sampled_from(FILES), EDITS)
def test_compressed_messages(camera: Modality, format_: str, good: bytes, edits: list[Any]) -> None:
    message = SimpleNamespace(header=header(), format=format_, data=damaged(good, edits))
    decoded(message, camera)


@fuzz()
@given(CAMERAS, st.text(max_size=20), st.binary(max_size=200), st.booleans())
@example("rgb", "jpeg", b"\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03" + bytes(40), True)
def test_random_bytes_as_files(camera: Modality, format_: str, data: bytes, jpeg: bool) -> None:
    data = b"\xff\xd8" + data + b"\xff\xd9" if jpeg else b"\x89PNG\r\n\x1a\n" + data + b"IEND"
    decoded(SimpleNamespace(header=header(), format=format_, data=data), camera)


@pytest.mark.parametrize("size", [(65_535, 65_535), (16_385, 1), (8_001, 8_001)])
def test_a_header_that_claims_a_huge_picture_is_refused_before_it_is_decoded(
    size: tuple[int, int],
) -> None:
    data = bytearray(FILES[0])
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = size[1].to_bytes(2, "big") + size[0].to_bytes(2, "big")
    message = SimpleNamespace(header=header(), format="jpeg", data=bytes(data))
    with pytest.raises(ImageError, match=f"got size {size[0]}x{size[1]}"):
        images.image_frame(message, "rgb")


PAIR_INPUT = PairInput(None, (64, 64), 0.01)
PIXELS = st.one_of(
    st.sampled_from([0, 1, 255, 65_535, 1e30, -1e30, float("nan"), float("inf")]), st.floats()
)


@fuzz()
@given(
    st.sampled_from([None, (1, 1), (2, 3), (48, 64), (64, 2)]),
    st.sampled_from([None, (1, 1), (3, 2), (24, 32), (2, 64)]),
    st.sampled_from(["mono8", "mono16", "16UC1", "32FC1", "8UC1"]),
    st.lists(PIXELS, min_size=1, max_size=8),
    st.floats(1e-6, 10),
    st.integers(-(2**40), 2**62),
)
def test_pairs_of_any_size_and_any_pixels(
    rgb_size: Any, thermal_size: Any, encoding: str, pixels: list[float], scale: float, stamp: int
) -> None:
    dtype = {"32FC1": np.float32, "mono8": np.uint8, "8UC1": np.uint8}.get(encoding, np.uint16)
    rgb = thermal = None
    with np.errstate(all="ignore"):
        if rgb_size is not None:
            rgb = Frame(np.full((*rgb_size, 3), 7, np.uint8), stamp)
        if thermal_size is not None:
            values = np.resize(np.array(pixels, np.float64), thermal_size)
            thermal = Frame(values.astype(dtype), stamp, encoding=encoding)
    if refused(lambda: PAIR_INPUT.fill(FramePair(rgb, thermal, stamp), scale, None), MdaclError):
        return
    assert PAIR_INPUT.rgb.dtype == np.uint8
    for tensor in (PAIR_INPUT.thermal, PAIR_INPUT.present):
        assert np.isfinite(tensor).all()
        assert tensor.min() >= 0
        assert tensor.max() <= 1
