"""What an evaluation costs beside the detector alone, and how memory grows with a bag's length.

Run ``OMP_NUM_THREADS=1 python research/benchmarks/evaluation.py`` (``speed``, ``memory``,
``signs``; all).

- Speed: rounds of the engine alone, on inputs made beforehand, and of the whole evaluation of the
  same frames from a bag are interleaved; medians are printed, and the median of the rounds' ratios,
  by the clock and by CPU time, which other work on the machine disturbs less.
- Memory: peak resident size of a process that evaluates a short and a ten times longer labelled
  bag with a cheap engine.
- Signs: how often dark, glare and smoke are seen, by the labels of MSRS and M3SVD (``--data``) and
  by simulated conditions.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "test")]

from mdacl_ros.pipeline import PipelineConfig  # noqa: E402
from mdacl_ros.pipeline.pair_input import PairInput  # noqa: E402
from mdacl_ros.pipeline.perception import Perception  # noqa: E402
from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer  # noqa: E402
from mdacl_ros.types import GroundTruth, Modality  # noqa: E402
from mdacl_tools.recordings.bag_writer import write_bag  # noqa: E402
from mdacl_tools.recordings.dataset_recording import DatasetRecording  # noqa: E402
from mdacl_tools.recordings.open_recording import open_recording  # noqa: E402
from mdacl_tools.recordings.recording import Event  # noqa: E402
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording  # noqa: E402
from mdacl_tools.scenes import Scene, SceneConfig  # noqa: E402
from mdacl_tools.scenes.config import Conditions  # noqa: E402
from mdacl_tools.scoring.evaluate_recording import evaluate_recording  # noqa: E402
from mdacl_tools.scoring.image_faults import rgb_signs  # noqa: E402
from mdacl_tools.scoring.pair_scoring import part_finder  # noqa: E402
from mdacl_tools.scoring.recording_pairing import paired  # noqa: E402
from mdacl_tools.scoring.settings import EvaluationSettings, build  # noqa: E402

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


def timed(frames: int, work: Callable[[], object]) -> tuple[float, float]:
    """Frames a second by the clock, and by the CPU time of all threads of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return frames / (time.perf_counter() - wall), frames / (time.process_time() - cpu)


def infer_all(perception: Perception, inputs: list[tuple[np.ndarray, ...]]) -> None:
    """The engine alone."""
    for rgb, thermal, present in inputs:
        perception.engine.infer(rgb, thermal, present)


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
    settings = EvaluationSettings(PipelineConfig(), ablation=False)
    perception = build(settings)
    print(f"{perception.engine.name} on {perception.engine.device}, {frames} pairs a round")
    print(
        f"  {'bag':12}{'engine alone':>14}{'evaluate':>12}{'ratio':>8}{'CPU ratio':>11}   frames/s"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, compress in STORED.items():
            bag, out = Path(folder) / name, Path(folder) / f"{name}_out"
            write_bag(Textured(frames / 10, 10.0), bag, compress=compress)
            inputs = made_inputs(bag)
            infer_all(perception, inputs[:3])
            rounds_of = {
                "engine": partial(infer_all, perception, inputs),
                "whole": partial(evaluate_recording, bag, out, settings, perception),
            }
            found: dict[str, list[tuple[float, float]]] = {key: [] for key in rounds_of}
            for _ in range(rounds):
                for key, work in rounds_of.items():
                    found[key].append(timed(len(inputs), work))
            alone, whole = np.array(found["engine"]), np.array(found["whole"])  # (rounds, 2)
            wall, cpu = np.median(whole / alone, axis=0)
            medians = np.median(alone[:, 0]), np.median(whole[:, 0])
            print(f"  {name:12}{medians[0]:14.2f}{medians[1]:12.2f}{wall:8.2f}{cpu:11.2f}")


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


def labelled_pictures(data: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Test images of the data sets by what their labels say of them."""
    for name in ("msrs", "m3svd"):
        if (data / name).is_dir():
            recording = DatasetRecording(data / name)
            part_of = part_finder(recording)
            for event in recording:
                if event.camera == "rgb":
                    yield f"{name} {part_of(event.frame.stamp_ns)}", event.frame.image


def simulated_pictures() -> Iterator[tuple[str, np.ndarray]]:
    """Simulated scenes that were not looked at when the thresholds were set."""
    weather = {"day": Conditions(), "dusk": Conditions(0.5), "night": Conditions(1.0)}
    weather |= {"smoke 0.3": Conditions(smoke=0.3), "smoke 0.7": Conditions(smoke=0.7)}
    weather |= {"night smoke 0.8": Conditions(1.0, 0.8), "glare 1": Conditions(glare=1.0)}
    for seed in range(20, 28):
        scene = Scene(SceneConfig(seed=seed))
        for name, conditions in weather.items():
            yield f"simulated {name}", scene.render(1.0, conditions).rgb


def signs(data: Path) -> None:
    """Print the share of pictures in which each sign is seen."""
    seen: dict[str, list[str]] = {}
    for name, image in itertools.chain(labelled_pictures(data), simulated_pictures()):
        seen.setdefault(name, []).extend(rgb_signs(image) or ("none",))
    print(f"{'pictures':28}{'number':>8}{'dark':>8}{'glare':>8}{'smoke':>8}")
    for name, found in sorted(seen.items()):
        shares = [found.count(sign) / len(found) for sign in ("dark", "glare", "smoke")]
        print(f"{name:28}{len(found):8}" + "".join(f"{share:8.2f}" for share in shares))


def child(bag: Path) -> None:
    """Evaluate one bag with the cheap engine of the tests; print frames and peak memory."""
    from scoring.blob_perception import blob_settings, build_blobs

    settings = blob_settings()
    report = evaluate_recording(bag, bag / "out", settings, build_blobs(settings))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(report.counts["processed"], peak)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("speed", "memory", "signs", "child"))
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--bag", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.what == "child":
        child(args.bag)
    if args.what in (None, "signs"):
        signs(args.data)
    if args.what in (None, "memory"):
        memory(args.seconds)
    if args.what in (None, "speed"):
        speed(args.frames, args.rounds)
