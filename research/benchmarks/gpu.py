"""What every engine answers and costs on this machine, against PyTorch on the CPU; for a GPU.

    python research/benchmarks/gpu.py [--model models/small] [--frames 200]
        [--engines torch,tensorrt]

Needs no ROS: PyTorch, NumPy, OpenCV, safetensors and PyYAML are enough, and a library per engine.
Engines that cannot run here, or fail, are left out with the reason. For each of the others: the
time to build and load, the largest differences from eager float32 on the CPU on rendered scenes
(day, night, smoke; both cameras and each alone), milliseconds of ``infer`` with and without the
gradient probe, and of the whole frame. ``gpu.json`` in ``--out`` holds all of it.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from mdacl_ros.errors import MdaclError
from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.cuda_device import CudaDevice, find_cuda
from mdacl_ros.runtime.engine import STRIDE, Engine
from mdacl_ros.runtime.engine_options import EngineOption, every_option
from mdacl_ros.runtime.loading import load_engine
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.runtime.registry import ENGINES
from mdacl_ros.runtime.tensorrt_library import library_version
from mdacl_ros.sensing.thermal.normalizer import normalize_once
from mdacl_ros.types import Frame, FramePair, Predictions
from mdacl_tools.scenes import Scene, SceneConfig
from mdacl_tools.util.pipeline_options import parse_size, progress_printer

LEAST_SCORE = 0.1
"""Boxes of the reference with less are not compared: they change places with a hair's breadth."""

Inputs = tuple[np.ndarray, np.ndarray, np.ndarray]


