"""PyTorch network -> TensorRT plans; the only part of the GPU engine that needs torch.

Runs in the build's own process, see :mod:`mdacl_ros.runtime.engine_build`.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from mdacl_ros.errors import EngineError
from mdacl_ros.network.image_input import ImageInput, example_images
from mdacl_ros.network.precision import PARTS, TypedConv2d, half, quantised
from mdacl_ros.network.probe import fold_norms, trace_probe
from mdacl_ros.network.weights import load_detector
from mdacl_ros.runtime.cuda_device import CudaDevice, find_cuda
from mdacl_ros.runtime.cudart import load_cudart, unusable
from mdacl_ros.runtime.engine import Progress
from mdacl_ros.runtime.quantisation import read_quantisation
from mdacl_ros.runtime.tensorrt_engine import DETECTOR, FACTS, PROBE
from mdacl_ros.runtime.tensorrt_frontends import Frontend, choose_frontend
from mdacl_ros.runtime.tensorrt_library import library_name, load_tensorrt
from mdacl_ros.runtime.tensorrt_plan import BuildLimits, Plan, workspace_limit
from mdacl_ros.runtime.tensorrt_quantiser import tensorrt_quantiser

CONVERTERS = {
    "torch_tensorrt": ("mdacl_ros.runtime.tensorrt_torch", "convert_with_torch_tensorrt"),
    "onnx": ("mdacl_ros.runtime.tensorrt_onnx", "convert_with_onnx"),
}
"""Module and function of each front end."""

LEAST_MEMORY = 512 << 20
"""Free bytes on the GPU below which a build is not begun: weights, workspace and context."""


SPANS = {DETECTOR: (0.05, 0.45), PROBE: (0.55, 0.99)}
"""Parts of the whole build; writing out the probe's backward pass lies between them."""


class Graph(NamedTuple):
    """A network to build.

    Attributes:
        file: Name of its plan.
        module: What is exported.
        quantised: Convolutions whose input and weights are INT8.
        half: Whether convolutions are in FP16.
    """

    file: str
    module: nn.Module
    quantised: int
    half: bool


def build(
    model: Path, input_size: tuple[int, int], precision: str, folder: Path, progress: Progress
) -> None:
    """Build both plans for the GPU of this machine.

    Args:
        model: Model folder with weights.
        input_size: Network input ``(width, height)``.
        precision: ``float32``, ``fp16`` or ``int8``.
        folder: Gets the plans and ``engine.json``; its parent keeps the kernel timings.
        progress: Called with what is being done; raising ends the build.

    Raises:
        ModelError: The model folder cannot be read.
        EngineError: Something is missing here, memory is short, or TensorRT cannot build it.
    """
    device, cuda, frontend = find_cuda(), load_cudart(), choose_frontend()
    if not isinstance(device, CudaDevice):
        raise EngineError(f"tensorrt: {device}")
    if reason := unusable(cuda):
        raise EngineError(f"tensorrt: {reason}")
    free = cuda.free_memory()
    if free < LEAST_MEMORY:
        raise EngineError(
            f"tensorrt: {free >> 20} MiB of memory are free on {device.name}, a build wants "
            f"{LEAST_MEMORY >> 20}; close other programs"
        )
    timings = f"tensorrt-{load_tensorrt().__version__}-{device.name.replace(' ', '-')}.timing"
    limits = BuildLimits(workspace_limit(free), folder.parent / timings)
    build_plans(model, input_size, precision, folder, frontend, limits, progress)


