"""Exact dominance and reliance as a static graph, so that it runs wherever the detector runs.

The graph answers as the detector does, also with each camera alone, and measures the gradient. The
gradient of the detection evidence with respect to the calibrated features needs only fusion,
neck and head. It is written out as one forward graph (``torch.func`` traced by ``make_fx``) whose
backward operations are expressed in operations that every engine has.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mdacl_ros.errors import EngineError
from mdacl_ros.network.box_dominance import response_maps
from mdacl_ros.network.detector import Detector, DetectorOutput
from mdacl_ros.network.fusion import ConcatFusion
from mdacl_ros.network.layers import ConvNormAct, ScaleShift
from mdacl_ros.network.reliance import predict_alone


class ProbeOutput(NamedTuple):
    """:class:`DetectorOutput`, the exact task-response sensitivities, and each camera alone.

    Sensitivities are ``(B, M)``; the others as in :class:`.reliance.AlonePredictions`.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    gates: Tensor
    entropies: Tensor
    energies: Tensor
    box_energies: Tensor
    sensitivities: Tensor
    alone_boxes: Tensor
    alone_scores: Tensor
    alone_labels: Tensor


class Probe(nn.Module):
    """A detector that also measures what its evidence hangs on, and detects with each camera alone.

    ``G_m`` is the sum of :func:`.box_dominance.response_maps`, with S the sum of all logits, each
    weighted by its squared probability: sure objects count, noise does not, and saturated scores
    keep their slope. After arXiv 2601.00598, own formulation.

    Args:
        detector: A detector in eval mode.
    """

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, rgb: Tensor, thermal: Tensor, present: Tensor) -> ProbeOutput:
        """Detect and probe; arguments as for :meth:`Detector.forward`."""
        pyramids = self.detector.extract(rgb, thermal, present)
        inputs = self.detector.calibrate(pyramids, present)

        def evidence(features: list[Tensor]) -> tuple[Tensor, DetectorOutput]:
            dense, maps = self.detector.respond(features, inputs.masks)
            return logit_evidence(dense.logits), self.detector.answer(inputs, dense, maps)

        gradients, answer = torch.func.grad(evidence, has_aux=True)(inputs.features)
        maps = response_maps(inputs.features, gradients, len(self.detector.cameras))
        sensitivities = torch.stack([level.sum((2, 3)) for level in maps]).sum(0)  # (B, M)
        alone = predict_alone(self.detector, pyramids, present)
        return ProbeOutput(
            **answer._asdict(),
            sensitivities=self.detector.for_both(sensitivities),
            alone_boxes=alone.boxes,
            alone_scores=alone.scores,
            alone_labels=alone.labels,
        )


def logit_evidence(logits: Tensor) -> Tensor:
    """Sum of logits, each weighted by its squared probability (no gradient through the weight).

    Taken from the logits themselves: float32 scores near 1 have lost their slope. Of all cells, not
    of the top-k alone: the weights of the others add less than 0.5 % in nano and small.
    """
    return (logits.detach().sigmoid() ** 2 * logits).sum()


def fold_norms(detector: Detector) -> Detector:
    """Fold every BatchNorm into the convolution before it, in place (eval mode only)."""
    for module in detector.modules():
        if isinstance(module, ConvNormAct) and isinstance(module.norm, nn.BatchNorm2d):
            module.conv = fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
        elif isinstance(module, ConcatFusion) and isinstance(module.norm, nn.BatchNorm2d):
            module.norm = ScaleShift(module.norm)
    return detector


class _Swish(nn.Module):
    """SiLU in two operations: its derivative then needs no in-place operation."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x)


def trace_probe(detector: Detector, size: tuple[int, int]) -> nn.Module:
    """Write forward and backward pass out as one graph without autograd.

    Args:
        detector: In eval mode, norms folded (:func:`fold_norms`).
        size: Width and height of the network input in pixels.

    Returns:
        A module with the signature of :class:`Probe`, returning a plain tuple.
    """
    detector = copy.deepcopy(detector)
    for module in list(detector.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.SiLU):
                setattr(module, name, _Swish())
    example = example_inputs(size)
    with torch.no_grad():
        graph = make_fx(
            lambda *args: tuple(Probe(detector)(*args)), decomposition_table=_DECOMPOSITIONS
        )(*example)
    return _convertible(graph)


def _convertible(graph: torch.fx.GraphModule) -> torch.fx.GraphModule:
    """Give upsampling back the overload that torch-tensorrt converts; make_fx takes it apart."""
    for node in graph.graph.nodes:
        if node.target is torch.ops.aten.upsample_nearest2d.default:
            x, size, *_ = node.args
            node.target, node.args = torch.ops.aten.upsample_nearest2d.vec, (x, size, None)
    graph.recompile()
    return graph


def example_inputs(size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs of the right shapes for tracing: rgb, thermal, present."""
    width, height = size
    generator = torch.Generator().manual_seed(0)
    return (
        torch.rand(1, 3, height, width, generator=generator),
        torch.rand(1, 1, height, width, generator=generator),
        torch.ones(1, 2, height // 32, width // 32),
    )


def _convolution_backward(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Any,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    _output_padding: list[int],
    groups: int,
    _mask: list[bool],
) -> tuple[Tensor, None, None]:
    """Gradient with respect to the input only, of an undilated convolution.

    With stride 1 it is an ordinary convolution with mirrored kernels. OpenVINO 2026.4 computes the
    equivalent 1x1 transposed convolution wrongly on this CPU's AVX-512 path, so that form is kept
    for the strided depthwise layers alone.
    """
    if transposed or list(dilation) != [1, 1]:
        raise EngineError("gradient probe: got a transposed or dilated convolution, wanted neither")
    depthwise = weight.shape[1] == 1 and groups == weight.shape[0] == x.shape[1]
    if list(stride) == [1, 1] and (groups == 1 or depthwise):
        kernel = weight if depthwise else weight.transpose(0, 1)
        around = [k - 1 - p for k, p in zip(weight.shape[2:], padding, strict=True)]
        back = F.conv2d(grad, kernel.flip(2, 3), None, 1, around, 1, groups)
        return back, None, None
    missing = [
        x.shape[2 + i]
        - ((grad.shape[2 + i] - 1) * stride[i] - 2 * padding[i] + weight.shape[2 + i])
        for i in range(2)
    ]
    back = F.conv_transpose2d(grad, weight, None, stride, padding, missing, groups)
    return back, None, None


def _upsample_backward(
    grad: Tensor, _size: list[int], _input_size: list[int], *_scales: float | None
) -> Tensor:
    """Gradient of nearest-neighbour doubling: the sum of the four copies."""
    return F.avg_pool2d(grad, 2) * 4.0


def _sigmoid_backward(grad: Tensor, s: Tensor) -> Tensor:
    """Gradient of the sigmoid, given its output."""
    return grad * (s * (1.0 - s))


def _hardtanh_backward(grad: Tensor, x: Tensor, low: float, high: float) -> Tensor:
    """Gradient of ReLU6: it passes inside the bounds."""
    return grad * ((x > low) & (x < high)).to(grad.dtype)


_DECOMPOSITIONS: dict[Any, Callable[..., Any]] = {
    torch.ops.aten.convolution_backward.default: _convolution_backward,
    torch.ops.aten.sigmoid_backward.default: _sigmoid_backward,
    torch.ops.aten.upsample_nearest2d_backward.default: _upsample_backward,
    torch.ops.aten.hardtanh_backward.default: _hardtanh_backward,
}
