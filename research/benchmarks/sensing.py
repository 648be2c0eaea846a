"""Milliseconds of every sensing step, and what the synchronizer makes of a looped bag.

Run ``OMP_NUM_THREADS=1 python research/benchmarks/sensing.py``. Rounds are interleaved (A, B, A,
B, ...), so that a busy machine slows all of them alike; the ratio is to the cheapest way to do the
same.
"""

from __future__ import annotations

import itertools
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "test" / "sensing")]

from camera_streams import MS, two_loops  # noqa: E402

from mdacl_ros.sensing.images import decode_image  # noqa: E402
from mdacl_ros.sensing.letterbox import Letterbox  # noqa: E402
from mdacl_ros.sensing.pairing.frozen_camera import Repetition  # noqa: E402
from mdacl_ros.sensing.pairing.synchronizer import SyncConfig  # noqa: E402
from mdacl_ros.sensing.registration.rig import load_rig  # noqa: E402
from mdacl_ros.sensing.registration.thermal_registration import Registration  # noqa: E402
from mdacl_ros.sensing.thermal.normalizer import ThermalNormalizer  # noqa: E402

ROUNDS = 60
FRAME_NS = 33_333_333
Case = tuple[str, Callable[[], object]]


def compare(title: str, cases: list[Case]) -> None:
    """Print the median of each case and its ratio to the first one."""
    times: dict[str, list[float]] = {name: [] for name, _ in cases}
    for _ in range(ROUNDS):
        for name, run in cases:
            start = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - start))
    medians = {name: median(values[ROUNDS // 6 :]) for name, values in times.items()}
    base = medians[cases[0][0]]
    print(f"\n{title}\n  {'':44}{'median ms':>10}{'ratio':>8}")
    for name, value in medians.items():
        print(f"  {name:44}{value:10.3f}{value / base:8.2f}")


def normalizing(image: np.ndarray, encoding: str) -> Callable[[], object]:
    """One call of a warm normaliser, its stamps advancing."""
    normalizer, stamp = ThermalNormalizer(), iter(range(0, 1 << 62, FRAME_NS))
    return lambda: normalizer(image, encoding, next(stamp))


def thermal_cases(width: int, height: int) -> list[Case]:
    """A plain min-max stretch to compare with, then every encoding."""
    y, x = np.mgrid[:height, :width]
    kelvin = 288 + 4 * np.sin(x / 40) * np.cos(y / 60)
    kelvin += np.random.default_rng(0).normal(0, 0.05, kelvin.shape)
    kelvin[200:320, 100:140] = 304
    fire = kelvin.copy()
    fire[:, -width // 5 :] = 550
    raw = np.round(kelvin * 100).astype(np.uint16)
    return [
        (
            "min-max stretch of 16UC1 (flickers)",
            lambda: cv2.normalize(raw, None, 0, 1, cv2.NORM_MINMAX, cv2.CV_32F),
        ),
        ("mono8", normalizing(((kelvin - 270) * 5).astype(np.uint8), "mono8")),
        ("mono16", normalizing(((kelvin - 200) * 25).astype(np.uint16), "mono16")),
        ("16UC1", normalizing(raw, "16UC1")),
        ("16UC1, a fifth is fire", normalizing(np.round(fire * 100).astype(np.uint16), "16UC1")),
        ("32FC1", normalizing(kelvin.astype(np.float32), "32FC1")),
    ]


def allocations(run: Callable[[], object]) -> tuple[int, float]:
    """Blocks of 64 KiB or more that live at the peak of one call, and the peak in MiB."""
    run()
    tracemalloc.start()
    result = run()
    held = sum(s.size >= 1 << 16 for s in tracemalloc.take_snapshot().traces)
    peak = tracemalloc.get_traced_memory()[1] / (1 << 20)
    tracemalloc.stop()
    del result
    return held, peak


def wire_cases() -> list[Case]:
    """Decoding of one 1280x720 image in common encodings."""
    data = np.random.default_rng(0).integers(0, 255, 1280 * 720 * 3).astype(np.uint8)
    cases: list[Case] = []
    for encoding, pixel in (("rgb8", 3), ("bgr8", 3), ("yuv422_yuy2", 2), ("bayer_rggb8", 1)):
        part = data[: 1280 * 720 * pixel]
        step = 1280 * pixel
        cases.append(
            (encoding, lambda p=part, e=encoding, s=step: decode_image(p, e, 720, 1280, s, False))
        )
    return cases


def registration_cases() -> list[Case]:
    """RGB letterbox, thermal warp, and the two-step way that the one map replaces."""
    rig = load_rig(ROOT / "calibration" / "example_rig.yaml")
    registration = Registration(rig, rig.rgb.size, rig.thermal.size, (640, 512))
    thermal = np.random.default_rng(0).random((512, 640), np.float32)
    rgb = np.zeros((720, 1280, 3), np.uint8)
    box = Letterbox(rig.rgb.size, (640, 512))
    registration.warp_to_rgb(thermal)
    return [
        ("thermal 640x512 -> network input", lambda: registration.warp(thermal)),
        (
            "thermal -> RGB image -> network input",
            lambda: box.apply(registration.warp_to_rgb(thermal)),
        ),
        ("RGB 1280x720 letterbox", lambda: box.apply(rgb)),
    ]


def repetition_cases() -> list[Case]:
    """What it costs to tell a frozen camera: pictures that change, and one that repeats."""
    cases: list[Case] = []
    for name, shape in (("640x480", (480, 640, 3)), ("1920x1080", (1080, 1920, 3))):
        first, second = np.random.default_rng(0).integers(0, 250, (2, *shape), np.uint8)
        for kind, pictures in (("changes", (first, second)), ("repeats", (first, first.copy()))):
            camera, turn = Repetition(), itertools.cycle(pictures)
            stamps = itertools.count(0, FRAME_NS)
            cases.append(
                (
                    f"RGB {name} {kind}",
                    lambda c=camera, t=turn, s=stamps: c.look(next(t), next(s), Repetition(), 5),
                )
            )
    return cases


def main() -> None:
    """Print everything."""
    cv2.setNumThreads(1)
    for size in ((640, 480), (640, 512)):
        cases = thermal_cases(*size)
        compare(f"thermal {size[0]}x{size[1]}", cases)
        for name, run in cases[1:]:
            held, peak = allocations(run)
            print(f"  {name:44}{held} blocks kept, peak {peak:.2f} MiB a frame")
    compare("decode 1280x720", wire_cases())
    compare("registration into 640x512", registration_cases())
    compare("repeated images", repetition_cases())
    start = time.perf_counter()
    rig = load_rig(ROOT / "calibration" / "example_rig.yaml")
    Registration(rig, rig.rgb.size, rig.thermal.size, (640, 512))
    print(f"  building the map once: {time.perf_counter() - start:.2f} s")
    print("\ntwo loops of a bag: 30 Hz + 9 Hz, thermal clock 40 ms slow, thermal frozen 3.0-5.5 s")
    for reuse in (True, False):
        config = SyncConfig(thermal_clock_offset_ns=40 * MS, reuse_partner=reuse)
        for number, report in enumerate(two_loops(config), 1):
            print(f"  reuse_partner={reuse!s:5} loop {number}: {report}")


if __name__ == "__main__":
    main()
