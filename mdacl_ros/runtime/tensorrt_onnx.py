"""The front end ONNX: PyTorch graph -> ONNX -> TensorRT's own parser -> plan.

For machines that have no torch-tensorrt, such as an Orin with JetPack 7.2.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mdacl_ros.errors import EngineError
from mdacl_ros.runtime.engine import Progress
from mdacl_ros.runtime.tensorrt_library import load_tensorrt, quiet_logger
from mdacl_ros.runtime.tensorrt_plan import BuildLimits, Plan, build_plan
from mdacl_ros.runtime.tensorrt_quantiser import onnx_translation

OPSET = 18


def convert_with_onnx(
    module: nn.Module, inputs: tuple[Tensor, ...], limits: BuildLimits, progress: Progress
) -> Plan:
    """Build a module into one plan; arguments and errors as for the front end torch-tensorrt.

    Raises:
        EngineError: The graph cannot be exported or parsed, or TensorRT cannot build it.
    """
    progress(0.0, "exporting the graph to ONNX")
    model = onnx_model(module, inputs)
    progress(0.35, "parsing the ONNX graph")
    trt = load_tensorrt()
    builder = trt.Builder(quiet_logger(trt))
    network = builder.create_network(_strongly_typed(trt))
    parser = trt.OnnxParser(network, builder.logger)
    if not parser.parse(model):
        raise EngineError(f"tensorrt: the ONNX graph cannot be parsed: {_reasons(parser)}")
    config = builder.create_builder_config()
    return build_plan(
        trt, builder, network, config, limits, lambda f, what: progress(0.4 + 0.6 * f, what)
    )


def onnx_model(module: nn.Module, inputs: tuple[Tensor, ...]) -> bytes:
    """Export a module as a serialised ONNX model with its weights inside.

    Raises:
        EngineError: The exporter refused.
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # operators of packages not used
        try:
            program = torch.onnx.export(
                module,
                inputs,
                dynamo=True,
                opset_version=OPSET,
                verbose=False,
                custom_translation_table=onnx_translation(),
            )
        except Exception as error:  # the exporter wraps whatever its passes raise
            line = str(error).strip().splitlines()[:1] or [type(error).__name__]
            raise EngineError(f"tensorrt: the ONNX export failed ({line[0][:200]})") from error
    assert program is not None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.onnx"
        program.save(file, external_data=False)
        return file.read_bytes()


def _strongly_typed(trt: Any) -> int:
    """The network flag by which types are the graph's; TensorRT-RTX and 11 know no other kind."""
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _reasons(parser: Any) -> str:
    found = [" ".join(str(parser.get_error(i)).split()) for i in range(parser.num_errors)]
    return "; ".join(found)[:300] or "no reason given"
