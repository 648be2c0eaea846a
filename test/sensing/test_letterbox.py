"""Letterbox: boxes come back, pixels land where the boxes say, padding is empty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.errors import ImageError
from mdacl_ros.sensing.letterbox import Letterbox, present_cells

sides = st.integers(min_value=16, max_value=2000)
sizes = st.tuples(sides, sides)


@given(sizes, sizes, st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_boxes_survive_the_round_trip(source, target, seed):
    letterbox = Letterbox(source, target)
    corners = np.random.default_rng(seed).uniform(0, 1, (20, 4)) * np.tile(source, 2)
    boxes = corners.astype(np.float32)
    assert np.abs(letterbox.inverse(letterbox.forward(boxes)) - boxes).max() <= 1e-3


@given(sizes, sizes)
def test_the_content_fills_one_side_and_keeps_the_aspect(source, target):
    letterbox = Letterbox(source, target)
    width, height = letterbox.content_size
    assert width <= target[0]
    assert height <= target[1]
    assert width == target[0] or height == target[1]
    ratio = min(target[0] / source[0], target[1] / source[1])
    assert abs(width - source[0] * ratio) <= 0.5 + 1e-9 or width == 1
    assert abs(height - source[1] * ratio) <= 0.5 + 1e-9 or height == 1


@pytest.mark.parametrize(
    ("source", "target"),
    [((1280, 720), (640, 512)), ((641, 479), (320, 256)), ((99, 311), (64, 64))],
)
def test_a_painted_box_lands_where_forward_says(source, target):
    letterbox = Letterbox(source, target)
    image = np.zeros((source[1], source[0], 3), np.uint8)
    box = np.array([source[0] // 4, source[1] // 3, source[0] // 2, source[1] // 2])
    image[box[1] : box[3], box[0] : box[2]] = 255
    rows, columns = np.nonzero(letterbox.apply(image)[..., 0] > 127)
    found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert np.abs(found - letterbox.forward(box.astype(np.float32))).max() <= 1.0


def test_the_padding_is_zero_and_not_covered():
    letterbox = Letterbox((1280, 720), (640, 512))
    image = letterbox.apply(np.full((720, 1280, 3), 200, np.uint8))
    assert image.shape == (512, 640, 3)
    assert (image[:360] == 200).all()
    assert (image[360:] == 0).all()
    assert (letterbox.coverage() == (image[..., 0] > 0)).all()


def test_an_image_that_fits_is_not_copied():
    image = np.ones((512, 640, 3), np.uint8)
    assert Letterbox((640, 512), (640, 512)).apply(image) is image


def test_another_resolution_is_refused():
    with pytest.raises(ImageError, match="got an image of 320x240, wanted 640x480"):
        Letterbox((640, 480), (640, 512)).apply(np.zeros((240, 320, 3), np.uint8))


@pytest.mark.parametrize("size", [(0, 480), (640, -1)])
def test_an_empty_size_is_refused(size):
    with pytest.raises(ValueError, match="wanted"):
        Letterbox(size, (640, 512))


def test_cells_are_present_where_half_is_covered():
    coverage = np.zeros((64, 96), np.bool_)
    coverage[:32, :32] = True
    coverage[:16, 32:64] = True  # exactly half of the second cell
    coverage[:15, 64:] = True  # less than half of the third
    assert present_cells(coverage).tolist() == [[1, 1, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="multiples of 32"):
        present_cells(coverage[:50])


@pytest.mark.parametrize("source", [(640, 480), (1280, 720), (333, 555), (97, 61), (4000, 40)])
def test_cells_and_buffers_are_those_of_the_mask_and_of_a_new_image(source) -> None:
    letterbox = Letterbox(source, (640, 512))
    assert np.array_equal(letterbox.present_cells(32), present_cells(letterbox.coverage(), 32))
    image = np.random.default_rng(0).integers(0, 255, (*source[::-1], 3)).astype(np.uint8)
    out = np.full((512, 640, 3), 7, np.uint8)
    letterbox.write(image, out)
    assert np.array_equal(out, letterbox.apply(image))
