from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from network.random_models import MICRO, save_random_model

from mdacl_ros.errors import ModelError
from mdacl_ros.network.precision import quantisable
from mdacl_ros.network.weights import load_detector
from mdacl_tools.learning.ranges import measure_ranges
from mdacl_tools.learning.samples import Sample


def sample(value: int) -> Sample:
    none = np.zeros(0)
    return Sample(
        name=str(value),
        rgb=np.full((70, 96, 3), value, np.uint8),
        thermal=np.full((70, 96), value / 255, np.float32),
        boxes=np.zeros((0, 4), np.float32),
        labels=none.astype(np.int64),
        ignore=none.astype(bool),
        visible=np.zeros((0, 2), bool),
        exhaustive=np.ones(3, bool),
    )


def test_ranges_are_the_largest_magnitudes_of_each_convolution(tmp_path: Path) -> None:
    folder = save_random_model(tmp_path, MICRO)
    few = measure_ranges(folder, [sample(0)], "black")
    more = measure_ranges(folder, [sample(0), sample(0), sample(255)], "black and white")
    assert set(more.ranges) == set(quantisable(load_detector(folder)))
    # the stems see (255 x - 127) / 128: -127/128 of black, 1 of white
    assert few.ranges["streams.0.stem.conv"] == pytest.approx(127 / 128)
    assert more.ranges["streams.1.stem.conv"] == pytest.approx(1.0)
    assert all(more.ranges[name] >= few.ranges[name] for name in few.ranges)
    assert (more.pairs, more.data) == (3, "black and white")


def test_no_pair_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="got no pair"):
        measure_ranges(save_random_model(tmp_path, MICRO), [], "nothing")
