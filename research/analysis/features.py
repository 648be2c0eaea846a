"""What the calibration gate does to one pair: gate values, and feature maps before and after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mdacl_ros.errors import ModelError
from mdacl_ros.network.calibration_gate import GateOutput
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.image_input import ImageInput
from mdacl_ros.network.weights import load_detector
from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.runtime.torch_engine import to_predictions
from mdacl_ros.runtime.torch_kind import TorchKind
from mdacl_ros.types import ByteArray, FloatArray, FramePair, PerceptionResult, Predictions


@dataclass(slots=True)
class GateTrace:
    """What the gates saw and did in one pass of one pair. M modalities, L levels.

    Attributes:
        instance: ``(L, M)`` instance gates in (0, 2).
        dimension: Per level, per modality ``(C,)`` dimension gates in (0, 2).
        before: Per level, per modality ``(h, w)``: mean energy of the channels of x.
        after: The same of x~, what the gate let through.
        fused: Per level ``(h, w)``: mean energy of the fused channels.
    """

    instance: list[FloatArray] = field(default_factory=list)
    dimension: list[list[FloatArray]] = field(default_factory=list)
    before: list[list[FloatArray]] = field(default_factory=list)
    after: list[list[FloatArray]] = field(default_factory=list)
    fused: list[FloatArray] = field(default_factory=list)


@contextmanager
def traced(detector: Detector) -> Iterator[GateTrace]:
    """Watch the gates and fusions of a detector through forward hooks, which change nothing.

    Args:
        detector: Used once, with a batch of one, before the context ends.

    Raises:
        ModelError: The detector has no gates.
    """
    if not len(detector.gates):
        raise ModelError(
            "model: its detector has no calibration gate (use_gate: false, or one camera), wanted "
            "one; give a gated model"
        )
    trace = GateTrace()

    def gate_hook(_: Any, inputs: tuple[Any, ...], output: GateOutput) -> None:
        trace.instance.append(output.instance[0].numpy())
        trace.dimension.append([gate[0].numpy() for gate in output.dimension])
        trace.before.append([channel_energy(x) for x in inputs[0]])
        trace.after.append([channel_energy(x) for x in output.features])

    def fusion_hook(_: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Any]) -> None:
        trace.fused.append(channel_energy(output[0]))

    hooks = [gate.register_forward_hook(gate_hook) for gate in detector.gates]
    hooks += [fusion.register_forward_hook(fusion_hook) for fusion in detector.fusions]
    try:
        yield trace
    finally:
        for hook in hooks:
            hook.remove()


def channel_energy(features: Tensor) -> FloatArray:
    """Mean square over the channels of the first image: ``(B, C, h, w)`` to ``(h, w)``."""
    return np.asarray(features[0].pow(2).mean(0).numpy(), np.float32)


class TracingEngine:
    """Eager PyTorch that keeps the trace of its newest answer; an ``Engine``.

    Args:
        model: Model folder with a gated detector.
        input_size: Network input ``(width, height)``, multiples of 32.

    Attributes:
        trace: Of the newest pair; ``None`` before the first.

    Raises:
        ModelError: The model cannot be loaded or has no gates.
    """

    name, precision, device = TorchKind.name, "float32", "CPU"

    def __init__(self, model: Path, input_size: tuple[int, int]) -> None:
        facts = read_model_facts(model)
        self.input_size, self.labels, self.estimate = input_size, facts.labels, facts.estimate
        self.trace: GateTrace | None = None
        self._detector = load_detector(model)
        self.levels = self._detector.levels
        self._input = ImageInput(self._detector)
        with traced(self._detector):
            pass  # refuses a model without gates before any image is read

    def infer(
        self, rgb: ByteArray, thermal: FloatArray, present: FloatArray, *, probe: bool = False
    ) -> Predictions:
        """See :class:`mdacl_ros.runtime.engine.Engine`; does not probe."""
        inputs = [torch.from_numpy(x) for x in (rgb, thermal, present)]
        with torch.inference_mode(), traced(self._detector) as self.trace:
            return to_predictions(self._input(*inputs))

    def close(self) -> None:
        """Nothing to release."""


@dataclass(frozen=True, slots=True)
class FeatureView:
    """One pair with its answer and what the gates did.

    Attributes:
        pair: The images.
        result: Detections and dominance.
        trace: Gates and feature maps.
    """

    pair: FramePair
    result: PerceptionResult
    trace: GateTrace


class FeatureViewer:
    """Answers single pairs and keeps what the gates did.

    Args:
        model: Model folder with a gated detector.
        input_size: Network input ``(width, height)``, multiples of 32.

    Attributes:
        levels: Number of levels at which the cameras are fused.
    """

    def __init__(self, model: Path, input_size: tuple[int, int]) -> None:
        self._engine = TracingEngine(model, input_size)
        self._perception = Perception(self._engine, None, PipelineConfig())
        self.labels, self.levels = self._engine.labels, self._engine.levels
        self.input_size = input_size

    def view(self, pair: FramePair) -> FeatureView:
        """Answer one pair as if it were the first."""
        self._perception.reset()
        result = self._perception.process(pair, registered_preview=True)
        assert self._engine.trace is not None
        return FeatureView(pair, result, self._engine.trace)
