"""Which operations of detector and gradient probe torch-tensorrt can convert; needs no GPU.

Run it in an environment with torch-tensorrt (``make test-tensorrt`` makes one; by hand for other
releases, see docs/engines.md)::

    .venv-tensorrt/bin/python research/benchmarks/tensorrt_coverage.py

Exit status 1 where an operation has no converter or a graph needs more than one engine.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))

import torch
from torch_tensorrt_without_gpu import import_torch_tensorrt

from mdacl_ros.resources import find_resource
from mdacl_tools.util.pipeline_options import parse_size


def main() -> int:
    """Print a row a graph; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=None, help="model folder (default: shipped)")
    parser.add_argument("--size", default="640x480", help="network input WIDTHxHEIGHT")
    parser.add_argument("--precision", nargs="+", default=["float32"], help="float32, fp16, int8")
    arguments = parser.parse_args()
    library = import_torch_tensorrt()
    from mdacl_ros.network.image_input import example_images
    from mdacl_ros.runtime.tensorrt_build import graphs
    from mdacl_ros.runtime.tensorrt_torch import coverage, export, quiet

    size, whole = parse_size(arguments.size), True
    model = arguments.model or find_resource("models/small")
    print(f"torch {torch.__version__}, torch-tensorrt {library.__version__}, {model.name}")
    print(f"{'graph':<10}{'precision':<11}{'covered':>14}{'engines':>9}{'torch':>7}{'seconds':>9}")
    for precision in arguments.precision:
        started = time.monotonic()
        for graph in graphs(model, precision, size):
            with quiet():
                found = coverage(export(graph.module, example_images(size)))
            counts = f"{found.covered}/{found.operations}"
            seconds = time.monotonic() - started
            name = Path(graph.file).stem
            print(
                f"{name:<10}{precision:<11}{counts:>14}{found.engines:>9}{found.torch_blocks:>7}"
                f"{seconds:>9.1f}",
                *(f"no converter: {op} x{n}" for op, n in found.missing.items()),
                flush=True,
            )
            whole &= found.covered == found.operations and found.engines == 1
            started = time.monotonic()
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
