"""``mdacl bench``: what a frame costs on this machine, engines interleaved in one run."""

from __future__ import annotations

import argparse
import tracemalloc
from pathlib import Path

import numpy as np

from mdacl_ros.errors import EngineError
from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.runtime.engine import Engine
from mdacl_ros.runtime.engine_options import EngineOption, every_option
from mdacl_ros.runtime.loading import load_engine
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.types import Frame, FramePair
from mdacl_tools.util.model_option import add_model_option, model_folder
from mdacl_tools.util.pipeline_options import parse_size, progress_printer

STAGES = ("preprocess", "infer", "postprocess")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_model_option(parser)
    parser.add_argument("--size", default="640x480", help="network input WIDTHxHEIGHT")
    parser.add_argument("--rounds", type=int, default=40, help="interleaved rounds")


def run(args: argparse.Namespace) -> int:
    """Print medians and ratios."""
    size = parse_size(args.size)
    model = model_folder(args)
    pipelines: dict[str, Perception] = {}
    for option in every_option(read_model_facts(model)):
        try:
            engine = _loaded(model, option, size)
        except EngineError as error:
            print(f"{option.name}: left out, {error}")
            continue
        pipelines[option.name] = Perception(engine, None, PipelineConfig())
    if not pipelines:
        raise EngineError("bench: no engine can run here; the lines above say why")
    print(_engine_table(pipelines, args.rounds))
    first = next(iter(pipelines.values()))
    print(_allocations(first))
    return 0


def _loaded(model: Path, option: EngineOption, size: tuple[int, int]) -> Engine:
    """Load, or build, one engine.

    Raises:
        EngineError: It cannot run here.
    """
    if option.refusal:
        raise EngineError(option.refusal)
    return load_engine(
        model,
        engine=option.engine,
        precision=option.precision,
        device=option.device,
        input_size=size,
        progress=progress_printer(),
    )


def _pair(index: int, size: tuple[int, int] = (640, 480)) -> FramePair:
    """A textured pair; every index has new stamps, as from cameras."""
    rng = np.random.default_rng(index % 4)
    rgb = rng.integers(0, 255, (size[1], size[0], 3), np.uint8)
    thermal = rng.integers(29000, 30500, (size[1], size[0]), np.uint16)
    stamp = (index + 1) * 33_000_000
    return FramePair(Frame(rgb, stamp), Frame(thermal, stamp, encoding="16UC1"), stamp)


def _engine_table(pipelines: dict[str, Perception], rounds: int) -> str:
    """Median milliseconds by stage, and of a probed frame, one row an engine."""
    times: dict[str, list[dict[str, float]]] = {name: [] for name in pipelines}
    probes: dict[str, list[float]] = {name: [] for name in pipelines}
    for index in range(rounds):
        pair = _pair(index)
        for name, perception in pipelines.items():
            times[name].append(perception.process(pair).timings_ms)
            if index % 4 == 0:
                probes[name].append(perception.process(pair, probe=True).timings_ms["infer"])
    lines = [f"{'median ms':<24}" + "".join(f"{s:>13}" for s in (*STAGES, "probed infer", "ratio"))]
    base = None
    for name, rows in times.items():
        medians = [float(np.median([row[stage] for row in rows])) for stage in STAGES]
        base = base or medians[1]
        cells = (*medians, float(np.median(probes[name])), medians[1] / base)
        lines.append(f"{name:<24}" + "".join(f"{c:>13.2f}" for c in cells))
    return "\n".join(lines)


def _allocations(perception: Perception) -> str:
    """Python-visible allocations of one frame after warm-up."""
    pairs = [_pair(i) for i in range(6)]
    perception.process(pairs[0])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    for pair in pairs[1:]:
        perception.process(pair)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (
        f"memory of one frame: peak {(peak - before) / 1e6:.2f} MB beside the inputs, "
        f"kept {(kept - before) / 1e6:.2f} MB after 5 frames"
    )
