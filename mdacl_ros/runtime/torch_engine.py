"""The reference engine: eager PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mdacl_ros.network.probe import Probe, fold_norms
from mdacl_ros.network.weights import load_detector
from mdacl_ros.runtime.model_facts import ModelFacts
from mdacl_ros.types import FloatArray, Predictions


class TorchEngine:
    """Runs the network as it was written; what every other engine is compared with.

    Args:
        model: Model folder.
        facts: What ``model.yaml`` says.
        input_size: Network input ``(width, height)``.
    """

    name = "torch"
    precision = "float32"
    device = "CPU"

    def __init__(self, model: Path, facts: ModelFacts, input_size: tuple[int, int]) -> None:
        self.input_size, self.labels = input_size, facts.labels
        self.estimate = facts.estimate
        self._detector = fold_norms(load_detector(model)).requires_grad_(False)
        self._probe = Probe(self._detector)

    def infer(
        self, rgb: FloatArray, thermal: FloatArray, present: FloatArray, *, probe: bool = False
    ) -> Predictions:
        """See :class:`mdacl_ros.runtime.engine.Engine`; any batch size."""
        inputs = [torch.from_numpy(x) for x in (rgb, thermal, present)]
        if probe:
            return to_predictions(self._probe(*inputs))
        with torch.inference_mode():
            return to_predictions(self._detector(*inputs))

    def close(self) -> None:
        """Nothing to release."""


def to_predictions(outputs: tuple[Tensor, ...]) -> Predictions:
    """Turn output tensors, in the order of :class:`Predictions`, into arrays."""
    return Predictions(*(np.array(x.detach().numpy()) for x in outputs))
