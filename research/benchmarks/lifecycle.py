"""Memory, threads and handles over many lifecycle cycles of the real node, with a cheap engine.

    .venv/bin/python research/benchmarks/lifecycle.py [--cycles 1000]

Each cycle configures, activates, answers one pair over DDS, deactivates and cleans up.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
from lifecycle_msgs.msg import Transition

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "test"))
from nodes.bench import Bench

SETTLED = 0.2
"""Share of the cycles left out of the slopes: allocators and discovery fill their pools first."""


def cycle(bench: Bench, stamp_ns: int) -> None:
    """One whole turn through the lifecycle."""
    bench.activate()
    bench.publish_pair(stamp_ns)
    bench.wait_for_stamp(stamp_ns)
    assert bench.change_state(Transition.TRANSITION_DEACTIVATE)
    assert bench.change_state(Transition.TRANSITION_CLEANUP)
    for received in (bench.detections, bench.dominance, bench.mdi, bench.factory.engines):
        received.clear()  # the bench's own memory is not what is measured


def measure() -> tuple[float, int, int]:
    """Resident memory in MB, threads (Python's and native), open file handles of this process."""
    gc.collect()
    process = psutil.Process()
    return process.memory_info().rss / 2**20, process.num_threads(), process.num_fds()


def main() -> int:
    """Run the cycles and print what they cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=1000)
    cycles = parser.parse_args().cycles
    cv2.setNumThreads(1)
    every = max(1, cycles // 20)
    rows: list[tuple[float, ...]] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Bench({"model": folder}) as bench:
        for number in range(1, cycles + 1):
            cycle(bench, 1_700_000_000_000_000_000 + number * 1_000_000_000)
            if number % every == 0:
                rows.append((number, *measure(), threading.active_count()))
                memory, native, handles, python = rows[-1][1:]
                print(
                    f"{number:5d} cycles: {memory:7.1f} MB, {native} threads ({python} of Python), "
                    f"{handles} handles",
                    flush=True,
                )
    table = np.array(rows)
    settled = table[table[:, 0] > SETTLED * cycles]
    slopes = [np.polyfit(settled[:, 0], settled[:, column], 1)[0] for column in (1, 2, 3)]
    print(f"{cycles} cycles in {time.monotonic() - began:.0f} s; after {SETTLED:.0%} of them:")
    print(
        f"memory {slopes[0] * 1024:+.2f} kB a cycle, threads {slopes[1]:+.4f} a cycle, "
        f"handles {slopes[2]:+.4f} a cycle"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
