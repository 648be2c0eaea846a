"""Build one TensorRT network into a plan: observed, cancellable, within a memory limit."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.engine import Progress
from mdacl_ros.runtime.tensorrt_library import error_recorder
from mdacl_ros.runtime.tensorrt_progress import build_monitor
from mdacl_ros.whole_file import write_whole

LARGEST_WORKSPACE = 1 << 30
"""Bytes of scratch memory the builder may try kernels with; a Jetson shares its memory."""

NO_MEMORY = ("out of memory", "outofmemory", "could not find any implementation")
"""How TensorRT says that memory was short; the last is what users meet on a Jetson."""


@dataclass(frozen=True, slots=True)
class Binding:
    """An input or output of an engine.

    Attributes:
        name: TensorRT's name.
        shape: Static shape.
        dtype: NumPy's name of the type.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A built network.

    Attributes:
        data: Serialised engine.
        inputs: In the order of the network's arguments.
        outputs: In the order of what it returns.
        layers: Layers before fusion, by type.
        types: The same, by type of the first output.
        quantised_weights: QUANTIZE layers with a scale for each channel: those of weights.
    """

    data: bytes
    inputs: tuple[Binding, ...]
    outputs: tuple[Binding, ...]
    layers: dict[str, int]
    types: dict[str, int]
    quantised_weights: int

    def facts(self) -> dict[str, Any]:
        """What ``engine.json`` keeps of it: everything but the bytes, and their number."""
        values = {name: value for name, value in asdict(self).items() if name != "data"}
        return {"bytes": len(self.data), **values}


@dataclass(frozen=True, slots=True)
class BuildLimits:
    """What a build may use.

    Attributes:
        workspace: Bytes of scratch memory; see :func:`workspace_limit`.
        timing_cache: File of kernel timings that builds of this machine share; ``None`` for none.
        for_this_device: Build for the GPU that is here. False where there is none: TensorRT-RTX
            then builds for its default set.
    """

    workspace: int = LARGEST_WORKSPACE
    timing_cache: Path | None = None
    for_this_device: bool = True


def workspace_limit(free: int) -> int:
    """Scratch memory for a build where ``free`` bytes are free: a quarter, at most 1 GiB."""
    return min(LARGEST_WORKSPACE, free // 4)


def build_plan(
    trt: Any, builder: Any, network: Any, config: Any, limits: BuildLimits, progress: Progress
) -> Plan:
    """Build a network; whichever front end made it.

    Args:
        trt: TensorRT's module.
        builder: ``trt.Builder``.
        network: ``trt.INetworkDefinition``.
        config: ``trt.IBuilderConfig``.
        limits: What the build may use.
        progress: Called with the build's fraction and phase; raising ends the build.

    Raises:
        EngineError: TensorRT cannot build it.
        BaseException: What ``progress`` raised.
    """
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, limits.workspace)
    if limits.for_this_device and hasattr(config, "set_compute_capability"):
        config.num_compute_capabilities = 1
        config.set_compute_capability(trt.ComputeCapability.CURRENT, 0)
    errors = builder.error_recorder = error_recorder(trt)
    monitor = config.progress_monitor = build_monitor(trt, progress)
    _use_timings(config, limits.timing_cache)
    data = builder.build_serialized_network(network, config)
    if monitor.raised is not None:
        raise monitor.raised
    if data is None:
        raise EngineError(explain(errors.texts, limits.workspace))
    _keep_timings(config, limits.timing_cache)
    layers = [network.get_layer(i) for i in range(network.num_layers)]
    return Plan(
        bytes(data),
        tuple(_binding(trt, network.get_input(i)) for i in range(network.num_inputs)),
        tuple(_binding(trt, network.get_output(i)) for i in range(network.num_outputs)),
        dict(Counter(layer.type.name for layer in layers).most_common()),
        dict(Counter(layer.get_output(0).dtype.name for layer in layers).most_common()),
        sum(_scales_channels(layer) for layer in layers),
    )


def _scales_channels(layer: Any) -> bool:
    """Whether a layer quantises with one scale a channel."""
    return layer.type.name == "QUANTIZE" and len(layer.get_input(1).shape) == 1


def explain(texts: list[str], workspace: int) -> str:
    """One line for what TensorRT reported of a failed build."""
    lines = [" ".join(text.split())[:300] for text in texts]
    short = next((x for x in lines if any(sign in x.lower() for sign in NO_MEMORY)), "")
    if short:
        return (
            f"tensorrt: out of memory while building, with {workspace >> 20} MiB of workspace "
            f"({short}); close other programs and build again with `mdacl build`"
        )
    return f"tensorrt: the engine was not built: {lines[0] if lines else 'no reason given'}"


def _binding(trt: Any, tensor: Any) -> Binding:
    return Binding(tensor.name, tuple(tensor.shape), np.dtype(trt.nptype(tensor.dtype)).name)


def _use_timings(config: Any, file: Path | None) -> None:
    """Start from the timings of earlier builds, if there are any."""
    if file is None:
        return
    known = file.read_bytes() if file.is_file() else b""
    cache = config.create_timing_cache(known)
    if cache is None or not config.set_timing_cache(cache, ignore_mismatch=False):
        config.set_timing_cache(config.create_timing_cache(b""), ignore_mismatch=False)


def _keep_timings(config: Any, file: Path | None) -> None:
    """Keep the timings for the next build; another build at once may win, both are complete."""
    cache = config.get_timing_cache() if file is not None else None
    if file is not None and cache is not None:
        write_whole(file, bytes(cache.serialize()))