def scenes(size: tuple[int, int]) -> tuple[list[Inputs], list[FramePair]]:
    """Rendered scenes as engine inputs, with each camera absent as well, and as camera frames."""
    width, height = size
    inputs: list[Inputs] = []
    pairs: list[FramePair] = []
    for index, config in enumerate(
        (SceneConfig(7, light="day"), SceneConfig(7, light="night"), SceneConfig(8, smoke=0.8))
    ):
        images = Scene(config).render(1.0)
        stamp = (index + 1) * 33_000_000
        thermal = Frame(images.thermal, stamp, encoding="16UC1")
        pairs.append(FramePair(Frame(images.rgb, stamp), thermal, stamp))
        rgb = cv2.resize(images.rgb, size, interpolation=cv2.INTER_AREA)[None]
        levels = cv2.resize(normalize_once(images.thermal, "16UC1"), size)[None, None]
        for cameras in ((1, 1), (1, 0), (0, 1)):
            present = np.zeros((1, 2, height // STRIDE, width // STRIDE), np.float32)
            present[:] = np.array(cameras, np.float32)[None, :, None, None]
            inputs.append((rgb, levels.astype(np.float32), present))
    return inputs, pairs


def differences(ours: Predictions, theirs: Predictions) -> dict[str, float]:
    """Largest differences of one frame; boxes by the nearest one of the same class.

    Returns:
        ``score``, ``box px``, ``gate``, ``entropy``, and relative ``energy`` and ``sensitivity``;
        from a probe also ``score alone``, with each camera alone, row by row.
    """
    found = {
        "gate": float(np.abs(ours.gates - theirs.gates).max()),
        "entropy": float(np.abs(ours.entropies - theirs.entropies).max()),
        "energy": _relative(ours.energies, theirs.energies),
        "score": 0.0,
        "box px": 0.0,
    }
    if ours.sensitivities is not None and theirs.sensitivities is not None:
        found["sensitivity"] = _relative(ours.sensitivities, theirs.sensitivities)
    if ours.alone_scores is not None and theirs.alone_scores is not None:
        found["score alone"] = float(np.abs(ours.alone_scores - theirs.alone_scores).max())
    for row in np.flatnonzero(theirs.scores[0] >= LEAST_SCORE):
        apart = np.abs(ours.boxes[0] - theirs.boxes[0, row]).max(1)
        apart[ours.labels[0] != theirs.labels[0, row]] = np.inf
        nearest = int(apart.argmin())
        found["box px"] = max(found["box px"], float(apart[nearest]))
        score = abs(float(ours.scores[0, nearest] - theirs.scores[0, row]))
        found["score"] = max(found["score"], score)
    return found


def _relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference relative to each value, or to 1 % of the largest."""
    least = max(0.01 * float(np.abs(theirs).max()), 1e-12)
    return float((np.abs(ours - theirs) / np.maximum(np.abs(theirs), least)).max())


def compared(
    engine: Engine, inputs: list[Inputs], reference: list[Predictions]
) -> dict[str, float]:
    """Largest differences over all inputs, detector and probe together."""
    worst: dict[str, float] = {}
    for given, wanted in zip(inputs, reference, strict=True):
        for probe in (False, True):
            for name, value in differences(engine.infer(*given, probe=probe), wanted).items():
                worst[name] = max(worst.get(name, 0.0), value)
    return worst


def timed(
    engine: Engine, inputs: list[Inputs], pairs: list[FramePair], frames: int
) -> dict[str, Any]:
    """Milliseconds of ``infer``, of ``infer`` with the probe, and of the whole frame."""
    perception = Perception(engine, None, PipelineConfig())
    plain, probed, whole = [], [], []
    for index in range(frames):
        started = time.perf_counter()
        engine.infer(*inputs[0])
        plain.append(time.perf_counter() - started)
        if index % 4 == 0:
            started = time.perf_counter()
            engine.infer(*inputs[0], probe=True)
            probed.append(time.perf_counter() - started)
        started = time.perf_counter()
        perception.process(pairs[index % len(pairs)])
        whole.append(time.perf_counter() - started)
    return {
        name: {"p50": _percentile(values, 50), "p95": _percentile(values, 95)}
        for name, values in (("infer", plain), ("probe", probed), ("frame", whole))
    }


def _percentile(seconds: list[float], share: float) -> float:
    return round(1e3 * float(np.percentile(seconds, share)), 3)


def measured(
    model: Path,
    option: EngineOption,
    size: tuple[int, int],
    frames: int,
    given: tuple[list[Inputs], list[FramePair]],
    reference: list[Predictions],
) -> dict[str, Any]:
    """One row of the report; ``left_out`` says why where there is nothing else."""
    row: dict[str, Any] = asdict(option)
    if option.refusal:
        return row | {"left_out": option.refusal}
    started = time.monotonic()
    try:
        engine = load_engine(
            model,
            engine=option.engine,
            precision=option.precision,
            device=option.device,
            input_size=size,
            progress=progress_printer(),
        )
        row["ready_s"] = round(time.monotonic() - started, 1)
        row["runs_on"] = engine.device
        row["differences"] = compared(engine, given[0], reference)
        row["ms"] = timed(engine, *given, frames)
        engine.close()
    except MdaclError as error:
        row["left_out"] = str(error)
    return row


def line(row: dict[str, Any]) -> str:
    """A row of the report as text."""
    name = f"{row['engine']} {row['precision']} {row['device']}"
    if "left_out" in row:
        return f"{name:<24} left out: {row['left_out']}"
    apart = ", ".join(f"{k} {v:.2g}" for k, v in row["differences"].items())
    ms = ", ".join(f"{k} {v['p50']:.2f} / {v['p95']:.2f}" for k, v in row["ms"].items())
    return f"{name:<24} ready {row['ready_s']:.1f} s; ms p50 / p95: {ms}; apart: {apart}"


def machine() -> dict[str, Any]:
    """What the numbers were measured with."""
    found = find_cuda()
    return {
        "gpu": asdict(found) if isinstance(found, CudaDevice) else found,
        "torch": torch.__version__,
        "tensorrt": library_version(),
        "opencv": cv2.__version__,
    }


def main() -> None:
    """Measure, print, and write ``gpu.json``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, default=None, help="model folder (default: small)")
    parser.add_argument("--size", default="640x480", help="network input WIDTHxHEIGHT")
    parser.add_argument("--frames", type=int, default=200, help="timed frames an engine")
    parser.add_argument("--engines", default=",".join(ENGINES), help="names, with commas between")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder of gpu.json")
    args = parser.parse_args()
    model, size = args.model or find_resource("models/small"), parse_size(args.size)
    report: dict[str, Any] = {"machine": machine(), "size": args.size, "engines": []}
    print(json.dumps(report["machine"]))
    eager = load_engine(model, engine="torch", precision="float32", device="cpu", input_size=size)
    given = scenes(size)
    reference = [eager.infer(*inputs, probe=True) for inputs in given[0]]
    args.out.mkdir(parents=True, exist_ok=True)
    for option in every_option(read_model_facts(model)):
        if option.engine not in args.engines.split(","):
            continue
        row = measured(model, option, size, args.frames, given, reference)
        report["engines"].append(row)
        print(line(row), flush=True)
        (args.out / "gpu.json").write_text(json.dumps(report, indent=1))  # a lease may end


if __name__ == "__main__":
    main()
