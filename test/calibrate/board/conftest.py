"""One simulated rig before a warm checkerboard, seen once for all tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from mdacl_ros.types import MODALITIES, Frame
from mdacl_tools.calibrate.board.board import Board
from mdacl_tools.calibrate.board.finder import BoardFinder
from mdacl_tools.calibrate.board.grey_images import grey_of
from mdacl_tools.calibrate.board.sighting import BoardView
from mdacl_tools.calibrate.board.solve import Solution, solve
from mdacl_tools.calibrate.simulated_rig import SMALL_THERMAL, SimulatedRig, random_rig

BOARD = Board("checkerboard", 7, 5, 0.06)
SIZES = {"rgb": (480, 360), "thermal": SMALL_THERMAL}
VIEWS = 14


@dataclass
class Scene:
    rig: SimulatedRig
    images: list[dict[str, np.ndarray]]
    poses: list[np.ndarray]
    views: list[BoardView]

    def write(self, folder: Path, count: int = VIEWS) -> Path:
        """Lay the pairs out as a folder of images."""
        for camera in MODALITIES:
            (folder / camera).mkdir(parents=True, exist_ok=True)
            for i, images in enumerate(self.images[:count]):
                image = images[camera]
                bgr = image[..., ::-1] if image.ndim == 3 else image
                cv2.imwrite(str(folder / camera / f"{i:02}.png"), bgr)
        return folder


@pytest.fixture(scope="session")
def scene() -> Scene:
    cv2.setNumThreads(1)
    rng = np.random.default_rng(4)
    rig = SimulatedRig(random_rig(rng, SMALL_THERMAL, SIZES["rgb"]), BOARD)
    poses = rig.poses(VIEWS, rng)
    images = [rig.images(pose, rng) for pose in poses]
    finders = {camera: BoardFinder(BOARD) for camera in MODALITIES}
    views = []
    for i, pair in enumerate(images):
        frames = {"rgb": Frame(pair["rgb"], 0), "thermal": Frame(pair["thermal"], 0, "", "16UC1")}
        seen = {c: finders[c](grey_of(frames[c], c)) for c in MODALITIES}
        assert None not in seen.values(), f"view {i}: {seen}"
        views.append(BoardView(f"{i:02}", seen))
    return Scene(rig, images, poses, views)


@pytest.fixture(scope="session")
def solution(scene: Scene) -> Solution:
    return solve(BOARD, scene.views, SIZES)
