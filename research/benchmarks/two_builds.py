"""CPU time of two builds of one detector, interleaved in one process: what a change of it costs.

    MDACL_CACHE=/tmp/before .venv/bin/mdacl build        # in a checkout before the change
    MDACL_CACHE=/tmp/after .venv/bin/mdacl build         # in one with it
    .venv/bin/python research/benchmarks/two_builds.py /tmp/before /tmp/after [--rounds 40]

CPU time of one thread instead of wall time: it says the same on a busy machine, nearly. The paired
ratio is the median over rounds of one build's time to the other's in the same round.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path

import numpy as np

from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.cache import MANIFEST
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.runtime.openvino_engine import OpenVinoEngine

SIZE = (640, 480)
WARM_UP = 3


def milliseconds(engine: OpenVinoEngine, inputs: tuple[np.ndarray, ...], probe: bool) -> float:
    """CPU time of one answer; a graph with other outputs than this checkout's counts as well."""
    started = time.process_time()
    with contextlib.suppress(TypeError):
        engine.infer(*inputs, probe=probe)
    return 1e3 * (time.process_time() - started)


def main() -> None:
    """Print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("caches", type=Path, nargs=2, help="cache folder of each build")
    parser.add_argument("--rounds", type=int, default=40)
    args = parser.parse_args()
    facts = read_model_facts(find_resource("models/small"))
    folders = [next(cache.glob(f"*/{MANIFEST}")).parent for cache in args.caches]
    engines = [OpenVinoEngine(folder, facts, SIZE, threads=1) for folder in folders]
    rng = np.random.default_rng(0)
    width, height = SIZE
    inputs = (
        rng.integers(0, 256, (1, height, width, 3), np.uint8),
        rng.random((1, 1, height, width), np.float32),
        np.ones((1, 2, height // 32, width // 32), np.float32),
    )
    for probe in (False, True):
        times = np.array(
            [
                # the order alternates, so that neither always follows the other
                [milliseconds(e, inputs, probe) for e in engines[:: 1 - 2 * (i % 2)]][
                    :: 1 - 2 * (i % 2)
                ]
                for i in range(args.rounds + WARM_UP)
            ]
        )[WARM_UP:]
        first, second = np.median(times, axis=0)
        paired = float(np.median(times[:, 1] / times[:, 0]))
        print(
            f"{'probed' if probe else 'plain':<8} {first:8.1f} ms {second:8.1f} ms"
            f"   ratio {second / first:.3f}   paired {paired:.3f}"
        )


if __name__ == "__main__":
    main()
