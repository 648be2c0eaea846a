"""The GPU engine: TensorRT plans run without torch."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.cuda_device import CudaDevice, find_cuda
from mdacl_ros.runtime.cudart import CudaRuntime, load_cudart
from mdacl_ros.runtime.model_facts import ModelFacts
from mdacl_ros.runtime.tensorrt_library import load_tensorrt
from mdacl_ros.runtime.tensorrt_plan import Binding
from mdacl_ros.runtime.tensorrt_runner import TensorRtRunner
from mdacl_ros.types import ByteArray, FloatArray, Predictions

DETECTOR = "detector.engine"
PROBE = "probe.engine"
FACTS = "engine.json"


class TensorRtEngine:
    """Runs the two plans that :func:`mdacl_ros.runtime.tensorrt_build.build` wrote.

    The exact gradient probe is a plan of its own, loaded at its first use.

    An error of CUDA spoils every later call in the process. The engine then closes and drops the
    CUDA context, so that another can be loaded (``~/reload_engine``).

    Args:
        folder: What the build wrote.
        facts: What ``model.yaml`` says.
        input_size: Network input ``(width, height)``.
        precision: ``float32``, ``fp16`` or ``int8``.

    Raises:
        EngineError: TensorRT, CUDA or the GPU is missing, or the plans do not fit them.
    """

    name = "tensorrt"

    def __init__(
        self, folder: Path, facts: ModelFacts, input_size: tuple[int, int], precision: str
    ) -> None:
        self.input_size, self.labels = input_size, facts.labels
        self.estimate, self.precision = facts.estimate, precision
        device = find_cuda()
        if not isinstance(device, CudaDevice):
            raise EngineError(f"tensorrt: {device}")
        self.device = f"{device.name}, CUDA {device.cuda}"
        self._folder, self._trt, self._cuda = folder, load_tensorrt(), load_cudart()
        self._plans = json.loads((folder / FACTS).read_text(encoding="utf-8"))["plans"]
        self._detector: TensorRtRunner | None = self._load(DETECTOR)
        self._probe: TensorRtRunner | None = None

    def infer(
        self, rgb: ByteArray, thermal: FloatArray, present: FloatArray, *, probe: bool = False
    ) -> Predictions:
        """See :class:`mdacl_ros.runtime.engine.Engine`.

        Raises:
            EngineError: The engine was closed, or CUDA failed and it is closed now.
        """
        if self._detector is None:
            raise EngineError("tensorrt: the engine is closed; load it again (~/reload_engine)")
        try:
            runner = self._detector
            if probe:
                self._probe = runner = self._probe or self._load(PROBE)
            return Predictions(*runner.run((rgb, thermal, present)))
        except EngineError as error:
            self.close()
            release_context(self._cuda)
            raise EngineError(
                f"{error}; the engine is closed, load it again (~/reload_engine), and restart the "
                "node if that fails"
            ) from error

    def close(self) -> None:
        """Release plans and memory."""
        for runner in (self._detector, self._probe):
            if runner is not None:
                runner.close()
        self._detector = self._probe = None

    def _load(self, name: str) -> TensorRtRunner:
        plan = self._plans[name]
        return TensorRtRunner(
            self._trt,
            self._cuda,
            self._folder / name,
            read_bindings(plan["inputs"]),
            read_bindings(plan["outputs"]),
        )


def read_bindings(values: list[dict[str, Any]]) -> tuple[Binding, ...]:
    """Bindings as ``engine.json`` has them."""
    return tuple(Binding(v["name"], tuple(v["shape"]), np.dtype(v["dtype"]).name) for v in values)


def release_context(cuda: CudaRuntime) -> None:
    """Drop this process's CUDA context; after an error of CUDA's that is all that helps."""
    with contextlib.suppress(EngineError):  # the next load says what is wrong
        cuda.reset()
