"""INT8 for TensorRT: one operation that stays in the graph and becomes Q and DQ layers.

torch-tensorrt has such an operation only where NVIDIA's modelopt is installed, which the robot
does not need: ranges come with the model folder.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

STEPS = 127
"""Largest magnitude of a symmetric INT8 value, for activations and weights."""

_NAME = "mdacl::quantise"


@lru_cache(maxsize=1)
def tensorrt_quantiser() -> Callable[[Tensor, Tensor], Tensor]:
    """``(x, amax) -> x`` on the INT8 grid; see :data:`mdacl_ros.network.precision.Quantiser`.

    Marked as not deterministic: constant folding leaves such operations alone, and would else
    quantise the weights now and hand float weights to TensorRT.
    """
    torch.library.define(
        _NAME, "(Tensor x, Tensor amax) -> Tensor", tags=(torch.Tag.nondeterministic_seeded,)
    )
    torch.library.impl(_NAME, "cpu", _rounded)
    torch.library.register_fake(_NAME, lambda x, amax: torch.empty_like(x))
    quantise: Callable[[Tensor, Tensor], Tensor] = torch.ops.mdacl.quantise.default
    return quantise


def _rounded(x: Tensor, amax: Tensor) -> Tensor:
    """What Q and DQ compute."""
    scale = amax.float() / STEPS
    return (torch.round(x.float() / scale).clamp(-STEPS - 1, STEPS) * scale).to(x.dtype)


@lru_cache(maxsize=1)
def teach_torch_tensorrt() -> None:
    """Register the operation's converter with torch-tensorrt; importing it comes first."""
    import tensorrt as trt
    from torch_tensorrt.dynamo.conversion import dynamo_tensorrt_converter
    from torch_tensorrt.dynamo.conversion.converter_utils import get_trt_tensor

    tensorrt_quantiser()

    @dynamo_tensorrt_converter(torch.ops.mdacl.quantise.default)
    def convert(ctx: Any, _target: Any, args: Any, _kwargs: Any, name: str) -> Any:
        x, amax = args
        x = x if isinstance(x, trt.ITensor) else get_trt_tensor(ctx, x, f"{name}_x")
        by_channel = amax.dim() > 0
        step = (amax.detach().float() / STEPS).cpu()
        scale = get_trt_tensor(
            ctx, step.flatten() if by_channel else step, f"{name}_scale", torch.float32
        )
        layers = [ctx.net.add_quantize(x, scale, trt.DataType.INT8)]
        layers.append(ctx.net.add_dequantize(layers[0].get_output(0), scale, x.dtype))
        for layer, kind in zip(layers, ("Q", "DQ"), strict=True):
            layer.name = f"{name} {kind}"
            if by_channel:
                layer.axis = 0
        return layers[1].get_output(0)


def onnx_translation() -> dict[Any, Callable[..., Any]]:
    """The operation in ONNX, for ``torch.onnx.export(custom_translation_table=...)``."""
    import onnxscript
    from onnxscript import opset18 as op

    tensorrt_quantiser()

    def quantise(x: Any, amax: Any) -> Any:
        scale = op.Div(amax, op.Constant(value_float=float(STEPS)))
        if len(amax.shape) > 0:
            scale = op.Reshape(scale, op.Constant(value_ints=[-1]))
        zero = op.Cast(op.Mul(scale, op.Constant(value_float=0.0)), to=onnxscript.INT8.dtype)
        levels = op.QuantizeLinear(x, scale, zero, axis=0)
        return op.DequantizeLinear(levels, scale, zero, axis=0)

    return {torch.ops.mdacl.quantise.default: quantise}
