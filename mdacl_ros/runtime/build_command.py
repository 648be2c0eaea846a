"""``mdacl build``: build an engine now, so that the node starts at once."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from mdacl_ros.errors import EngineError
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.cache import cache_root
from mdacl_ros.runtime.choice import choose
from mdacl_ros.runtime.engine import Progress
from mdacl_ros.runtime.engine_arguments import add_engine_arguments
from mdacl_ros.runtime.loading import load_engine
from mdacl_ros.runtime.model_facts import read_model_facts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", type=Path, default=None, help="model folder (default: shipped)")
    add_engine_arguments(parser)
    parser.add_argument(
        "--size", default="640x480", help="network input WIDTHxHEIGHT, multiples of 32"
    )


def run(args: argparse.Namespace) -> int:
    """Build, or find in the cache, and say how long it took."""
    started = time.monotonic()
    model = args.model or find_resource("models/small")
    choice = choose(args.engine, args.precision, args.device, read_model_facts(model))
    print(f"engine: {choice}", flush=True)
    engine = load_engine(
        model,
        engine=choice.engine,
        precision=choice.precision,
        device=choice.device,
        input_size=parse_size(args.size),
        progress=progress_printer(),
    )
    seconds = time.monotonic() - started
    print(f"{engine.name} {engine.precision} on {engine.device}: ready after {seconds:.1f} s")
    print(f"cache: {cache_root()}")
    return 0


def parse_size(text: str) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT``.

    Raises:
        EngineError: It is something else.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise EngineError(f"argument --size: got {text!r}, wanted WIDTHxHEIGHT, e.g. 640x480")
    return int(width), int(height)


def progress_printer() -> Progress:
    """Return a progress that shows a build on stderr, a line for each change."""
    shown: tuple[int, str] | None = None

    def show(fraction: float, what: str) -> None:
        nonlocal shown
        report = (round(100 * fraction), what)
        if report != shown:
            print(f"building engine: {report[0]:3d} %  {what}", file=sys.stderr, flush=True)
            shown = report

    return show
