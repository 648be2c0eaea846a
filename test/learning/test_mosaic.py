from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mdacl_tools.learning.crop import ViewConfig
from mdacl_tools.learning.mosaic import mosaic

from .synthetic import rectangle_sample

VIEW = ViewConfig(scale=(1.0, 1.0), flip=0.5, shift=0.0)
SIZE = (320, 256)


def parts(**changes: object) -> list:
    boxes = [(200, 150, 330, 290), (400, 300, 480, 420)]
    samples = [rectangle_sample(boxes, [0, 1]) for _ in range(4)]
    return [*samples[:3], replace(samples[3], **changes)]


def test_every_box_encloses_bright_pixels_of_both_images() -> None:
    seen = 0
    for seed in range(15):
        crop = mosaic(parts(), SIZE, VIEW, np.random.default_rng(seed))
        for x0, y0, x1, y1 in np.rint(crop.boxes).astype(int):
            assert crop.rgb[y0:y1, x0:x1].mean() > 0.9 * 255
            assert crop.thermal[y0:y1, x0:x1].mean() > 0.9
            seen += 1
    assert seen > 30


def test_a_missing_camera_is_absent_in_its_part_only() -> None:
    crop = mosaic(parts(cameras=(False, True)), SIZE, VIEW, np.random.default_rng(0))
    assert crop.present[:, 0, 0].all()
    assert crop.present[:, -1, -1].tolist() == [0, 1]
    assert crop.present[1].all()
    assert 0 < crop.present[0].mean() < 1


def test_a_class_not_exhaustive_in_a_part_is_not_in_the_whole() -> None:
    some = np.array([True, False, True])
    crop = mosaic(parts(exhaustive=some), SIZE, VIEW, np.random.default_rng(0))
    assert crop.exhaustive.tolist() == some.tolist()


@pytest.mark.parametrize("size", [(64, 64), (96, 64), (352, 288)])
def test_any_size_of_two_cells_or_more(size: tuple[int, int]) -> None:
    for seed in range(5):
        crop = mosaic(parts(), size, VIEW, np.random.default_rng(seed))
        assert crop.thermal.shape == size[::-1]
        assert crop.present.shape == (2, size[1] // 32, size[0] // 32)
        assert (crop.boxes >= 0).all()
        assert (crop.boxes <= [*size, *size]).all()
