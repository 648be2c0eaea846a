"""The default augmentation draws what it always drew: shipped recipes stay what they were."""

from __future__ import annotations

import numpy as np
import pytest

from mdacl_tools.learning.augmentation import AugmentationConfig, augment

from .synthetic import rectangle_sample

BOXES = [(200, 150, 330, 290), (20, 30, 90, 200), (500, 300, 620, 460)]


def numbers(seed: int) -> list[float]:
    """Images in twelve numbers, then a box; a draw more or less changes all of them."""
    sample = rectangle_sample(
        BOXES, [0, 1, 2], visible=[(True, True), (False, True), (True, False)]
    )
    sample.rgb[:, :, 1] //= 2
    item = augment(sample, AugmentationConfig(size=(96, 64)), np.random.default_rng(seed))
    rgb, thermal = (  # a dropped image is kept for teachers; the network never sees it
        image * item.present[camera].any() for camera, image in enumerate((item.rgb, item.thermal))
    )
    images = [x.reshape(-1)[:: x.size // 4][:4].astype(float) for x in (rgb, thermal)]
    means = [rgb.mean() / 255, thermal.mean(), item.present.mean(), item.ignore.sum()]
    return [*means, *(images[0] / 255), *images[1], *item.boxes.ravel()[:4]]


GOLDEN = {
    0: [0.7119, 0.924, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0683, 0.0683, 0.0683, 0.0683],
    1: [0.0, 0.0, 0.8333, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    2: [
        0.3807,
        0.5035,
        1.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0094,
        0.0094,
        0.0094,
        0.0094,
        34.9949,
        0.0,
        82.4433,
        64.0,
    ],
    3: [
        0.5565,
        0.5681,
        1.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.3868,
        0.3868,
        0.3868,
        0.3868,
        16.5893,
        0.0,
        88.3984,
        64.0,
    ],
    4: [0.8389, 0.8056, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    5: [0.8876, 0.7961, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.7961, 0.7961, 0.7961, 0.7961],
}


@pytest.mark.parametrize("seed", GOLDEN)
def test_default_items_are_what_they_were(seed: int) -> None:
    assert numbers(seed) == pytest.approx(GOLDEN[seed], abs=0.005)
