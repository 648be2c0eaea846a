"""What laying thermal over RGB costs at run time, and how exact it is.

Run ``OMP_NUM_THREADS=1 python research/benchmarks/registration.py``: the example rig (640x512
thermal, RGB 1280x720). Times are medians of interleaved rounds on one OpenCV thread. *Exact* is a
bilinear warp in double precision at coordinates computed pixel by pixel. The share of the frame is
that of the shipped detector on this machine (``--engine`` and ``--rounds`` to change; ``--rounds
0``: without).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "test" / "sensing")]

from exact_warp import exact_warp  # noqa: E402

from mdacl_ros.pipeline import Perception, PipelineConfig  # noqa: E402
from mdacl_ros.resources import find_resource  # noqa: E402
from mdacl_ros.runtime import load_engine  # noqa: E402
from mdacl_ros.runtime.engine_kind import AUTO  # noqa: E402
from mdacl_ros.runtime.registry import engine_names  # noqa: E402
from mdacl_ros.sensing.letterbox import Letterbox  # noqa: E402
from mdacl_ros.sensing.registration.dense_map import exact_thermal_map, thermal_map  # noqa: E402
from mdacl_ros.sensing.registration.residual import ResidualEstimator  # noqa: E402
from mdacl_ros.sensing.registration.rig import RigCalibration, load_rig  # noqa: E402
from mdacl_ros.sensing.registration.thermal_registration import Registration  # noqa: E402
from mdacl_ros.sensing.thermal.normalizer import normalize_once  # noqa: E402
from mdacl_ros.types import Frame, FramePair  # noqa: E402
from mdacl_tools.scenes import Scene, SceneConfig  # noqa: E402

INPUT = (640, 480)
DISTANCE = 8.0


def equality(rig: RigCalibration, images: dict[str, np.ndarray]) -> None:
    """Print how far the fixed-point remap is from the exact warp, in grey levels."""
    for title, box in targets(rig).items():
        registration = Registration(rig, rig.rgb.size, rig.thermal.size, box.target_size, DISTANCE)
        source = exact_thermal_map(rig, box, DISTANCE)
        quick = thermal_map(rig, box, DISTANCE)
        seen = registration.coverage
        print(f"{title}: map off by {np.abs(quick - source)[seen].max():.5f} px at most")
        for name, image in images.items():
            error = np.abs(registration.warp(image).astype(float) - exact_warp(image, source))
            error = error[seen & np.isfinite(error)]
            print(f"  {name:24} mean {error.mean():.3f}, 99 % {np.percentile(error, 99):.2f},"
                  f" worst {error.max():.2f} grey levels")  # fmt: skip


def targets(rig: RigCalibration) -> dict[str, Letterbox]:
    """What thermal is warped into."""
    return {
        "RGB image 1280x720": Letterbox(rig.rgb.size, rig.rgb.size),
        "network input 640x480": Letterbox(rig.rgb.size, INPUT),
    }


def building(rig: RigCalibration) -> None:
    """Print how long a map takes."""
    for title, box in targets(rig).items():
        times: dict[str, list[float]] = {"interpolated": [], "pixel by pixel": []}
        for _ in range(3):
            for name, build in zip(times, (thermal_map, exact_thermal_map), strict=True):
                times[name].append(clocked(lambda b=build, x=box: b(rig, x, DISTANCE)))
        text = ", ".join(f"{name} {median(values):.0f} ms" for name, values in times.items())
        print(f"map for {title}: {text}")


def clocked(run: Callable[[], object]) -> float:
    """Milliseconds of CPU that one call takes: other programs run here too."""
    start = time.process_time()
    run()
    return (time.process_time() - start) * 1e3


def stream(rgb: np.ndarray, thermal: np.ndarray) -> Iterator[FramePair]:
    """The same pair again and again, as cameras of 30 Hz deliver it."""
    for number in count(1):
        stamp = number * 33_333_333
        frames = Frame(rgb, stamp, "rgb", "rgb8"), Frame(thermal, stamp, "thermal", "16UC1")
        yield FramePair(*frames, stamp)


def frame_share(perception: Perception, pairs: Iterator[FramePair], rounds: int) -> None:
    """Print the stages of a frame, and the share of the remap and of the residual in it."""
    first = next(pairs)
    perception.process(first)
    registration = perception.registration.current
    assert registration is not None
    assert first.thermal is not None
    registration.prepare_display()
    normalized = normalize_once(first.thermal.image, first.thermal.encoding)
    byte = (255 * normalized).astype(np.uint8)
    aligned, estimator = perception.aligned_pair(), ResidualEstimator()
    assert aligned is not None
    remaps: dict[str, Callable[[], object]] = {
        "remap to network input": lambda: registration.warp(normalized),
        "remap to 1280x720": lambda: registration.warp_to_rgb(byte),
        "copy for the residual": perception.aligned_pair,
        "residual, beside": lambda: estimator.add(aligned),
    }
    times: dict[str, list[float]] = {}
    work: dict[str, list[float]] = {}  # CPU time: what counts where other programs run too
    for _ in range(rounds):
        begun = time.process_time()
        for stage, milliseconds in perception.process(next(pairs)).timings_ms.items():
            times.setdefault(stage, []).append(milliseconds)
        work.setdefault("frame", []).append((time.process_time() - begun) * 1e3)
        for name, run in remaps.items():
            start = time.perf_counter()
            work.setdefault(name, []).append(clocked(run))
            times.setdefault(name, []).append((time.perf_counter() - start) * 1e3)
    medians = {name: median(values) for name, values in times.items()}
    frame = sum(value for name, value in medians.items() if name not in remaps)
    print(f"a frame: {frame:.1f} ms ({perception.engine.name} {perception.engine.precision})")
    for name, value in medians.items():
        print(f"  {name:24}{value:8.2f} ms{100 * value / frame:7.1f} %")
    cpu = {name: median(values) for name, values in work.items()}
    print(f"CPU time of a frame, all threads: {cpu['frame']:.1f} ms")
    for name in remaps:
        print(f"  {name:24}{cpu[name]:8.2f} ms{100 * cpu[name] / cpu['frame']:7.1f} %")


def live_change(perception: Perception, pairs: Iterator[FramePair], how: str) -> None:
    """Print what a new reference_distance does to the pairs that come meanwhile."""
    walls, late = [], 0
    for number in range(24):
        if number == 8:
            perception.config = replace(perception.config, reference_distance=3.0)
        start = time.perf_counter()
        perception.process(next(pairs))
        walls.append((time.perf_counter() - start) * 1e3)
        current = perception.registration.current
        assert current is not None
        late += number >= 8 and current.distance != 3.0
    usual, slowest = median(walls[2:8] + walls[-8:]), max(walls[8:16])
    print(
        f"new distance {how}: {usual:.0f} ms a pair, slowest while it changes {slowest:.0f} ms;"
        f" in force {late} pairs later; all {len(walls)} pairs processed"
    )


def main() -> None:
    """Print everything."""
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=engine_names(), default=AUTO)
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args()
    rig = load_rig(ROOT / "calibration" / "example_rig.yaml")
    config = SceneConfig(seed=3, size=rig.rgb.size, thermal_size=rig.thermal.size)
    scene = Scene(config).render(1.0)
    noise = np.random.default_rng(0).integers(0, 256, rig.thermal.size[::-1]).astype(np.uint8)
    byte = np.rint(255 * normalize_once(scene.thermal, "16UC1")).astype(np.uint8)
    equality(rig, {"simulated scene, 8 bit": byte, "white noise, 8 bit": noise})
    building(rig)
    if args.rounds:
        engine = load_engine(find_resource("models/small"), engine=args.engine, input_size=INPUT)
        pairs = stream(scene.rgb, scene.thermal)
        settings = PipelineConfig(reference_distance=DISTANCE)
        frame_share(Perception(engine, rig, settings), pairs, args.rounds)
        live_change(Perception(engine, rig, settings), pairs, "in line (replay)")
        background = Perception(engine, rig, settings, background=True)
        live_change(background, pairs, "in the background (node)")


if __name__ == "__main__":
    main()
