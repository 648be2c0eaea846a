"""``mdacl build``: build an engine now, so that the node starts at once."""

from __future__ import annotations

import argparse
import time

from mdacl_ros.runtime.cache import cache_root
from mdacl_ros.runtime.loading import load_engine
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_tools.util.pipeline_options import (
    ENGINE_OPTIONS,
    add_pipeline_options,
    pipeline_config,
    progress_printer,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_pipeline_options(parser, *ENGINE_OPTIONS)


def run(args: argparse.Namespace) -> int:
    """Build, or find in the cache, and say how long it took."""
    started = time.monotonic()
    config = pipeline_config(args)
    model = config.model_folder()
    read_model_facts(model)  # says what is wrong with the model before an engine is chosen for it
    choice = config.choose_engine()
    print(f"engine: {choice}", flush=True)
    engine = load_engine(
        model,
        engine=choice.engine,
        precision=choice.precision,
        device=choice.device,
        input_size=config.input_size,
        progress=progress_printer(),
    )
    seconds = time.monotonic() - started
    print(f"{engine.name} {engine.precision} on {engine.device}: ready after {seconds:.1f} s")
    print(f"cache: {cache_root()}")
    return 0
