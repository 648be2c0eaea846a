"""Whether OpenVINO's INT8 graph computes what the network with fake quantisers says.

Values on the edge between two steps are rounded either way, and every later quantiser amplifies
that: after a dozen layers two correct implementations may differ by as much as quantisation itself
changes, and no tolerance separates that from one wrong layer. So every convolution is
checked alone, on the inputs that OpenVINO gave it; the outputs of the whole graph only have to be
within twice the effect of quantisation. Both limits are relative to the effect
of quantisation, so they hold for any weights.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import openvino as ov
import torch
from torch import Tensor, nn

from mdacl_ros.errors import EngineError
from mdacl_ros.network.precision import TypedConv2d
from mdacl_ros.network.probe import ProbeOutput
from mdacl_ros.types import FloatArray

CPU_WEIGHT_STEPS = 63
"""Largest magnitude of an INT8 weight: without VNNI a CPU adds two products of 8 bits in 16 and
saturates with 127. One graph for all CPUs, so that measured accuracy is that of every robot."""

LAYER_LIMIT = 0.5
"""RMS of a convolution's difference, in units of that between quantised and float convolution.
Measured: at most 0.22 in small, nano and a random model; 0.75 and more with a range off by four
in either direction. A convolution left in float has 1."""

WHOLE_LIMIT = 2.0
"""The same for each output of the whole graph. Two independent roundings differ by sqrt(2) of what
one changes; the rest is for outputs of few numbers. Measured: 0.04 to 0.6, sensitivities of a
random model 1.0."""

_LEAST = {
    "scores": 2e-3,
    "alone_scores": 2e-3,
    "gates": 2e-3,
    "entropies": 2e-3,
    "energies": 0.01,
    "sensitivities": 0.02,
}
"""Differences allowed in any case, relative to the RMS of the output."""

Boxes = tuple[FloatArray, FloatArray]
"""Boxes ``(N, 4)`` and labels ``(N,)`` of one scene."""

_REMEDY = "set precision to float32 and report the OpenVINO version"
_CONVOLUTIONS = ("Convolution", "GroupConvolution")
_INTEGERS = ("u8", "i8")


def check_kernels(compiled: ov.CompiledModel, graph: ov.Model) -> None:
    """Refuse a compiled graph in which a quantised convolution runs in float.

    Raises:
        EngineError: Fewer convolutions run on 8-bit integers than the graph has quantised ones.
    """
    wanted = sum(1 for _ in quantised_nodes(graph))
    running = sum(
        _executed(op, "layerType") == "Convolution"
        and _executed(op, "runtimePrecision") in _INTEGERS
        for op in compiled.get_runtime_model().get_ops()
    )
    if not 0 < wanted <= running:
        raise EngineError(
            f"openvino: {running} of {wanted} quantised convolutions run in INT8 on this CPU; "
            + _REMEDY
        )


def check_convolutions(graph: ov.Model, network: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Compare every quantised convolution, on OpenVINO's own inputs of it, with the network's.

    Args:
        graph: As converted.
        network: From which it was made; its quantised convolutions are the reference.
        inputs: Images for the graph.

    Raises:
        EngineError: One is missing, was given other weights or another range, or its kernel
            computes something else.
    """
    modules = {
        name: m for name, m in network.named_modules() if isinstance(m, TypedConv2d) and m.quantised
    }
    nodes = list(quantised_nodes(graph))
    if len(nodes) != len(modules):
        raise EngineError(
            f"openvino: the graph has {len(nodes)} quantised convolutions, wanted {len(modules)}; "
            + _REMEDY
        )
    seen = [out for conv, fq in nodes for out in (fq.input_value(0), conv.output(0))]
    exposed = ov.Model(seen, graph.get_parameters())
    compiled = ov.Core().compile_model(exposed, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    check_kernels(compiled, graph)
    results = compiled([x.numpy() for x in inputs])
    for i, (conv, _) in enumerate(nodes):
        name = _named(conv, modules)
        module = modules.pop(name)
        x, y = (torch.from_numpy(np.array(results[2 * i + k])) for k in (0, 1))
        ratio = _distance(module, x, y)
        if not ratio <= LAYER_LIMIT:
            raise EngineError(
                f"openvino: INT8 convolution {name} differs from PyTorch by {ratio:.2g} of the "
                f"effect of quantisation, wanted at most {LAYER_LIMIT:g}; {_REMEDY}"
            )


def check_whole(
    answers: list[list[FloatArray]], quantised: list[ProbeOutput], exact: list[ProbeOutput]
) -> None:
    """Refuse a graph that differs by more than twice what quantisation changes.

    Rows of boxes change places where scores are alike, so scores are compared in their order and
    each box with the nearest of its class. What is measured per box follows from the maps and the
    boxes, and is not compared again; boxes of one camera alone leave the same head.

    Args:
        answers: Of the graph, a list of outputs in the order of :class:`ProbeOutput` per scene.
        quantised: Of the network with fake quantisers.
        exact: Of the float32 network.

    Raises:
        EngineError: An output is further away.
    """
    count = len(answers[0])
    for i, name in enumerate(ProbeOutput._fields[:count]):
        if name not in _LEAST:
            continue
        ours = np.stack([a[i] for a in answers])
        theirs, float32 = (np.stack([o[i].numpy() for o in of]) for of in (quantised, exact))
        least = _LEAST[name] * _rms(theirs)
        _accept(name, _rms(ours - theirs), WHOLE_LIMIT * _rms(float32 - theirs) + least)
    boxes, labels = (ProbeOutput._fields.index(name) for name in ("boxes", "labels"))
    found = [(a[boxes][0], a[labels][0]) for a in answers]
    wanted, plain = (
        [(o.boxes.numpy()[0], o.labels.numpy()[0]) for o in of] for of in (quantised, exact)
    )
    effect = _median_apart(plain, wanted)
    _accept("boxes (px)", _median_apart(found, wanted), WHOLE_LIMIT * effect + 1.0)


def quantised_nodes(graph: ov.Model) -> Iterator[tuple[ov.Node, ov.Node]]:
    """Each convolution of a graph whose input is quantised, and the quantiser."""
    for op in graph.get_ordered_ops():
        if op.get_type_name() in _CONVOLUTIONS:
            source = op.input_value(0).get_node()
            if source.get_type_name() == "Pad":
                source = source.input_value(0).get_node()
            if source.get_type_name() == "FakeQuantize":
                yield op, source


def _named(conv: ov.Node, modules: dict[str, TypedConv2d]) -> str:
    """The module that has the weights of a node."""
    node = conv.input_value(1).get_node()
    while node.get_type_name() != "Constant":
        node = node.input_value(0).get_node()
    given = np.array(node.data).astype(np.float32)
    for name, module in modules.items():
        weight = module.weight.numpy()
        if weight.size == given.size:
            steps, wanted = (_steps(w.reshape(len(weight), -1)) for w in (given, weight))
            if np.abs(steps - wanted).max() <= 1.01:  # an edge between two steps
                return name
    raise EngineError(
        f"openvino: the weights of convolution {conv.get_friendly_name()} are not those "
        f"of the network; {_REMEDY}"
    )


def _steps(weight: FloatArray) -> FloatArray:
    """Weights ``(O, n)``, float or integer, in steps of their output channel."""
    largest = np.abs(weight).max(1, keepdims=True).clip(1e-8)
    return np.round(weight / largest * CPU_WEIGHT_STEPS)


@torch.no_grad()
def _distance(module: TypedConv2d, x: Tensor, y: Tensor) -> float:
    """RMS of ``y`` against the module's output, in units of the effect of quantisation."""
    plain = copy.copy(module)
    plain.quantised = False
    wanted = module(x)
    bias = 0.0 if module.bias is None else module.bias.view(1, -1, 1, 1)
    effect = _rms((plain(x) - wanted).numpy())
    return _rms((wanted - bias - y).numpy()) / max(effect, 1e-5 * _rms(wanted.numpy()), 1e-12)


def _median_apart(rows: list[Boxes], reference: list[Boxes]) -> float:
    """Pixels to the nearest box of the same class; the median of all."""
    nearest = []
    for (boxes, labels), (others, other_labels) in zip(rows, reference, strict=True):
        apart = np.abs(boxes[:, None] - others).max(axis=2)
        nearest.append(np.where(labels[:, None] == other_labels, apart, 1e4).min(1))
    return float(np.median(np.concatenate(nearest)))


def _rms(x: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


def _accept(what: str, difference: float, limit: float) -> None:
    if not difference <= limit:
        raise EngineError(
            f"openvino: INT8 {what} differ from PyTorch by {difference:.2g} (RMS; boxes: median), "
            f"wanted at most {limit:.2g}; {_REMEDY}"
        )


def _executed(op: ov.Node, key: str) -> str:
    """What OpenVINO says of an operation of a compiled graph."""
    return str(op.get_rt_info()[key].value)
