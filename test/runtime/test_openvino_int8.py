"""An INT8 graph is accepted if it is right, and refused if one layer of it is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from network.random_models import MICRO, SIZE, save_random_model
from openvino import opset13 as opset
from torch import Tensor, nn

from mdacl_ros.errors import EngineError
from mdacl_ros.network.precision import PARTS, TypedConv2d, fake_quantiser, quantisable
from mdacl_ros.network.probe import ProbeOutput
from mdacl_ros.network.weights import load_detector
from mdacl_ros.runtime import openvino_build
from mdacl_ros.runtime.openvino_int8 import (
    CPU_WEIGHT_STEPS,
    check_convolutions,
    check_kernels,
    check_whole,
    quantised_nodes,
)
from mdacl_ros.runtime.quantisation import write_quantisation
from mdacl_tools.learning.ranges import measure_ranges
from mdacl_tools.learning.samples import Sample

SMALL = (32, 24)


class Stack(nn.Module):
    """Three quantised convolutions: dense, per channel, dense; ranges as large as the inputs."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        convs = [nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 16, 3, 1, 1, groups=16)]
        x = _images()
        self.layers = nn.ModuleList()
        for conv in (*convs, nn.Conv2d(16, 8, 1)):
            for parameter in conv.parameters():
                parameter.data.normal_(0.0, 0.3, generator=generator)
            largest = float(x.abs().max())
            layer = TypedConv2d(
                conv, torch.float32, True, largest, fake_quantiser(CPU_WEIGHT_STEPS)
            ).requires_grad_(False)
            x = F.silu(layer(x))
            self.layers.append(layer)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = F.silu(layer(x))
        return x


def _images() -> Tensor:
    return torch.rand(1, 3, *SMALL, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def graph() -> ov.Model:
    """As OpenVINO converts it."""
    return ov.convert_model(torch.export.export(Stack().eval(), (_images(),)))


@pytest.fixture
def network() -> Stack:
    return Stack().eval()


def test_a_right_graph_is_accepted(graph: ov.Model, network: Stack) -> None:
    check_convolutions(graph, network, (_images(),))
    assert sum(1 for _ in quantised_nodes(graph)) == 3


@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("factor", [4.0, 0.25])
def test_a_wrong_range_of_one_layer_is_refused(
    graph: ov.Model, network: Stack, layer: int, factor: float
) -> None:
    network.layers[layer].amax.mul_(factor)
    with pytest.raises(EngineError, match=rf"INT8 convolution layers\.{layer} differs"):
        check_convolutions(graph, network, (_images(),))


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_other_weights_in_one_layer_are_refused(
    graph: ov.Model, network: Stack, layer: int
) -> None:
    weight = network.layers[layer].weight
    weight.add_(0.1 * weight.std() * torch.randn(weight.shape))
    with pytest.raises(
        EngineError, match=r"weights of convolution .* are not those of the network"
    ):
        check_convolutions(graph, network, (_images(),))


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_layer_left_in_float_is_refused(graph: ov.Model, network: Stack, layer: int) -> None:
    left = graph.clone()
    conv, quantiser = list(quantised_nodes(left))[layer]
    conv.input(0).replace_source_output(quantiser.input_value(0))
    with pytest.raises(EngineError, match="has 2 quantised convolutions, wanted 3"):
        check_convolutions(left, network, (_images(),))


@pytest.mark.slow
@pytest.mark.timeout(600)  # two exports of a detector
def test_a_detector_with_its_own_ranges_is_built(tmp_path: Path) -> None:
    """Random weights: the limits are not made for the shipped ones."""
    model = save_random_model(tmp_path / "model", MICRO)
    rgb, thermal, _ = openvino_build.check_images(SIZE, "day")
    seen = Sample(
        name="rendered",
        rgb=rgb[0].numpy(),
        thermal=thermal[0, 0].numpy(),
        boxes=np.zeros((0, 4), np.float32),
        labels=np.zeros(0, np.int64),
        ignore=np.zeros(0, bool),
        visible=np.zeros((0, 2), bool),
        exhaustive=np.ones(3, bool),
    )
    write_quantisation(model, measure_ranges(model, [seen], "rendered"))
    detector, probe = tmp_path / "detector.xml", tmp_path / "probe.xml"
    openvino_build.convert(model, SIZE, "int8", detector, probe, lambda *_: None)
    network = load_detector(model)
    for path, parts in ((detector, PARTS), (probe, ("streams",))):
        found = sum(1 for _ in quantised_nodes(ov.Core().read_model(path)))
        assert found == len(quantisable(network, parts))


def test_a_graph_without_quantisers_is_no_int8_engine() -> None:
    """OpenVINO would compute it in float32 and not say so."""
    x = opset.parameter([1, 4, 8, 8], ov.Type.f32, name="x")
    weight = opset.constant(np.ones((4, 4, 1, 1), np.float32))
    graph = ov.Model([opset.convolution(x, weight, [1, 1], [0, 0], [0, 0], [1, 1])], [x])
    compiled = ov.Core().compile_model(graph, "CPU")
    with pytest.raises(EngineError, match="0 of 0 quantised convolutions run in INT8"):
        check_kernels(compiled, graph)


def _output(gates: float, shift: float = 0.0) -> ProbeOutput:
    corners = torch.arange(6)[None, :, None] * 40.0 + torch.tensor([0.0, 0.0, 20.0, 30.0])
    maps = torch.full((1, 2, 3), 0.8)
    rows = torch.ones(1, 2, 6)
    return ProbeOutput(
        boxes=corners + shift,
        scores=torch.linspace(0.9, 0.1, 6)[None],
        labels=torch.zeros(1, 6),
        gates=torch.full((1, 2, 3), gates),
        entropies=maps,
        energies=maps,
        box_energies=rows,
        sensitivities=maps[..., 0],
        alone_boxes=corners[:, None].repeat(1, 2, 1, 1),
        alone_scores=torch.full((1, 2, 6), 0.5 * gates),
        alone_labels=torch.zeros(1, 2, 6),
    )


@pytest.mark.parametrize(
    ("ours", "refused"),
    [
        (_output(1.01), ""),
        (_output(0.95), "gates differ"),
        (_output(1.0, shift=4.0), r"boxes \(px\) differ"),
    ],
)
def test_the_whole_may_differ_as_much_as_quantisation_does(ours: ProbeOutput, refused: str) -> None:
    quantised, exact = [_output(1.0)], [_output(1.02, shift=1.0)]
    answers = [[x.numpy() for x in ours]]
    if not refused:
        check_whole(answers, quantised, exact)
        return
    with pytest.raises(EngineError, match=refused):
        check_whole(answers, quantised, exact)
