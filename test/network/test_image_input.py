from __future__ import annotations

import numpy as np
import torch

from mdacl_ros.network.image_input import ImageInput, example_images
from mdacl_ros.network.probe import Probe
from network.random_models import SIZE, random_detector


def test_a_uint8_image_gives_the_bits_of_its_float_planes() -> None:
    detector = random_detector()
    rgb, thermal, present = example_images(SIZE)
    planes = np.multiply(rgb.numpy().transpose(0, 3, 1, 2), np.float32(1 / 255), order="C")
    for network in (detector, Probe(detector)):
        theirs = network(torch.from_numpy(planes), thermal, present)
        ours = ImageInput(network)(rgb, thermal, present)
        assert ours._fields == theirs._fields
        for name, value in ours._asdict().items():
            assert torch.equal(value, getattr(theirs, name)), name


def test_examples_are_what_engines_take() -> None:
    rgb, thermal, present = example_images((96, 64))
    assert (rgb.shape, rgb.dtype) == ((1, 64, 96, 3), torch.uint8)
    assert (thermal.shape, thermal.dtype) == ((1, 1, 64, 96), torch.float32)
    assert present.shape == (1, 2, 2, 3)
