"""How exactly ``mdacl calibrate clock`` finds a known offset of the thermal clock.

Run ``OMP_NUM_THREADS=1 python research/benchmarks/calibration_clock.py [--data ../shared/data]``;
some three minutes of one core.

- M3SVD clips: thermal frames are picked at about 9 Hz (every third or fourth of 30) or all taken,
  their stamps shifted by a random offset. The clips' own asynchrony is unknown (both cameras ran
  freely), so errors are against the estimate from all frames without a shift, which is printed too.
- Simulated street: RGB 30 Hz and thermal 9 Hz rendered at their own instants; exact truth.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from mdacl_ros.types import Modality  # noqa: E402
from mdacl_tools.calibrate.clock.estimate import ClockResult, estimate_clock  # noqa: E402
from mdacl_tools.calibrate.clock.signals import CameraSignal, collect_signals  # noqa: E402
from mdacl_tools.recordings.simulated import SimulatedRecording  # noqa: E402
from mdacl_tools.recordings.videos import VideoRecording, clip_pairs  # noqa: E402
from mdacl_tools.scenes import Scenario, SceneConfig  # noqa: E402
from mdacl_tools.scenes.scenario import Phase  # noqa: E402

GOAL_MS = 3.0
REACH_S = 1.0
TRIALS = 4


def picked(signal: CameraSignal, rows: np.ndarray, offset: float) -> CameraSignal:
    """Some of a camera's frames, by a clock that needs ``offset`` added."""
    return CameraSignal(signal.times[rows] - offset, signal.values[rows])


def row(name: str, offset: float, own: float, result: ClockResult) -> float | None:
    """Print one trial.

    Returns:
        Error in milliseconds; ``None`` where it was refused.
    """
    error = (result.offset - offset - own) * 1e3
    print(
        f"{name:26} {offset * 1e3:8.1f} {result.offset * 1e3:8.1f} {error:+7.2f}"
        f" {result.error * 1e3:9.2f} {result.prominence:7.1f} {result.confidence:6.2f}"
        f"  {'refused' if result.refusal else ''}",
        flush=True,
    )
    return None if result.refusal else error


def clips(folder: Path, rng: np.random.Generator) -> list[float | None]:
    """All trials on the M3SVD clips."""
    errors: list[float | None] = []
    for name, files in clip_pairs(folder).items():
        signals = collect_signals(VideoRecording(*files), 60.0)
        plain = estimate_clock(signals, REACH_S)
        print(
            f"{name}: own offset {plain.offset * 1e3:+.1f} ms, estimated error"
            f" {plain.error * 1e3:.1f} ms {plain.refusal[:40]}"
        )
        if plain.refusal:
            errors.append(None)
            continue
        count = len(signals["thermal"].times)
        for trial in range(TRIALS):
            offset = float(rng.uniform(-0.5, 0.5))
            rows = np.cumsum(rng.integers(3, 5, count)) - 3
            rows = rows[rows < count] if trial else np.arange(count)
            shifted: dict[Modality, CameraSignal] = {
                "rgb": signals["rgb"],
                "thermal": picked(signals["thermal"], rows, offset),
            }
            result = estimate_clock(shifted, REACH_S)
            errors.append(row(f"  {name} {len(rows)} frames", offset, plain.offset, result))
    return errors


def simulated(seeds: int, rng: np.random.Generator) -> list[float | None]:
    """Streets by day, each with its own offset."""
    errors = []
    for seed in range(seeds):
        offset = float(rng.uniform(-0.5, 0.5))
        scenario = Scenario(
            config=SceneConfig(seed=seed + 3, size=(320, 240), thermal_size=(160, 120)),
            phases=(Phase("day", 0.0, 12.0),),
            duration_s=12.0,
            thermal_hz=9.0,
            thermal_clock_offset_ns=round(-offset * 1e9),  # what the stamps are ahead by
        )
        signals = collect_signals(SimulatedRecording(scenario), 60.0)
        errors.append(
            row(f"simulated street {seed}", offset, 0.0, estimate_clock(signals, REACH_S))
        )
    return errors


def summarise(title: str, errors: list[float | None]) -> None:
    """Median, worst and refusals."""
    sizes = np.abs([error for error in errors if error is not None])
    if sizes.size == 0:
        print(f"{title}: all {len(errors)} refused")
        return
    print(
        f"{title}: |error| median {np.median(sizes):.2f} ms, worst {sizes.max():.2f} ms, within"
        f" {GOAL_MS:.0f} ms {np.sum(sizes <= GOAL_MS)} of {sizes.size}; refused"
        f" {len(errors) - sizes.size} of {len(errors)}"
    )


def main() -> None:
    """Print a row a trial, then the numbers that count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data")
    parser.add_argument("--streets", type=int, default=4, help="simulated streets")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    start, rng = time.process_time(), np.random.default_rng(args.seed)
    print("ms                           offset    found   error estimated  peak/2nd confidence")
    on_clips = clips(args.data / "m3svd" / "videos", rng)
    on_streets = simulated(args.streets, rng)
    summarise("m3svd", on_clips)
    summarise("simulated", on_streets)
    print(f"{time.process_time() - start:.0f} s of CPU")


if __name__ == "__main__":
    main()
