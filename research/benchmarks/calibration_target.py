"""How near `mdacl calibrate target` comes to the truth of simulated rigs.

Run ``OMP_NUM_THREADS=1 python research/benchmarks/calibration_target.py [--rigs 20] [--views
36]``: random rigs of a 1280x720 colour camera with a 640x512 and with a 160x120 thermal camera
before a heated checkerboard, then one rig of each other board. Images have blur and noise; what
counts is the error of the result, not its reprojection error.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mdacl_ros.errors import CalibrationError
from mdacl_ros.types import MODALITIES, Frame, Modality
from mdacl_tools.calibrate.board.board import Board
from mdacl_tools.calibrate.board.finder import BoardFinder
from mdacl_tools.calibrate.board.grey_images import grey_of
from mdacl_tools.calibrate.board.optics import lens_of, vector_of
from mdacl_tools.calibrate.board.report import thermal_in_rgb
from mdacl_tools.calibrate.board.sighting import BoardView, Sighting
from mdacl_tools.calibrate.board.solve import Solution, solve
from mdacl_tools.calibrate.simulated_rig import (
    LARGE_THERMAL,
    SMALL_THERMAL,
    SimulatedRig,
    Size,
    random_rig,
)

GOALS = {"rgb focal %": 0.5, "thermal focal %": 0.5, "rotation deg": 0.1, "translation mm": 2.0}
SQUARE = {
    LARGE_THERMAL: Board("checkerboard", 9, 6, 0.05),
    SMALL_THERMAL: Board("checkerboard", 7, 5, 0.06),
}
OTHERS = [
    (Board("asymmetric_circles", 4, 11, 0.04), LARGE_THERMAL),
    (Board("asymmetric_circles", 4, 9, 0.05), SMALL_THERMAL),
    (Board("circles", 8, 6, 0.06), LARGE_THERMAL),
    (Board("circles", 7, 5, 0.07), SMALL_THERMAL),
    (Board("charuco", 8, 6, 0.06), LARGE_THERMAL),
]


def sightings(rig: SimulatedRig, count: int, rng: np.random.Generator) -> list[BoardView]:
    """Render, and look for the board as the command does."""
    finders = {camera: BoardFinder(rig.board) for camera in MODALITIES}
    encodings: dict[Modality, str] = {"rgb": "rgb8", "thermal": "16UC1"}
    views = []
    for i, pose in enumerate(rig.poses(count, rng)):
        seen: dict[Modality, Sighting] = {}
        for camera, image in rig.images(pose, rng).items():
            found = finders[camera](grey_of(Frame(image, 0, encoding=encodings[camera]), camera))
            if found is not None:
                seen[camera] = found
        if seen:
            views.append(BoardView(str(i), seen))
    return views


def errors(rig: SimulatedRig, solution: Solution) -> dict[str, float]:
    """Distance of a calibration from the truth."""
    state, result = solution.adjusted.state, {}
    for camera in MODALITIES:
        model = getattr(rig.truth, camera)
        true = lens_of(np.asarray(model.matrix, np.float64), model.distortion)
        result[f"{camera} focal %"] = 100 * float(
            np.abs(state.lenses[camera][:2] / true[:2] - 1).max()
        )
    rotation, translation = thermal_in_rgb(state.relative)
    turn = vector_of(rotation.T @ np.asarray(rig.truth.rotation, np.float64))
    result["rotation deg"] = float(np.degrees(np.linalg.norm(turn)))
    result["translation mm"] = 1e3 * float(np.linalg.norm(translation - rig.truth.translation))
    return result


def trial(board: Board, size: Size, views: int, seed: int) -> dict[str, float]:
    """Errors of one rig; infinite where the calibration refused."""
    rng = np.random.default_rng(seed)
    rig = SimulatedRig(random_rig(rng, size), board)
    found = sightings(rig, views, rng)
    sizes: dict[Modality, Size] = {"rgb": rig.truth.rgb.size, "thermal": size}
    try:
        solution = solve(board, found, sizes)
    except CalibrationError as error:
        print(f"  rig {seed}: {error}")
        return dict.fromkeys(GOALS, float("inf"))
    return errors(rig, solution) | {"views": len(solution.views)}


def main() -> None:
    """Print every rig, then median and worst of each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rigs", type=int, default=20, help="of each thermal size")
    parser.add_argument("--views", type=int, default=36)
    parser.add_argument("--others", type=int, default=1, help="rigs of each other board")
    parser.add_argument("--first", type=int, default=0, help="seed of the first rig")
    parser.add_argument("--only", default="", help="640x512, 160x120 or others: this size alone")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    cases = [
        (f"{size[0]}x{size[1]}", SQUARE[size], size, args.rigs)
        for size in (LARGE_THERMAL, SMALL_THERMAL)
    ]
    cases += [("others", board, size, args.others) for board, size in OTHERS]
    for name, board, size, rigs in cases:
        if args.only not in ("", name):
            continue
        print(f"\nthermal {size[0]}x{size[1]}, {board}, {args.views} views")
        rows = []
        for seed in range(args.first, args.first + rigs):
            start = time.process_time()
            rows.append(row := trial(board, size, args.views, seed))
            seconds = time.process_time() - start
            print(
                f"  rig {seed:2}:",
                *(f"{k} {v:.3f}" for k, v in row.items()),
                f"({seconds:.0f} s)",
                flush=True,
            )
        for key, goal in GOALS.items() if rows else ():
            values = [row[key] for row in rows]
            met = sum(value <= goal for value in values)
            text = f"median {np.median(values):7.3f}  worst {max(values):7.3f}"
            print(f"  {key:16} {text}  goal {goal} in {met}/{rigs}")


if __name__ == "__main__":
    main()
