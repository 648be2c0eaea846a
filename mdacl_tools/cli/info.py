"""``mdacl info``: what a detector is made of, as a table of parameters and operations."""

from __future__ import annotations

import argparse
import contextlib
import io
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mdacl_ros.network.config import SIZES, DetectorConfig
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.model_yaml import read_model_yaml
from mdacl_ros.network.probe import example_inputs
from mdacl_ros.network.weights import count_parameters
from mdacl_ros.runtime.choice import choose
from mdacl_ros.runtime.engine_kind import AUTO
from mdacl_ros.runtime.engine_options import every_option
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_tools.util.model_option import add_model_option, model_folder
from mdacl_tools.util.pipeline_options import parse_size

PARTS = ("streams", "gates", "guidance", "fusions", "trunk", "neck", "head")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_model_option(
        parser, "shipped name or model folder (default: all known sizes)", default=None
    )
    parser.add_argument("--size", default="640x480", help="network input WIDTHxHEIGHT")


def run(args: argparse.Namespace) -> int:
    """Print one table for each detector."""
    configs = list(SIZES.values())
    if args.model is not None:
        configs = [DetectorConfig.from_dict(read_model_yaml(model_folder(args))["detector"])]
    for config in configs:
        print(describe(config, parse_size(args.size)), end="\n\n")
    print(engines_here(model_folder(args)))
    return 0


def engines_here(model: Path) -> str:
    """What runs a model on this machine, and which engines there are.

    Args:
        model: Model folder.
    """
    facts = read_model_facts(model)
    lines = [f"engine auto: {choose(AUTO, AUTO, AUTO, facts)}"]
    lines.append(f"  model {model.name} vouches for {', '.join(facts.precisions)}")
    for option in every_option(facts):
        lines.append(f"  {option.name:<24}{option.refusal or 'can run here'}")
    return "\n".join(lines)


def describe(config: DetectorConfig, size: tuple[int, int]) -> str:
    """Table of parameters (millions) and multiply-adds (10^9) by part of the network.

    Args:
        config: Architecture.
        size: Network input ``(width, height)``.
    """
    detector = Detector(config).eval()
    detector.auxiliary_head = None
    flops = count_operations(detector, size)
    lines = [
        f"{config.name}: input {size[0]}x{size[1]}, labels {', '.join(config.labels)}, "
        f"fusion {config.fusion}",
        f"  {'part':<10}{'parameters':>12}{'GFLOP':>10}",
    ]
    for part in PARTS:
        module = getattr(detector, part)
        if isinstance(module, nn.Module):
            count = count_parameters(module)
            lines.append(f"  {part:<10}{count / 1e6:>10.3f} M{flops.get(part, 0.0):>10.3f}")
    lines.append(
        f"  {'total':<10}{count_parameters(detector) / 1e6:>10.3f} M{flops['total']:>10.3f}"
    )
    return "\n".join(lines)


def count_operations(detector: Detector, size: tuple[int, int]) -> dict[str, float]:
    """Floating-point operations in 10^9 (two per multiply-add) by part, and ``total``."""
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter, contextlib.redirect_stdout(io.StringIO()):
        detector(*example_inputs(size))
    counts = counter.get_flop_counts()
    totals = {"total": counter.get_total_flops() / 1e9}
    for name, by_operation in counts.items():
        path = name.split(".")
        part = path[1] if len(path) > 1 else ""
        if part not in PARTS:
            continue
        listed = isinstance(getattr(detector, part), nn.ModuleList)
        if len(path) == (3 if listed else 2):  # a list is never called itself, its members are
            totals[part] = totals.get(part, 0.0) + sum(by_operation.values()) / 1e9
    return totals
