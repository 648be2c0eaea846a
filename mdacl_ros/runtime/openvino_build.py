"""PyTorch network -> OpenVINO graphs; the only part of the CPU engine that needs torch.

Run as a process by :mod:`mdacl_ros.runtime.child_build`: ``python -m
mdacl_ros.runtime.openvino_build MODEL WIDTH HEIGHT DETECTOR_XML PROBE_XML``.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import openvino as ov
import torch
from torch import Tensor, nn

from mdacl_ros.errors import EngineError, MdaclError
from mdacl_ros.network.probe import Probe, example_inputs, fold_norms, trace_probe
from mdacl_ros.network.weights import load_detector
from mdacl_ros.runtime.engine import Progress
from mdacl_ros.types import FloatArray

SCORE_TOLERANCE = 2e-3
"""Largest difference of the scores from eager PyTorch with which a build is accepted."""

SENSITIVITY_TOLERANCE = 0.02
"""Largest relative difference of the exact sensitivities from PyTorch's autograd."""


def convert(
    model: Path,
    input_size: tuple[int, int],
    detector_xml: Path,
    probe_xml: Path,
    progress: Progress,
) -> None:
    """Export, convert, verify against eager PyTorch, and write both graphs.

    Raises:
        ModelError: The model folder cannot be read.
        EngineError: The converted graph does not answer as PyTorch does.
    """
    progress(0.05, "loading weights")
    detector = fold_norms(load_detector(model)).requires_grad_(False)
    progress(0.10, "exporting the detector")
    graph = _convert(detector, input_size)
    progress(0.40, "checking the detector against PyTorch")
    example = example_inputs(input_size)
    reference = Probe(detector)(*example)
    scores = _answers(graph, example)[1]
    _accept("scores", scores - reference.scores.numpy(), SCORE_TOLERANCE)
    ov.save_model(graph, detector_xml, compress_to_fp16=False)
    progress(0.50, "writing out the gradient probe")
    traced = trace_probe(detector, input_size)
    progress(0.60, "exporting the gradient probe")
    graph = _convert(traced, input_size)
    progress(0.90, "checking the gradient probe against PyTorch")
    ratio = _answers(graph, example)[6] / reference.sensitivities.numpy()
    _accept("relative sensitivities", ratio - 1, SENSITIVITY_TOLERANCE)
    ov.save_model(graph, probe_xml, compress_to_fp16=False)
    progress(1.0, "done")


def _convert(module: nn.Module, input_size: tuple[int, int]) -> ov.Model:
    """torch.export, then OpenVINO's converter; shapes are static."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside torch.export, nothing to act on
        exported = torch.export.export(module, example_inputs(input_size))
        return ov.convert_model(exported)


def _answers(graph: ov.Model, inputs: tuple[Tensor, ...]) -> list[FloatArray]:
    """Run a graph once in float32."""
    compiled = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled([x.numpy() for x in inputs])
    return [np.array(results[i]) for i in range(len(results))]


def _accept(what: str, difference: FloatArray, tolerance: float) -> None:
    """Refuse a graph that does not answer as PyTorch does."""
    worst = float(np.abs(difference).max())
    if not worst <= tolerance:
        raise EngineError(
            f"openvino: {what} differ from PyTorch by {worst:.2g}, wanted at most {tolerance:g}; "
            "use engine torch and report the OpenVINO version"
        )


def _report(fraction: float, what: str) -> None:
    print(json.dumps({"fraction": fraction, "what": what}), file=_REPORTS, flush=True)


_REPORTS = sys.stdout


def main(arguments: list[str]) -> int:
    """Convert, reporting progress as JSON lines; whatever libraries print goes to stderr."""
    model, width, height, detector_xml, probe_xml = arguments
    sys.stdout = sys.stderr
    try:
        convert(
            Path(model), (int(width), int(height)), Path(detector_xml), Path(probe_xml), _report
        )
    except MdaclError as error:
        report = {"error": str(error), "kind": type(error).__name__}
        print(json.dumps(report), file=_REPORTS, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
