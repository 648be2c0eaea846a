"""Pictures: the input stays as it is, boxes land where they should, odd input is drawn too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.drawing.overlay import (
    CLASS_COLOURS,
    _place_tags,
    detection_text,
    draw_detections,
    side_by_side,
)
from mdacl_ros.drawing.primitives import RGB_COLOUR, THERMAL_COLOUR, draw_gauge, draw_text
from mdacl_ros.types import LABELS, Detections, DominanceReading


def one_box(box, label=0, size=(640, 480)) -> Detections:
    return Detections(
        np.array([box], np.float32), np.array([0.8], np.float32), np.array([label]), size
    )


def nothing(size=(640, 480)) -> Detections:
    return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, int), size)


def reading(reliance: float | None) -> DominanceReading:
    even = (0.5, 0.5)
    return DominanceReading(0.0, even, even, even, (1, 1), reliance=reliance)


@pytest.mark.parametrize("label", range(len(LABELS)))
def test_the_box_is_drawn_in_the_colour_of_its_class(label):
    image = np.full((480, 640, 3), 60, np.uint8)
    picture = draw_detections(image, one_box([100, 150, 200, 300], label), LABELS)
    assert (image == 60).all()
    for x, y in ((100, 220), (200, 220), (150, 300)):
        assert tuple(picture[y, x]) == CLASS_COLOURS[label]
    assert (picture[400:, 300:] == 60).all()


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (None, "person 0.80"),
        (0.0, "person 0.80 thermal 100 %"),
        (0.29, "person 0.80 thermal 71 %"),
        (0.5, "person 0.80 RGB 50 %"),
        (1.0, "person 0.80 RGB 100 %"),
    ],
)
def test_the_text_names_the_camera_a_detection_rests_on(share: float | None, words: str) -> None:
    found = one_box([1, 2, 3, 4])
    if share is not None:
        found = replace(found, rgb_shares=np.array([share], np.float32))
    assert detection_text(found, 0, LABELS) == words


def test_boxes_scale_with_the_picture():
    image = np.full((240, 320, 3), 60, np.uint8)
    picture = draw_detections(image, one_box([100, 150, 200, 300]), LABELS)
    assert tuple(picture[110, 50]) == CLASS_COLOURS[0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-2000, 3000), min_size=4, max_size=4),
    st.integers(0, 7),
    st.sampled_from([(640, 480), (33, 21), (1281, 719)]),
)
def test_no_box_breaks_the_drawing(numbers, label, size):
    x0, x1 = sorted(numbers[:2])
    y0, y1 = sorted(numbers[2:])
    image = np.zeros((size[1], size[0], 3), np.uint8)
    picture = draw_detections(image, one_box([x0, y0, x1, y1], label, size), LABELS, reading(0.3))
    assert picture.shape == image.shape
    assert picture.dtype == np.uint8


@pytest.mark.parametrize(("reliance", "colour"), [(0.8, RGB_COLOUR), (-0.8, THERMAL_COLOUR)])
def test_the_gauge_leans_towards_the_relied_on_camera(reliance, colour):
    image = np.zeros((24, 400, 3), np.uint8)
    draw_gauge(image, (0, 0, 400, 24), reliance)
    other = THERMAL_COLOUR if colour == RGB_COLOUR else RGB_COLOUR
    columns = np.where((image[12] == colour).all(-1))[0]
    bar = columns[(columns > 90) & (columns < 350)]
    assert len(bar) > 60
    assert not (image[12, 90:350] == other).all(-1).any()


def test_text_is_cut_off_at_the_border():
    image = np.zeros((20, 20, 3), np.uint8)
    draw_text(image, "a long line of text", (-10, -3), 12)
    draw_text(image, "outside", (100, 100), 12)
    assert image.any()


@pytest.mark.parametrize("size", [(640, 480), (321, 241), (1280, 720)])
@pytest.mark.parametrize("missing", ["rgb", "thermal", None])
def test_side_by_side_has_even_sides_and_shows_a_dead_camera(size, missing):
    width, height = size
    rgb = None if missing == "rgb" else np.full((height, width, 3), 200, np.uint8)
    thermal = None if missing == "thermal" else np.full((height // 2, width // 2), 255, np.uint8)
    picture = side_by_side(
        rgb,
        thermal,
        nothing(size),
        LABELS,
        reading(-0.2) if missing else None,
        caption="smoke",
        history=np.linspace(-3, 3, 2000),
    )
    assert picture.shape[0] % 2 == 0
    assert picture.shape[1] % 2 == 0
    half = picture.shape[1] // 2
    bright = [picture[height // 3, x].max() > 150 for x in (half // 4, half + half // 4)]
    assert bright == [missing != "rgb", missing != "thermal"]


def test_words_hide_no_other_words_while_there_is_room():
    boxes = [[40.0 + 9 * i, 150.0 + 7 * i, 90.0 + 9 * i, 250.0 + 7 * i] for i in range(6)]
    tags = _place_tags(np.zeros((480, 640, 3), np.uint8), np.int64(boxes).tolist(), ["person"] * 6)
    for i, tag in enumerate(tags):
        x0, y0, x1, y1 = tag.place
        assert 0 <= x0 < x1 <= 640
        assert 0 <= y0 < y1 <= 480
        for other in tags[:i]:
            a, b = tag.place, other.place
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


def test_a_camera_that_sends_but_is_not_used_is_told_from_a_silent_one():
    nothing = Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), (320, 240))
    rgb = np.zeros((240, 320, 3), np.uint8)
    silent, unused = (
        side_by_side(rgb, None, nothing, ("person",), unused=cameras)
        for cameras in ((), ("THERMAL",))
    )
    assert (silent[:, :320] == unused[:, :320]).all()
    assert (silent[:, 320:] != unused[:, 320:]).any()