def build_plans(
    model: Path,
    input_size: tuple[int, int],
    precision: str,
    folder: Path,
    frontend: Frontend,
    limits: BuildLimits,
    progress: Progress,
) -> None:
    """Build both plans; needs no GPU where TensorRT does not (TensorRT-RTX).

    Args:
        model: Model folder with weights.
        input_size: Network input ``(width, height)``.
        precision: ``float32``, ``fp16`` or ``int8``.
        folder: Gets the plans and ``engine.json``.
        frontend: Which converter.
        limits: What the builds may use.
        progress: Called with what is being done; raising ends the build.

    Raises:
        ModelError: The model folder cannot be read.
        EngineError: TensorRT cannot build it.
    """
    module, name = CONVERTERS[frontend.name]
    convert = getattr(importlib.import_module(module), name)
    plans: dict[str, Any] = {}
    progress(0.0, "loading weights")
    # ONNX knows INT8 beside float32 only, up to the operator set that TensorRT 10.3 reads
    rest = torch.float32 if frontend.name == "onnx" else torch.float16
    for graph in graphs(model, precision, input_size, rest):
        low, high = SPANS[graph.file]
        started = time.monotonic()
        report = partial(_report, progress, low, high, Path(graph.file).stem)
        plan = convert(graph.module, example_images(input_size), limits, report)
        require_precision(plan, graph)
        (folder / graph.file).write_bytes(plan.data)
        seconds = round(time.monotonic() - started, 1)
        plans[graph.file] = {"seconds": seconds, **plan.facts()}
        progress(high, f"{Path(graph.file).stem}: built")
    write_facts(folder, precision, frontend, plans)
    progress(1.0, "done")


def _report(progress: Progress, low: float, high: float, plan: str, done: float, what: str) -> None:
    """Report a plan's progress as part of the whole."""
    progress(low + (high - low) * done, f"{plan}: {what}")


def graphs(
    model: Path, precision: str, input_size: tuple[int, int], rest: torch.dtype = torch.float16
) -> Iterator[Graph]:
    """The detector, then the gradient probe.

    In the probe only the streams are in FP16 or INT8: gradients underflow in half precision.

    Args:
        model: Model folder with weights.
        precision: ``float32``, ``fp16`` or ``int8``.
        input_size: Network input ``(width, height)``.
        rest: With ``int8``, the type of convolutions that are not quantised.

    Raises:
        ModelError: The folder cannot be read, or has no ranges for INT8.
    """
    for file, parts in ((DETECTOR, PARTS), (PROBE, PARTS[:1])):
        detector = fold_norms(load_detector(model)).requires_grad_(False)
        if precision == "fp16":
            half(detector, parts)
        elif precision == "int8":
            ranges = read_quantisation(model).ranges
            quantised(detector, ranges, tensorrt_quantiser(), parts, rest)
        typed = [m for m in detector.modules() if isinstance(m, TypedConv2d)]
        network = detector if file == DETECTOR else trace_probe(detector, input_size)
        yield Graph(
            file,
            ImageInput(network),
            sum(conv.quantised for conv in typed),
            any(conv.dtype == torch.float16 for conv in typed),
        )


def require_precision(plan: Plan, graph: Graph) -> None:
    """Refuse a network that lost its precision on the way: folded weights make INT8 float again.

    Raises:
        EngineError: Fewer layers than convolutions asked for are quantised, or none is half.
    """
    inputs = plan.layers.get("QUANTIZE", 0) - plan.quantised_weights  # convolutions may share one
    if plan.quantised_weights != graph.quantised or (inputs == 0 < graph.quantised):
        raise EngineError(
            f"tensorrt: the network quantises the weights of {plan.quantised_weights} convolutions "
            f"and {inputs} inputs, wanted {graph.quantised} of each; set precision to fp16"
        )
    if graph.half and not plan.types.get("HALF"):
        raise EngineError("tensorrt: no layer of the network is in FP16; set precision to float32")


def write_facts(folder: Path, precision: str, frontend: Frontend, plans: dict[str, Any]) -> None:
    """Write ``engine.json``: who built the plans, with what, and what is in them."""
    facts = {
        "library": library_name(),
        "version": str(load_tensorrt().__version__),
        "frontend": frontend.name,
        "packages": frontend.versions,
        "precision": precision,
        "plans": plans,
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")
