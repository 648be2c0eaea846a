"""Measure the ranges that INT8 needs, on training pairs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from mdacl_ros.errors import ModelError
from mdacl_ros.network.image_input import float_planes
from mdacl_ros.network.model_yaml import WEIGHTS
from mdacl_ros.network.precision import quantisable
from mdacl_ros.network.probe import fold_norms
from mdacl_ros.network.weights import load_detector
from mdacl_ros.runtime.cache import file_digest
from mdacl_ros.runtime.engine import STRIDE
from mdacl_ros.runtime.quantisation import Quantisation
from mdacl_tools.learning.dominance_fit import network_input
from mdacl_tools.learning.samples import Sample, resized

PAIRS = 32
"""About how many pairs are looked at."""

_CYCLE = 8  # of so many pairs one lacks rgb, one thermal, the others nothing


def measure_ranges(model: Path, samples: Iterable[Sample], data: str) -> Quantisation:
    """Look at a model folder's activations on some pairs, a few of them without one camera.

    Args:
        model: Model folder.
        samples: Training pairs; those that are scored are not for this.
        data: Where they came from, for the record.

    Raises:
        ModelError: There is no pair.
    """
    detector = fold_norms(load_detector(model)).requires_grad_(False)
    ranges: dict[str, float] = {}
    hooks = [
        conv.register_forward_pre_hook(_Watch(ranges, name))
        for name, conv in quantisable(detector).items()
    ]
    pairs = 0
    try:
        for pairs, sample in enumerate(samples, 1):
            with torch.inference_mode():
                detector(*_inputs(sample, pairs % _CYCLE))
    finally:
        for hook in hooks:
            hook.remove()
    if not pairs:
        raise ModelError("quantisation: got no pair, wanted training pairs; see --data")
    return Quantisation(file_digest(model / WEIGHTS), data, pairs, ranges)


class _Watch:
    """Keeps the largest magnitude of a layer's inputs."""

    def __init__(self, ranges: dict[str, float], name: str) -> None:
        self._ranges, self._name = ranges, name

    def __call__(self, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        largest = float(inputs[0].abs().max())
        self._ranges[self._name] = max(self._ranges.get(self._name, 0.0), largest)


def _inputs(sample: Sample, turn: int) -> tuple[Tensor, ...]:
    """Network inputs of a pair; at turn 1 without rgb, at turn 2 without thermal."""
    height, width = (max(STRIDE, side // STRIDE * STRIDE) for side in sample.rgb.shape[:2])
    fitting = resized(sample, (width, height))
    arrays = network_input(fitting.rgb, fitting.thermal, (width, height))
    images, thermal, present = (torch.from_numpy(x) for x in arrays)
    rgb = float_planes(images)
    if turn in (1, 2):
        (rgb, thermal)[turn - 1][:] = 0.0
        present[:, turn - 1] = 0.0
    return rgb, thermal, present
