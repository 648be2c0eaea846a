"""What a build accepts as equal to PyTorch, and what its process reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from network.random_models import MICRO, ONE_TRUNK, SIZE, save_random_model

from mdacl_ros.errors import EngineError
from mdacl_ros.network.probe import ProbeOutput
from mdacl_ros.runtime import openvino_build
from mdacl_ros.runtime.openvino_build import compare
from mdacl_ros.types import FloatArray

ROWS = 6


@pytest.fixture
def reference() -> ProbeOutput:
    corners = torch.arange(ROWS)[None, :, None] * 40.0
    return ProbeOutput(
        boxes=corners + torch.tensor([0.0, 0.0, 20.0, 30.0]),
        scores=torch.tensor([[0.9, 0.8, 0.7, 0.7, 0.6, 0.1]]),
        labels=torch.tensor([[0, 1, 0, 0, 2, 0]]),
        gates=torch.full((1, 2, 3), 1.2),
        entropies=torch.full((1, 2, 3), 0.8),
        energies=torch.tensor([[[5.0, 3.0, 1.0], [0.5, 0.0, 0.2]]]),
        box_energies=torch.linspace(1.0, 2.0, 2 * ROWS).reshape(1, 2, ROWS),
        sensitivities=torch.tensor([[2.0, 0.5]]),
        alone_boxes=(corners + torch.tensor([0.0, 0.0, 20.0, 30.0]))[:, None].repeat(1, 2, 1, 1),
        alone_scores=torch.linspace(0.9, 0.1, ROWS).repeat(1, 2, 1),
        alone_labels=torch.zeros(1, 2, ROWS, dtype=torch.int64),
    )


def answers(reference: ProbeOutput) -> dict[str, FloatArray]:
    return {name: value.numpy().copy() for name, value in reference._asdict().items()}


def test_equal_answers_are_accepted_also_without_the_probe(reference: ProbeOutput) -> None:
    outputs = list(answers(reference).values())
    compare(outputs, reference)
    compare(outputs[:7], reference)


def test_rows_of_equal_score_may_change_places(reference: ProbeOutput) -> None:
    ours = answers(reference)
    for rows in (ours["boxes"][0], ours["box_energies"][0].T):
        rows[[2, 3]] = rows[[3, 2]]
    ours["boxes"][0, -1] += 100  # the last row: another candidate of equal score
    compare(list(ours.values()), reference)


@pytest.mark.parametrize(
    ("name", "place", "change", "says"),
    [
        ("scores", (0, 1), 0.01, "scores differ from PyTorch by 0.01"),
        ("boxes", (0, 0, 2), 1.0, r"boxes \(px\) differ from PyTorch by 1,"),
        ("boxes", (0, 3, 0), np.nan, "boxes"),
        ("labels", (0, 4), -1, "boxes"),
        ("gates", (0, 1, 2), 0.01, "gates"),
        ("entropies", (0, 0, 0), -0.01, "entropies"),
        ("energies", (0, 1, 0), 0.02, "relative energies"),
        ("box_energies", (0, 1, 4), 0.1, "relative box_energies"),
        ("sensitivities", (0, 1), 0.02, "relative sensitivities"),
        ("alone_scores", (0, 1, 1), np.nan, "alone_scores"),
        ("alone_boxes", (0, 1, 2, 3), 1.0, r"alone_boxes \(px\)"),
    ],
)
def test_every_output_is_compared(
    reference: ProbeOutput, name: str, place: tuple[int, ...], change: float, says: str
) -> None:
    ours = answers(reference)
    ours[name][place] += change
    with pytest.raises(EngineError, match=says):
        compare(list(ours.values()), reference)


@pytest.mark.slow  # a whole build each
@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_a_detector_of_one_camera_keeps_all_inputs(camera: str, tmp_path: Path) -> None:
    """The converter drops a first input that nothing uses."""
    save_random_model(tmp_path / "model", replace(MICRO, modalities=(camera,)))
    stages: list[str] = []
    openvino_build.convert(
        tmp_path / "model",
        SIZE,
        "float32",
        tmp_path / "detector.xml",
        tmp_path / "probe.xml",
        lambda _, stage: stages.append(stage),
    )
    assert stages[-1] == "checking the gradient probe against PyTorch"
    graph = ov.Core().read_model(tmp_path / "detector.xml")
    assert [x.get_any_name() for x in graph.inputs] == ["rgb", "thermal", "present"]


@pytest.mark.slow
def test_attention_between_the_cameras_can_be_built(tmp_path: Path) -> None:
    """Also its gradient, which the probe needs."""
    save_random_model(tmp_path / "model", replace(MICRO, fusion="cross_attention"))
    probe = tmp_path / "probe.xml"
    openvino_build.convert(
        tmp_path / "model", SIZE, "float32", tmp_path / "detector.xml", probe, lambda *_: None
    )
    graph = ov.Core().read_model(probe)
    assert sum(op.get_type_name() == "Softmax" for op in graph.get_ops()) >= 6


@pytest.mark.timeout(600)  # 20 s of a quiet core
def test_one_trunk_can_be_built(tmp_path: Path) -> None:
    """Also the gradient through strides, ReLU6 and uneven padding; the build compares both."""
    save_random_model(tmp_path / "model", ONE_TRUNK)
    graphs = tmp_path / "detector.xml", tmp_path / "probe.xml"
    openvino_build.convert(tmp_path / "model", SIZE, "float32", *graphs, lambda *_: None)
    shapes = [ov.Core().read_model(graph).output(3).shape for graph in graphs]  # gates
    assert [list(shape) for shape in shapes] == [[1, 2, 1]] * 2
