"""How well the online residual tells a knocked rig, on real recordings with known shifts.

Run ``OMP_NUM_THREADS=1 python research/benchmarks/registration_residual.py [--data
../shared/data]``. Every recording is a dozen pairs (a minute of the node's probes): runs of MSRS
by day and by night, and parts of the M3SVD clips, two of them dense smoke. Thermal is displaced
through the rig file, in a random direction, and goes the node's way (letterbox, tone curve,
remap). Both data sets were registered by their authors to within some pixels, so the error at
shift 0 is theirs and ours; that of a shift is also given against the estimate at 0. *Unrelated*
pairs a recording's RGB with another one's thermal: nothing may be said about them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from mdacl_ros.config.parameters import NodeParameters  # noqa: E402
from mdacl_ros.pipeline.pair_input import PairInput  # noqa: E402
from mdacl_ros.sensing.registration.residual import Residual, ResidualEstimator  # noqa: E402
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration  # noqa: E402
from mdacl_ros.types import FramePair  # noqa: E402
from mdacl_tools.recordings.dataset_recording import DatasetRecording  # noqa: E402
from mdacl_tools.recordings.datasets.data_folder import data_folder  # noqa: E402
from mdacl_tools.recordings.open_recording import open_recording  # noqa: E402
from mdacl_tools.recordings.recording import Recording  # noqa: E402
from mdacl_tools.scoring.pair_scoring import equal_stamps  # noqa: E402
from mdacl_tools.util.numbers import text_table  # noqa: E402

SHIFTS = (0, 2, 4, 6, 8, 12, 16, 32)
PAIRS = 12
STEP = 10  # frames of a video between two pairs
INPUT = (640, 480)


@dataclass(frozen=True)
class Case:
    """A recording and what was said of it at one shift."""

    name: str
    shift: np.ndarray
    residual: Residual


def recordings(data: Path) -> Iterator[tuple[str, list[FramePair]]]:
    """A dozen pairs each: MSRS test and train by day and night, then the videos."""
    for split in ("test", "train"):
        with closing(DatasetRecording(data / "msrs", split=split)) as whole:
            yield from chunks(f"msrs {split}", whole, 1)
    for video in sorted((data / "m3svd" / "videos" / "visible").glob("*.mp4")):
        with closing(open_recording(data / "m3svd" / "videos", clip=video.stem)) as clip:
            yield from chunks(f"m3svd {video.stem}", clip, STEP)


def chunks(name: str, recording: Recording, step: int) -> Iterator[tuple[str, list[FramePair]]]:
    """Consecutive dozens; the last one may be shorter by half."""
    pairs = islice(equal_stamps(recording), 0, None, step)
    number = 0
    while len(chunk := list(islice(pairs, PAIRS))) > PAIRS // 2:
        yield f"{name} {number}", chunk
        number += 1


def displaced(shift: Sequence[float] | np.ndarray) -> RigCalibration:
    """A rig file that lays thermal ``shift`` pixels beside where it belongs."""
    camera = CameraModel(INPUT)
    matrix = np.array([[1.0, 0, shift[0]], [0, 1.0, shift[1]], [0, 0, 1.0]])
    return RigCalibration("homography", camera, camera, 10.0, matrix)


def measure(pairs: list[FramePair], shift: np.ndarray) -> Residual:
    """What the node would say after these pairs."""
    given = PairInput(displaced(shift), INPUT, 0.01)
    estimator = ResidualEstimator()
    for pair in pairs:
        given.fill(pair, 0.01, None)
        aligned = given.aligned_pair()
        assert aligned is not None
        estimator.add(aligned)
    residual = estimator.estimate()
    assert residual is not None
    return residual


def unrelated(known: list[tuple[str, list[FramePair]]], rng: np.random.Generator) -> list[Residual]:
    """RGB of one recording with thermal of another of a different place."""
    found = []
    for name, pairs in known:
        others = [p for n, p in known if n.split()[:2] != name.split()[:2] or n.startswith("msrs")]
        other = others[rng.integers(len(others))]
        if other is not pairs:
            mixed = [FramePair(a.rgb, b.thermal, a.stamp_ns) for a, b in zip(pairs, other)]  # noqa: B905
            found.append(measure(mixed, np.zeros(2)))
    return found


def row(shift: int, cases: list[Case], base: dict[str, np.ndarray], bound: float) -> list[str]:
    """One line of the table."""
    sure = [case for case in cases if case.residual.confident]
    error = [float(np.hypot(*(case.residual.shift - case.shift))) for case in sure]
    own = [float(np.hypot(*(c.residual.shift - c.shift - base[c.name]))) for c in sure]
    alarms = sum(case.residual.pixels >= bound for case in sure)
    percent = [f"{100 * n / len(cases):.0f} %" for n in (len(sure), alarms)]
    statistics = (np.median(error), np.percentile(error, 95), max(error), np.median(own), max(own))
    return [str(shift), *percent, *(f"{value:.1f}" for value in statistics)]


def main() -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=None)
    data = parser.parse_args().data or data_folder()
    rng, bound = np.random.default_rng(0), NodeParameters().residual_warn
    known = list(recordings(data))
    cases: dict[int, list[Case]] = {}
    started = time.process_time()
    for shift in SHIFTS:
        for name, pairs in known:
            angle = rng.uniform(0, 2 * np.pi)
            vector = shift * np.array([np.cos(angle), np.sin(angle)])
            cases.setdefault(shift, []).append(Case(name, vector, measure(pairs, vector)))
    count = len(SHIFTS) * sum(len(pairs) for _, pairs in known)
    cost = (time.process_time() - started) / count * 1e3
    base = {case.name: np.asarray(case.residual.shift) for case in cases[0]}
    titles = ["shift px", "confident", f">= {bound:g} px", "error p50", "p95", "worst"]
    table = [[*titles, "against own 0: p50", "worst"]]
    table += [row(shift, found, base, bound) for shift, found in cases.items()]
    print(f"{len(known)} recordings of {PAIRS} pairs; pixels of the 640x480 RGB image")
    print(text_table(table))
    for case in cases[0]:
        if not case.residual.confident or case.residual.pixels > bound / 2:
            print(f"  at shift 0: {case.name}: {case.residual.pixels:.1f} px {case.residual.shift},"
                  f" confidence {case.residual.confidence:.2f}")  # fmt: skip
    said = unrelated(known, rng)
    sure = [residual for residual in said if residual.confident]
    print(f"unrelated images: {len(sure)} of {len(said)} confident (wanted 0);"
          f" highest confidence {max(r.confidence for r in said):.2f}")  # fmt: skip
    print(f"CPU time a pair, warp included: {cost:.0f} ms")


if __name__ == "__main__":
    main()
