import sys
from types import SimpleNamespace

import numpy as np
import pytest

from mdacl_ros.errors import ImageError
from mdacl_ros.sensing import color_conversion
from mdacl_ros.sensing.color_conversion import to_rgb8

ENCODINGS = {
    "bgr16": (3, np.uint16), "bgra16": (4, np.uint16), "bayer_rggb8": (1, np.uint8),
    "bgr8": (3, np.uint8), "bgra8": (4, np.uint8), "mono8": (1, np.uint8), "rgba8": (4, np.uint8),
}  # fmt: skip


@pytest.fixture(autouse=True)
def fresh_choice():
    color_conversion.converter.cache_clear()
    yield
    color_conversion.converter.cache_clear()


def picture(encoding: str) -> np.ndarray:
    channels, dtype = ENCODINGS[encoding]
    shape = (6, 8) if channels == 1 else (6, 8, channels)
    return np.random.default_rng(0).integers(0, 255, shape, dtype)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_cv_bridge_and_rosbags_image_give_the_same_pixels(encoding):
    pytest.importorskip("cv_bridge", reason="cv_bridge comes with a ROS distribution only")
    with_ros = to_rgb8(picture(encoding), encoding)
    color_conversion.converter.cache_clear()
    original, color_conversion.with_cv_bridge = color_conversion.with_cv_bridge, _missing
    try:
        np.testing.assert_array_equal(to_rgb8(picture(encoding), encoding), with_ros)
    finally:
        color_conversion.with_cv_bridge = original


def test_bgr_becomes_rgb():
    image = picture("bgr8")
    np.testing.assert_array_equal(to_rgb8(image, "bgr8"), image[..., ::-1])


def test_without_any_library_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv_bridge", None)
    monkeypatch.setitem(sys.modules, "rosbags.image", None)
    with pytest.raises(ImageError, match=r"bayer_rggb8.*cv_bridge or rosbags-image"):
        to_rgb8(picture("bayer_rggb8"), "bayer_rggb8")


@pytest.mark.parametrize("error", [AttributeError("_ARRAY_API not found"), SystemError("abi")])
def test_a_cv_bridge_that_fails_in_any_way_is_passed_over(monkeypatch, error):
    def broken():
        raise error

    monkeypatch.setattr(color_conversion, "with_cv_bridge", broken)
    assert to_rgb8(picture("bayer_rggb8"), "bayer_rggb8").shape == (6, 8, 3)


@pytest.mark.parametrize("encoding", ["bgr8", "bgra8", "rgba8", "mono8"])
def test_opencv_gives_the_pixels_of_the_other_libraries(encoding):
    image = picture(encoding)
    ours = to_rgb8(image, encoding)
    theirs = color_conversion.with_rosbags_image()(
        SimpleNamespace(
            encoding=encoding, height=6, width=8, step=image.strides[0], is_bigendian=False,
            data=image.reshape(-1),
        )
    )  # fmt: skip
    np.testing.assert_array_equal(ours, theirs)


def _missing():
    raise ImportError
