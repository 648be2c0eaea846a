"""What an evaluation costs beside the detector alone, and how memory grows with a bag's length.

Run ``OMP_NUM_THREADS=1 python benchmarks/evaluation.py`` (``speed``, ``memory``, or both). Speed:
rounds of the engine alone, on inputs made beforehand, and of the whole evaluation of the same
frames from a bag are interleaved; medians are printed, and the median of the rounds' ratios.
Memory: peak resident size of a process that evaluates a short and a ten times longer labelled bag
with a cheap engine.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "test")]

from mdacl_ros.evaluation.pairing import paired  # noqa: E402
from mdacl_ros.evaluation.run import evaluate_recording  # noqa: E402
from mdacl_ros.evaluation.settings import EvaluationSettings, build  # noqa: E402
from mdacl_ros.pair_input import PairInput  # noqa: E402
from mdacl_ros.perception import Perception  # noqa: E402
from mdacl_ros.replay.bag_writer import write_bag  # noqa: E402
from mdacl_ros.replay.recording import Event, open_recording  # noqa: E402
from mdacl_ros.replay.synthetic import RigFaults, SyntheticRecording  # noqa: E402
from mdacl_ros.resources import find_resource  # noqa: E402
from mdacl_ros.sensing.synchronizer import PairSynchronizer  # noqa: E402
from mdacl_ros.types import GroundTruth, Modality  # noqa: E402

SIZE = (640, 480)
STORED: dict[str, dict[Modality, str] | None] = {
    "raw": None,
    "jpeg + png": {"rgb": "jpeg", "thermal": "png"},
}


class Textured(SyntheticRecording):
    """Pictures with as much texture as a street has, so that codecs work as hard.

    Without ground truth: scores would need a second pass or more.
    """

    has_truth = False

    def __init__(self, seconds: float, rate: float) -> None:
        super().__init__(
            RigFaults(
                duration_s=seconds, rgb_hz=rate, thermal_hz=rate, freeze_s=None,
                thermal_clock_offset_ns=0, rgb_size=SIZE, thermal_size=SIZE,
            )
        )  # fmt: skip
        rng = np.random.default_rng(0)
        coarse = rng.integers(0, 255, (SIZE[1] // 8, SIZE[0] // 8, 3)).astype(np.uint8)
        fine = rng.integers(0, 12, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
        self._picture = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC) // 2 + fine

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        """Nothing is known."""
        return None

    def __iter__(self) -> Iterator[Event]:
        for number, event in enumerate(super().__iter__()):
            picture = np.roll(self._picture, 3 * number, axis=1)
            image = picture if event.camera == "rgb" else picture[..., 0]
            image = np.ascontiguousarray(np.maximum(image, event.frame.image))
            yield replace(event, frame=replace(event.frame, image=image))


def engine_round(perception: Perception, inputs: list[tuple[np.ndarray, ...]]) -> float:
    """Frames a second of the engine alone."""
    started = time.perf_counter()
    for rgb, thermal, present in inputs:
        perception.engine.infer(rgb, thermal, present)
    return len(inputs) / (time.perf_counter() - started)


def made_inputs(bag: Path) -> list[tuple[np.ndarray, ...]]:
    """What the engine gets for every pair of a bag."""
    given, inputs = PairInput(None, SIZE, 0.01), []
    with closing(open_recording(bag)) as recording:
        for _, pair in paired(recording, PairSynchronizer()):
            given.fill(pair, 0.01, None)
            inputs.append((given.rgb.copy(), given.thermal.copy(), given.present.copy()))
    return inputs


def speed(frames: int, rounds: int) -> None:
    """Print frames a second of both, and their ratio."""
    settings = EvaluationSettings(model=find_resource("models/small"), ablation=False)
    perception = build(settings)
    print(f"{perception.engine.name} on {perception.engine.device}, {frames} pairs a round")
    print(f"  {'bag':12}{'engine alone':>14}{'evaluate':>12}{'ratio':>8}   frames/s, medians")
    with tempfile.TemporaryDirectory() as folder:
        for name, compress in STORED.items():
            bag, out = Path(folder) / name, Path(folder) / f"{name}_out"
            write_bag(Textured(frames / 10, 10.0), bag, compress=compress)
            inputs, alone, whole = made_inputs(bag), list[float](), list[float]()
            engine_round(perception, inputs[:3])
            for _ in range(rounds):
                alone.append(engine_round(perception, inputs))
                report = evaluate_recording(bag, out, settings, perception)
                whole.append(report.timing["frames_per_s"])
            pairs = zip(whole, alone, strict=True)
            ratio = median(one / other for one, other in pairs)
            print(f"  {name:12}{median(alone):14.2f}{median(whole):12.2f}{ratio:8.2f}")


def memory(short_s: float) -> None:
    """Print peak memory for a bag and for one ten times as long."""
    print(f"{'bag':>10}{'frames':>9}{'peak MB':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for seconds in (short_s, 10 * short_s):
            bag = Path(folder) / f"{seconds:.0f}s"
            faults = RigFaults(duration_s=seconds, freeze_s=None, rgb_size=(160, 120))
            write_bag(SyntheticRecording(faults), bag)
            command = [sys.executable, __file__, "child", "--bag", str(bag)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            frames, peak_mb = done.stdout.split()
            print(f"{seconds:9.0f}s{frames:>9}{float(peak_mb):10.1f}")


def child(bag: Path) -> None:
    """Evaluate one bag with the cheap engine of the tests; print frames and peak memory."""
    from evaluation.blob_perception import blob_settings, build_blobs

    settings = blob_settings()
    report = evaluate_recording(bag, bag / "out", settings, build_blobs(settings))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(report.counts["processed"], peak)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("speed", "memory", "child"))
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--bag", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.what == "child":
        child(args.bag)
    if args.what in (None, "memory"):
        memory(args.seconds)
    if args.what in (None, "speed"):
        speed(args.frames, args.rounds)
