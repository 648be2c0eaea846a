from __future__ import annotations

import numpy as np
import pytest

from mdacl_ros.sensing.blank import BlankCells
from mdacl_ros.types import FloatArray

COVERED = np.ones((15, 20), np.float32)
LEFT = np.zeros((15, 20), bool)
LEFT[:, :10] = True


def scene(channels: int = 3) -> np.ndarray:
    """Something to see in every cell, with sensor noise."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(30, 220, (60, 80, channels))
    fine = np.kron(coarse, np.ones((8, 8, 1))) + rng.normal(0, 2, (480, 640, channels))
    return fine.clip(0, 255).astype(np.uint8)


def uniform(level: float, noise: float = 0.0) -> np.ndarray:
    image = np.full((480, 640, 3), float(level)) + np.random.default_rng(1).normal(
        0, noise, (480, 640, 3)
    )
    return image.clip(0, 255).astype(np.uint8)


def covered_lens() -> np.ndarray:
    """Dark, a soft glow from one side, sensor noise."""
    glow = np.linspace(2, 14, 640)[None, :, None]
    noise = np.random.default_rng(2).normal(0, 2, (480, 640, 3))
    return (glow + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("level", [0, 64, 128, 192, 255])
@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_a_uniform_image_shows_nothing(level: int, noise: float) -> None:
    assert BlankCells().look(uniform(level, noise), COVERED).all()


@pytest.mark.parametrize("level", [0, 64, 128, 192, 255])
def test_half_an_image_can_be_blank(level: int) -> None:
    image = scene()
    image[:, :320] = uniform(level)[:, :320]
    np.testing.assert_array_equal(BlankCells().look(image, COVERED), LEFT)


def test_one_colour_is_uniform_too() -> None:
    image = uniform(0)
    image[..., 2] = 255
    assert BlankCells().look(image, COVERED).all()


def test_a_covered_lens_shows_nothing() -> None:
    assert BlankCells().look(covered_lens(), COVERED).all()


def test_a_scene_shows_something_everywhere() -> None:
    assert not BlankCells().look(scene(), COVERED).any()


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_a_night_with_one_lamp_stays(noise: float) -> None:
    image = uniform(4, noise)
    image[100:108, 200:208] = 250
    assert not BlankCells().look(image, COVERED).any()


def test_thermal_is_measured_in_the_same_levels() -> None:
    image = scene(1)[..., 0].astype(np.float32) / 255
    assert not BlankCells().look(image, COVERED).any()
    image[:, :320] = 1.0
    np.testing.assert_array_equal(BlankCells().look(image, COVERED), LEFT)


def test_cells_that_are_not_covered_neither_count_nor_come_back() -> None:
    covered: FloatArray = COVERED.copy()
    covered[:, 10:] = 0
    image = scene()
    image[:, 320:] = 0
    assert not BlankCells().look(image, covered).any()
    image[:] = 77
    np.testing.assert_array_equal(BlankCells().look(image, covered), LEFT)
    assert not BlankCells().look(image, np.zeros_like(COVERED)).any()


def test_the_bound_of_the_whole_image_has_hysteresis() -> None:
    def faint(levels: int) -> np.ndarray:
        checks = (np.indices((480, 640)) // 8).sum(0) % 2
        return (100 + levels * checks[..., None].repeat(3, -1)).astype(np.uint8)

    cells = BlankCells()
    assert not cells.look(faint(33), COVERED).any()
    assert cells.look(faint(24), COVERED).all()
    assert cells.look(faint(33), COVERED).all()
    cells.look(scene(), COVERED)
    assert not cells.look(faint(33), COVERED).any()


def test_the_bound_of_a_part_has_hysteresis() -> None:
    def blank_columns(count: int) -> np.ndarray:
        image = scene()
        image[:, : 32 * count] = 200
        return image

    cells = BlankCells()
    assert not cells.look(blank_columns(6), COVERED).any()
    assert cells.look(blank_columns(8), COVERED).any()
    assert cells.look(blank_columns(6), COVERED).sum() == 6 * 15
    assert not cells.look(blank_columns(4), COVERED).any()
    assert not cells.look(blank_columns(6), COVERED).any()
