"""The reference engine: eager PyTorch, on the CPU or on a GPU."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mdacl_ros.errors import EngineError
from mdacl_ros.network.image_input import ImageInput
from mdacl_ros.network.probe import Probe, fold_norms
from mdacl_ros.network.weights import load_detector
from mdacl_ros.runtime.engine_kind import CPU, CUDA, FLOAT32
from mdacl_ros.runtime.model_facts import ModelFacts
from mdacl_ros.types import ByteArray, FloatArray, Predictions


class TorchEngine:
    """Runs the network as it was written; what every other engine is compared with.

    Args:
        model: Model folder.
        facts: What ``model.yaml`` says.
        input_size: Network input ``(width, height)``.
        device: ``cpu`` or ``cuda``.

    Raises:
        EngineError: PyTorch cannot use the GPU.
    """

    name = "torch"
    precision = FLOAT32

    def __init__(
        self, model: Path, facts: ModelFacts, input_size: tuple[int, int], device: str = CPU
    ) -> None:
        self.input_size, self.labels = input_size, facts.labels
        self.estimate = facts.estimate
        self.device = device_name(device)
        self._place = torch.device(device)
        detector = fold_norms(load_detector(model)).requires_grad_(False).to(self._place)
        self._detector: ImageInput | None = ImageInput(detector)
        self._probe: ImageInput | None = ImageInput(Probe(detector))

    def infer(
        self, rgb: ByteArray, thermal: FloatArray, present: FloatArray, *, probe: bool = False
    ) -> Predictions:
        """See :class:`mdacl_ros.runtime.engine.Engine`; any batch size."""
        if self._detector is None or self._probe is None:
            raise EngineError("torch: the engine was closed; load it again")
        inputs = [torch.from_numpy(x).to(self._place) for x in (rgb, thermal, present)]
        with exact_convolutions():
            if probe:
                return to_predictions(self._probe(*inputs))
            with torch.inference_mode():
                return to_predictions(self._detector(*inputs))

    def close(self) -> None:
        """Let go of the weights, and give a GPU's memory back to others."""
        self._detector = self._probe = None
        if self._place.type == CUDA:
            torch.cuda.empty_cache()


def exact_convolutions() -> AbstractContextManager[None]:
    """Keep cuDNN from rounding float32 convolutions to TF32: this engine is the reference.

    cuDNN does so unless forbidden, PyTorch's matrix products do not. Without a GPU it does nothing.
    """
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def device_name(device: str) -> str:
    """What a person calls the device.

    Args:
        device: ``cpu`` or ``cuda``.

    Raises:
        EngineError: PyTorch cannot use the GPU, for example with too old a driver.
    """
    if device != CUDA:
        return "CPU"
    if not torch.cuda.is_available():
        raise EngineError(
            f"engine torch: PyTorch {torch.__version__} (CUDA {torch.version.cuda}) cannot use the "
            "GPU; update the NVIDIA driver or set device to cpu"
        )
    return str(torch.cuda.get_device_name())


def to_predictions(outputs: tuple[Tensor, ...]) -> Predictions:
    """Turn output tensors, in the order of :class:`Predictions`, into arrays."""
    return Predictions(*(np.array(x.detach().cpu().numpy()) for x in outputs))
