"""PyTorch network -> OpenVINO graphs; the only part of the CPU engine that needs torch.

Runs in the build's own process, see :mod:`mdacl_ros.runtime.engine_build`.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import openvino as ov
import torch
from openvino import opset13 as opset
from torch import Tensor, nn

from mdacl_ros.errors import EngineError
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.image_input import ImageInput, example_images
from mdacl_ros.network.precision import fake_quantiser, quantised
from mdacl_ros.network.probe import Probe, ProbeOutput, fold_norms, trace_probe
from mdacl_ros.network.weights import load_detector
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.engine import STRIDE, Progress
from mdacl_ros.runtime.openvino_int8 import (
    CPU_WEIGHT_STEPS,
    check_convolutions,
    check_kernels,
    check_whole,
)
from mdacl_ros.runtime.quantisation import read_quantisation
from mdacl_ros.types import FloatArray, IntArray

TOLERANCES = {"scores": 2e-3, "alone_scores": 2e-3, "gates": 2e-3, "entropies": 2e-3}
"""Largest differences from eager PyTorch with which a build is accepted."""

RELATIVE_TOLERANCES = {"energies": 0.01, "sensitivities": 0.02}
"""The same for what has no fixed scale: relative to each value, or 1 % of the largest."""

ROW_TOLERANCES = {"box_energies": 0.02}
"""The same for what belongs to a box."""

Rows = tuple[FloatArray, FloatArray, FloatArray]
"""Boxes ``(N, 4)``, scores ``(N,)`` and labels ``(N,)``, best first."""

BOX_TOLERANCE = 0.1
"""Largest difference of a box edge in pixels of the network input."""


def convert(
    model: Path,
    input_size: tuple[int, int],
    precision: str,
    detector_xml: Path,
    probe_xml: Path,
    progress: Progress,
) -> None:
    """Export, convert, verify against eager PyTorch, and write both graphs.

    In INT8 the probe has quantised streams; its fusion, neck, head and gradient stay float32.

    Args:
        model: Model folder.
        input_size: Network input ``(width, height)``.
        precision: ``float32`` or ``int8``.
        detector_xml: Written.
        probe_xml: Written.
        progress: Called with what is being done.

    Raises:
        ModelError: The model folder cannot be read.
        EngineError: The converted graph does not answer as PyTorch does.
    """
    progress(0.05, "loading weights")
    exact = fold_norms(load_detector(model)).requires_grad_(False)
    detector = probed = exact
    if precision == "int8":
        detector, probed = quantised_networks(exact, model)
    progress(0.10, "exporting the detector")
    graph = _convert(ImageInput(detector), input_size)
    progress(0.40, "checking the detector against PyTorch")
    _check(graph, detector, exact, input_size)
    ov.save_model(graph, detector_xml, compress_to_fp16=False)
    progress(0.50, "writing out the gradient probe")
    traced = trace_probe(probed, input_size)
    progress(0.60, "exporting the gradient probe")
    graph = _convert(ImageInput(traced), input_size)
    progress(0.90, "checking the gradient probe against PyTorch")
    _check(graph, probed, exact, input_size)
    ov.save_model(graph, probe_xml, compress_to_fp16=False)


def quantised_networks(exact: Detector, model: Path) -> tuple[Detector, Detector]:
    """The network to detect with and the one to probe, in INT8.

    Raises:
        ModelError: The model folder has no ranges for these weights.
    """
    ranges, quantiser = read_quantisation(model).ranges, fake_quantiser(CPU_WEIGHT_STEPS)
    return (
        quantised(copy.deepcopy(exact), ranges, quantiser),
        quantised(copy.deepcopy(exact), ranges, quantiser, ("streams",)),
    )


def _check(
    graph: ov.Model, network: Detector, exact: Detector, input_size: tuple[int, int]
) -> None:
    """Compare a graph with the network it was made from; ``exact`` is that in float32."""
    if network is exact:
        example = example_images(input_size)
        compare(_answers(graph, example), ImageInput(Probe(network))(*example))
        return
    lights: tuple[Literal["day", "night"], ...] = ("day", "night")
    scenes = [check_images(input_size, light) for light in lights]
    check_convolutions(graph, network, scenes[0])
    compiled = _compiled(graph)
    check_kernels(compiled, graph)
    check_whole(
        [_run(compiled, scene) for scene in scenes],
        [ImageInput(Probe(network))(*scene) for scene in scenes],
        [ImageInput(Probe(exact))(*scene) for scene in scenes],
    )


def check_images(
    input_size: tuple[int, int], light: Literal["day", "night"]
) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs with objects in them, as shipped: noise lies outside the ranges of INT8.

    Returns:
        What :func:`.image_input.example_images` returns.

    Raises:
        EngineError: The images are not where the package was installed.
    """
    folder = find_resource("models/check_images")
    flags = {"rgb": cv2.IMREAD_COLOR, "thermal": cv2.IMREAD_GRAYSCALE}
    found = {c: cv2.imread(str(folder / f"{light}_{c}.jpg"), flag) for c, flag in flags.items()}
    if any(image is None for image in found.values()):
        raise EngineError(f"engine: {folder} lacks its {light} images; install the package again")
    rgb, thermal = (cv2.resize(x, input_size, interpolation=cv2.INTER_AREA) for x in found.values())
    return (
        torch.from_numpy(cv2.cvtColor(rgb, cv2.COLOR_BGR2RGB))[None],
        torch.from_numpy(thermal.astype(np.float32) / 255)[None, None],
        torch.ones(1, 2, input_size[1] // STRIDE, input_size[0] // STRIDE),
    )


def _convert(module: nn.Module, input_size: tuple[int, int]) -> ov.Model:
    """torch.export, then OpenVINO's converter; shapes are static."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside torch.export, nothing to act on
        exported = torch.export.export(module, example_images(input_size))
        return _with_inputs(ov.convert_model(exported), exported.graph_signature.user_inputs)


def _with_inputs(graph: ov.Model, names: Sequence[object]) -> ov.Model:
    """Give a graph back the inputs it makes no use of: a detector of one camera has such."""
    found = {p.get_friendly_name(): p for p in graph.get_parameters()}
    if len(found) == len(names):
        return graph
    shape = ov.PartialShape([-1, -1, -1, -1])
    kinds = (ov.Type.u8, ov.Type.f32, ov.Type.f32)  # rgb, thermal, present
    parameters = [
        found[str(name)] if str(name) in found else opset.parameter(shape, kind, name=str(name))
        for name, kind in zip(names, kinds, strict=True)
    ]
    return ov.Model(graph.get_results(), parameters)


def _answers(graph: ov.Model, inputs: tuple[Tensor, ...]) -> list[FloatArray]:
    """Run a graph once in float32."""
    return _run(_compiled(graph), inputs)


def _compiled(graph: ov.Model) -> ov.CompiledModel:
    """Compile a graph; what is not INT8 in float32."""
    return ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def _run(compiled: ov.CompiledModel, inputs: tuple[Tensor, ...]) -> list[FloatArray]:
    results = compiled([x.numpy() for x in inputs])
    return [np.array(results[i]) for i in range(len(results))]


def compare(answers: list[FloatArray], reference: ProbeOutput) -> None:
    """Compare a graph's outputs with those of the network as it was written.

    Args:
        answers: In the order of :class:`ProbeOutput`; without sensitivities from a plain detector.
        reference: From eager PyTorch, on the same inputs.

    Raises:
        EngineError: They differ by more than the tolerances.
    """
    ours = dict(zip(ProbeOutput._fields, answers))  # noqa: B905 - a detector has no sensitivities
    theirs = {name: value.numpy() for name, value in reference._asdict().items()}
    for name, tolerance in TOLERANCES.items():
        if name in ours:
            _accept(name, ours[name] - theirs[name], tolerance)
    for name, tolerance in RELATIVE_TOLERANCES.items():
        if name in ours:
            least = max(0.01 * float(np.abs(theirs[name]).max()), 1e-12)
            scale = np.maximum(np.abs(theirs[name]), least)
            _accept(f"relative {name}", (ours[name] - theirs[name]) / scale, tolerance)
    for camera in range(2 if "alone_boxes" in ours else 0):
        alone = (_rows_alone(of, camera) for of in (ours, theirs))
        _accept("alone_boxes (px)", _matched(*alone)[2], BOX_TOLERANCE)
    rows, partners, apart = _matched(_rows(ours), _rows(theirs))
    _accept("boxes (px)", apart, BOX_TOLERANCE)
    for name, tolerance in ROW_TOLERANCES.items():
        if name in ours:
            wanted = theirs[name][0][:, partners]  # (M, rows)
            scale = np.maximum(np.abs(wanted), max(0.05 * float(theirs[name].max()), 1e-12))
            _accept(f"relative {name}", (ours[name][0][:, rows] - wanted) / scale, tolerance)


def _rows(outputs: dict[str, FloatArray]) -> Rows:
    return outputs["boxes"][0], outputs["scores"][0], outputs["labels"][0]


def _rows_alone(outputs: dict[str, FloatArray], camera: int) -> Rows:
    boxes, scores, labels = (outputs[f"alone_{name}"] for name in ("boxes", "scores", "labels"))
    return boxes[0, camera], scores[0, camera], labels[0, camera]


def _matched(ours: Rows, theirs: Rows) -> tuple[IntArray, IntArray, FloatArray]:
    """Our rows, for each the nearest of theirs with its label and score, and the pixels between.

    Rows whose scores are as near as the engines are to each other may have changed places; the
    last of them may have been displaced by a row that is not there.
    """
    (boxes, scores, labels), (other_boxes, other, other_labels) = ours, theirs
    margin = 2 * float(np.abs(scores - other).max()) + 1e-6
    same = np.abs(scores[:, None] - other) <= margin
    same &= labels[:, None] == other_labels
    apart = np.abs(boxes[:, None] - other_boxes).max(axis=2)  # (N, N)
    rows = np.flatnonzero(scores > scores[-1] + margin)
    candidates = np.where(same, apart, np.inf)[rows]
    partners = candidates.argmin(axis=1)
    return rows, partners, candidates[np.arange(len(rows)), partners]


def _accept(what: str, difference: FloatArray, tolerance: float) -> None:
    """Refuse a graph that does not answer as PyTorch does."""
    worst = float(np.abs(difference).max(initial=0.0))
    if not worst <= tolerance:
        raise EngineError(
            f"openvino: {what} differ from PyTorch by {worst:.2g}, wanted at most {tolerance:g}; "
            "use engine torch and report the OpenVINO version"
        )
