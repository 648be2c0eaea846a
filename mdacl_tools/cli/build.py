"""``mdacl build``: build an engine now, so that the node starts at once."""

from __future__ import annotations

import argparse
import time

from mdacl_ros.runtime.cache import cache_root
from mdacl_ros.runtime.choice import choose
from mdacl_ros.runtime.engine_arguments import add_engine_arguments
from mdacl_ros.runtime.loading import load_engine
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_tools.util.engine_options import parse_size, progress_printer
from mdacl_tools.util.model_option import add_model_option, model_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_model_option(parser)
    add_engine_arguments(parser)
    parser.add_argument(
        "--size", default="640x480", help="network input WIDTHxHEIGHT, multiples of 32"
    )


def run(args: argparse.Namespace) -> int:
    """Build, or find in the cache, and say how long it took."""
    started = time.monotonic()
    model = model_folder(args)
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
