from __future__ import annotations

import numpy as np

from mdacl_tools.learning.crop import ViewConfig, random_crop
from mdacl_tools.learning.erasing import erase

from .synthetic import rectangle_sample

VIEW = ViewConfig(scale=(1.0, 1.0), flip=0.0, shift=0.0)
BOXES = [(100, 100, 180, 240), (300, 200, 420, 300)]


def test_one_camera_loses_an_object_and_the_other_keeps_it() -> None:
    cameras = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        crop = random_crop(rectangle_sample(BOXES), (640, 480), VIEW, rng)
        erased = erase(crop, rng)
        same = (np.array_equal(erased.rgb, crop.rgb), np.array_equal(erased.thermal, crop.thermal))
        assert sorted(same) == [False, True]
        camera = same.index(False)
        cameras.add(camera)
        assert not erased.visible[:, camera].all()
        assert erased.visible[:, 1 - camera].all()
        assert np.array_equal(erased.boxes, crop.boxes)
        assert erased.present is crop.present
    assert cameras == {0, 1}


def test_a_single_camera_is_left_alone() -> None:
    rng = np.random.default_rng(0)
    sample = rectangle_sample(BOXES)
    crop = random_crop(sample, (640, 480), VIEW, rng)
    crop.present[0] = 0
    assert erase(crop, rng) is crop
