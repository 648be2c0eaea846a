"""The front end torch-tensorrt: exported PyTorch graph -> TensorRT network -> plan.

Only torch-tensorrt's converters are used. It would build the engine itself, silently and with a
cache in /tmp, so the builder's call is taken over at TensorRT's own interface, which has stayed the
same from torch-tensorrt 2.6 to 2.14.
"""

from __future__ import annotations

import inspect
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.engine import Progress
from mdacl_ros.runtime.tensorrt_plan import BuildLimits, Plan, build_plan
from mdacl_ros.runtime.tensorrt_quantiser import teach_torch_tensorrt

BUILD_CALLS = ("build_serialized_network", "build_engine_with_config")
"""The methods of ``trt.Builder`` with which torch-tensorrt builds: TensorRT-RTX, TensorRT."""

OPTIONS: dict[str, Any] = {
    "use_explicit_typing": True,
    "enabled_precisions": {torch.float32},
    "offload_module_to_cpu": False,
    "min_block_size": 1,
    "immutable_weights": True,
}
"""What is asked of the conversion, of every release those it knows: it ignores the others."""


class _Done(BaseException):
    """Carries a plan, or why there is none, out of torch-tensorrt.

    Which would load the plan, cache it and serialise it again, and wrap every ``Exception``.
    """

    def __init__(self, outcome: Plan | BaseException) -> None:
        super().__init__()
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Coverage:
    """What torch-tensorrt can convert of a graph.

    Attributes:
        covered: Operations with a converter.
        operations: All operations.
        missing: Those without, by name, and how often.
        engines: Engines a partition would have.
        torch_blocks: Blocks a partition would leave to PyTorch.
    """

    covered: int
    operations: int
    missing: dict[str, int]
    engines: int
    torch_blocks: int


def convert_with_torch_tensorrt(
    module: nn.Module, inputs: tuple[Tensor, ...], limits: BuildLimits, progress: Progress
) -> Plan:
    """Build a module into one plan.

    Args:
        module: In eval mode, without gradients.
        inputs: Of the shapes and types the engine is for.
        limits: What the build may use.
        progress: Called with what is done; raising ends the build.

    Raises:
        EngineError: An operation has no converter, or TensorRT cannot build the network.
    """
    progress(0.0, "exporting the graph")
    with quiet():
        import torch_tensorrt

        teach_torch_tensorrt()
        exported = export(module, inputs)
        progress(0.15, "checking that every operation has a converter")
        require_converters(coverage(exported), torch_tensorrt.__version__)
        progress(0.25, "converting the graph")
        convert = torch_tensorrt.dynamo.convert_exported_program_to_serialized_trt_engine
        with _building(limits, lambda done, what: progress(0.4 + 0.6 * done, what)):
            try:
                convert(exported, arg_inputs=list(inputs), **known_options(convert))
            except _Done as done:
                if isinstance(done.outcome, Plan):
                    return done.outcome
                raise done.outcome from None
            except Exception as error:  # the converters raise whatever Python raises
                raise EngineError(
                    f"tensorrt: torch-tensorrt cannot convert the network ({_first_line(error)}); "
                    "install onnx and onnxscript to build through ONNX, or use engine openvino"
                ) from error
    raise EngineError(
        f"tensorrt: torch-tensorrt {torch_tensorrt.__version__} built an engine in a way that is "
        "not known; install onnx and onnxscript to build through ONNX"
    )


def export(module: nn.Module, inputs: tuple[Tensor, ...]) -> torch.export.ExportedProgram:
    """Export a module; the result's outputs are plain tensors."""
    with torch.no_grad():
        return torch.export.export(module, inputs)


def coverage(exported: torch.export.ExportedProgram) -> Coverage:
    """Ask torch-tensorrt's registry and partitioner, without converting anything."""
    from torch_tensorrt.dynamo import partitioning
    from torch_tensorrt.dynamo._settings import CompilationSettings
    from torch_tensorrt.dynamo.conversion import DYNAMO_CONVERTERS
    from torch_tensorrt.dynamo.lowering import (
        get_decompositions,
        post_lowering,
        pre_export_lowering,
    )

    teach_torch_tensorrt()
    settings = CompilationSettings(**known_options(CompilationSettings, OPTIONS))
    DYNAMO_CONVERTERS.set_compilation_settings(settings)
    exported = pre_export_lowering(exported, settings)
    asked = {"decompose_attention": getattr(settings, "decompose_attention", False)}  # not in 2.8
    asked = known_options(get_decompositions, asked)
    exported = exported.run_decompositions(
        get_decompositions(settings.enable_experimental_decompositions, **asked)
    )
    graph = post_lowering(exported.module(), settings)
    covered, operations = partitioning.get_graph_converter_support(
        graph, settings.torch_executed_ops
    )
    missing = Counter(
        DYNAMO_CONVERTERS.qualified_name_or_str(node.target).removeprefix("torch.ops.")
        for node in graph.graph.nodes
        if node.op == "call_function" and node not in DYNAMO_CONVERTERS
    )
    parts, _ = partitioning.fast_partition(graph, min_block_size=1, skip_fusion=not missing)
    names = [n for n, m in parts.named_children() if isinstance(m, torch.fx.GraphModule)]
    return Coverage(
        covered,
        operations,
        dict(missing),
        sum("_run_on_acc" in name for name in names),
        sum("_run_on_gpu" in name for name in names),
    )


def require_converters(found: Coverage, version: str) -> None:
    """Refuse a graph that torch-tensorrt cannot convert as a whole.

    Raises:
        EngineError: Names the operations.
    """
    if found.missing:
        raise EngineError(
            f"tensorrt: torch-tensorrt {version} has no converter for "
            f"{', '.join(sorted(found.missing))}; install onnx and onnxscript to build through "
            "ONNX, or set engine to openvino"
        )


def known_options(
    call: Callable[..., Any], options: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Those options that a release's function names; unknown ones it would swallow silently."""
    named = inspect.signature(call).parameters
    return {k: v for k, v in (OPTIONS if options is None else options).items() if k in named}


@contextmanager
def _building(limits: BuildLimits, progress: Progress) -> Iterator[None]:
    """Take over what torch-tensorrt would call to build the network it has converted."""
    import tensorrt as trt  # torch-tensorrt gives TensorRT-RTX this name as well

    builder = trt.Builder
    calls = {name: getattr(builder, name) for name in BUILD_CALLS if hasattr(builder, name)}

    def build(self: Any, network: Any, config: Any) -> None:
        for name, call in calls.items():
            setattr(builder, name, call)
        try:
            outcome: Plan | BaseException = build_plan(trt, self, network, config, limits, progress)
        except BaseException as error:
            outcome = error
        raise _Done(outcome)

    for name in calls:
        setattr(builder, name, build)
    try:
        yield
    finally:
        for name, call in calls.items():
            setattr(builder, name, call)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep notes on deprecated parts of torch and on options not taken from the build log."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _first_line(error: BaseException) -> str:
    """The cause in one line: torch-tensorrt's own message holds the whole module, 300 kB."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)[
        :200
    ]
