"""A long run with a fault every ten seconds: does memory, do handles, does latency drift?

    .venv/bin/python research/benchmarks/soak.py [--minutes 60]

Real processes: fake cameras (30 Hz RGB 320x240, 9 Hz thermal 160x120) -> fault_injector_node ->
detector node with a cheap engine in place of the network. Prints a line every ten seconds, and the
slopes over the run without its first fifth at the end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "test"))
from nodes.matrix.cases import RAW, Case
from nodes.matrix.trial import Trial, longest_gap

PERIOD_S, FAULT_S = 10.0, 3.0
SETTLED = 0.2
"""Share of the run left out of the slopes: allocators and discovery fill their pools first."""

COLUMNS = (
    "memory (MB)",
    "handles",
    "threads",
    "latency p50 (ms)",
    "latency p95 (ms)",
    "machine load",
)


def entries(cases: list[Case]) -> list[dict[str, object]]:
    """One fault in every period."""
    return [
        {
            "at": number * PERIOD_S + PERIOD_S - FAULT_S,
            "for": FAULT_S,
            "camera": case.camera,
            "fault": case.fault,
            **case.parameters,
        }
        for number, case in enumerate(cases)
    ]


def samples(trial: Trial, minutes: float) -> Iterator[tuple[float, ...]]:
    """Seconds, and :data:`COLUMNS`, of the detector's process once per period."""
    process = psutil.Process(trial.detector.process.pid)
    began = time.monotonic()
    while (passed := time.monotonic() - began) < 60 * minutes:
        time.sleep(PERIOD_S)
        if trial.detector.process.poll() is not None:
            raise SystemExit(f"the detector ended:\n{trial.detector.log()[-2000:]}")
        values = trial.record.health[-1][2]
        latency = (float(values.get(f"latency_{p}_ms", "nan")) for p in ("p50", "p95"))
        memory = process.memory_info().rss / 2**20
        load = psutil.getloadavg()[0]
        yield passed, memory, process.num_fds(), process.num_threads(), *latency, load


def main() -> int:
    """Run, and print what drifts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    minutes = parser.parse_args().minutes
    rows: list[tuple[float, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        scenario = {"faults": entries(RAW), "repeat": len(RAW) * PERIOD_S}
        with Trial(RAW, Path(folder), scenario=scenario, rgb_rate=30.0) as trial:
            trial.begin()
            for row in samples(trial, minutes):
                rows.append(row)
                texts = (
                    f"{name} {value:.1f}" for name, value in zip(COLUMNS, row[1:], strict=True)
                )
                print(f"{row[0]:6.0f} s: {', '.join(texts)}", flush=True)
            report(trial, np.array(rows))
    return 0


def report(trial: Trial, table: np.ndarray) -> None:
    """Print counts, the longest silence, and the slopes."""
    record = trial.record
    faults = sum(text != "none" for _, text in record.faults)
    sent = {camera: len(times) for camera, times in trial.cameras.sent.items()}
    beats = [time_s for time_s, _, _ in record.health]
    print(f"{faults} faults, frames sent {sent}, {len(record.answers)} answers")
    print(f"longest time without diagnostics {longest_gap(beats, beats[0], beats[-1]):.2f} s")
    values = record.health[-1][2]
    print("restarts", values["inference_restarts"], "failed", values["dropped_failed"])
    settled = table[table[:, 0] >= SETTLED * table[-1, 0]]
    for number, name in enumerate(COLUMNS, start=1):
        known = settled[np.isfinite(settled[:, number])]  # no latency right after a reset
        slope = np.polyfit(known[:, 0] / 60, known[:, number], 1)[0]
        first, last = settled[0, number], settled[-1, number]
        print(f"{name}: {first:.1f} -> {last:.1f}, {slope:+.4f} a minute")


if __name__ == "__main__":
    sys.exit(main())
