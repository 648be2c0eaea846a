from __future__ import annotations

import cv2
import numpy as np
import pytest

from mdacl_ros.sensing.pairing.frozen_camera import STILL_NS, Repetition
from mdacl_ros.types import Array

LIMIT = 3
PERIOD_NS = STILL_NS // LIMIT + 1  # so that the limit and the time are reached together


def picture(number: int, dtype: str = "uint8") -> Array:
    """Noise of its own."""
    return np.random.default_rng(number).integers(0, 250, (48, 64)).astype(dtype)


def shown(pictures: list[Array], others: list[Array], period_ns: int = PERIOD_NS) -> Repetition:
    """A camera after both showed their pictures in turn."""
    camera, other = Repetition(), Repetition()
    for number, (own, theirs) in enumerate(zip(pictures, others, strict=True)):
        other.look(theirs, number * period_ns, camera, LIMIT)
        camera.look(own, number * period_ns, other, LIMIT)
    return camera


def after(pictures: list[Array], others: list[Array]) -> bool:
    """Whether a camera is frozen after both showed their pictures in turn."""
    return shown(pictures, others).frozen


CHANGING, STILL = [picture(n) for n in range(8)], [picture(0)] * 8


def test_a_camera_is_frozen_where_the_other_one_changes() -> None:
    assert after(STILL, CHANGING)
    assert not after(CHANGING, CHANGING)


def test_two_cameras_that_rest_see_a_still_scene() -> None:
    assert not after(STILL, STILL)
    assert not after(CHANGING[:4] + STILL, [picture(9), *CHANGING[:3], *STILL])


def test_it_takes_as_many_repetitions_as_asked_for() -> None:
    assert not after(STILL[:LIMIT], CHANGING[:LIMIT])
    assert after(STILL[: LIMIT + 1], CHANGING[: LIMIT + 1])


def test_many_repetitions_in_a_short_time_are_a_doubling_driver() -> None:
    assert not shown(STILL, CHANGING, period_ns=STILL_NS // 8).frozen
    assert shown(STILL, CHANGING, period_ns=STILL_NS // 7 + 1).frozen


def test_the_first_new_picture_ends_it() -> None:
    assert not after([*STILL[:7], picture(5)], CHANGING)


def test_a_picture_stands_still_whatever_the_other_camera_does() -> None:
    for others in (CHANGING, STILL):
        assert shown(STILL, others).still_ns == 7 * PERIOD_NS
        assert shown(CHANGING, others).still_ns == 0
    assert shown([*STILL[:7], picture(5)], CHANGING).still_ns == 0


def test_it_takes_repetitions_and_time_to_stand_still() -> None:
    assert shown(STILL, CHANGING, period_ns=STILL_NS // 8).still_ns == 0
    assert shown(STILL[:3], CHANGING[:3], period_ns=10 * STILL_NS).still_ns == 0
    assert shown(STILL[:4], CHANGING[:4]).still_ns == 3 * PERIOD_NS


def test_stamps_that_go_back_begin_anew() -> None:
    camera = shown(STILL, CHANGING)
    camera.look(STILL[0], PERIOD_NS, Repetition(), LIMIT)
    assert (camera.still_ns, camera.frozen) == (0, False)


def test_one_pixel_between_the_samples_tells() -> None:
    pictures = [picture(0).copy() for _ in range(8)]
    for number, image in enumerate(pictures):
        image[21, 7] = 3 * number
    assert not after(pictures, CHANGING)


@pytest.mark.parametrize("value", [0, 128])
def test_a_picture_without_detail_is_not_called_frozen(value: int) -> None:
    assert not after([np.full((48, 64), value, np.uint8)] * 8, CHANGING)


@pytest.mark.parametrize("values", [(np.nan,), (np.inf,), (np.nan, np.inf, -np.inf)])
def test_a_picture_without_a_number_is_not_called_frozen(values: tuple[float, ...]) -> None:
    unusable = np.resize(np.array(values, np.float32), (48, 64))
    camera = shown([unusable.copy() for _ in range(8)], CHANGING)
    assert (camera.frozen, camera.still_ns) == (False, 0)


def test_a_covered_camera_does_not_make_the_other_one_frozen() -> None:
    assert not after(STILL, [np.zeros((48, 64), np.uint8)] * 8)


def test_pixels_that_are_no_numbers_equal_themselves() -> None:
    image = picture(0, "float32")
    image[5, 5] = np.nan
    assert after([image.copy() for _ in range(8)], CHANGING)


def test_a_camera_that_stays_away_tells_nothing() -> None:
    camera, other = Repetition(), Repetition()
    assert not any(camera.look(image, n * 10**9, other, LIMIT) for n, image in enumerate(STILL))


def test_a_picture_without_detail_does_not_stand_still() -> None:
    assert shown([np.zeros((48, 64), np.uint8)] * 8, CHANGING).still_ns == 0


def test_a_file_of_a_picture_without_detail_is_not_called_frozen() -> None:
    def files(image: Array) -> list[Array]:
        return [cv2.imencode(".jpg", image)[1].ravel() for _ in range(8)]

    assert not after(files(np.zeros((48, 64), np.uint8)), CHANGING)
    assert after(files(picture(0)), CHANGING)
