"""Boards are found by both cameras, in either polarity, and features lie where they are."""

from __future__ import annotations

import numpy as np
import pytest

from mdacl_ros.errors import ParameterError
from mdacl_ros.types import Frame
from mdacl_tools.calibrate.board.appearance import fit_features
from mdacl_tools.calibrate.board.board import Board
from mdacl_tools.calibrate.board.finder import BoardFinder
from mdacl_tools.calibrate.board.grey_images import grey_of
from mdacl_tools.calibrate.board.optics import lens_of, projected, vector_of
from mdacl_tools.calibrate.simulated_rig import SMALL_THERMAL, SimulatedRig, random_rig

BOARDS = [
    (Board("checkerboard", 7, 5, 0.06), SMALL_THERMAL),
    (Board("asymmetric_circles", 4, 7, 0.06), SMALL_THERMAL),
    (Board("circles", 6, 5, 0.07), SMALL_THERMAL),
    (Board("charuco", 6, 5, 0.06), (320, 256)),
]


@pytest.mark.parametrize(("board", "size"), BOARDS, ids=[str(board) for board, _ in BOARDS])
def test_every_board_is_found_hot_and_cold_and_fitted_to_a_tenth_of_a_pixel(board, size):
    rng = np.random.default_rng(1)
    rig = SimulatedRig(random_rig(rng, size, (640, 480)), board)
    pose = rig.poses(6, rng)[5]
    images = rig.images(pose, rng)
    frames = {"rgb": Frame(images["rgb"], 0), "thermal": Frame(images["thermal"], 0, "", "16UC1")}
    for camera, in_camera in (("rgb", pose), ("thermal", rig.to_thermal(pose))):
        seen = BoardFinder(board)(grey_of(frames[camera], camera))
        assert seen is not None, camera
        model = getattr(rig.truth, camera)
        lens = lens_of(model.matrix, model.distortion)
        motion = np.concatenate((vector_of(in_camera[:3, :3]), in_camera[:3, 3]))
        truth, _ = projected(board.points, lens, motion)
        turns = [np.abs(truth[turn[seen.ids]] - seen.pixels).max() for turn in board.symmetries]
        assert min(turns) < 2.0
        seen = type(seen)(
            board.symmetries[int(np.argmin(turns))][seen.ids], seen.pixels, seen.image
        )
        fit = fit_features(board, seen, lens, motion, 0.7)
        assert fit.good.mean() > 0.9
        error = np.hypot(*(fit.pixels - truth[seen.ids])[fit.good].T)
        assert np.median(error) < (0.05 if camera == "rgb" else 0.15)


def test_a_fit_moves_features_back_that_were_put_half_a_pixel_off(scene):
    truth = scene.rig.truth.rgb
    pose = scene.poses[3]
    motion = np.concatenate((vector_of(pose[:3, :3]), pose[:3, 3]))
    lens = lens_of(truth.matrix, truth.distortion)
    exact, _ = projected(scene.rig.board.points, lens, motion)
    seen = scene.views[3].sightings["rgb"]
    moved = type(seen)(np.arange(len(exact)), exact + np.array([0.4, -0.3]), seen.image)
    fit = fit_features(scene.rig.board, moved, lens, motion, 0.7)
    assert fit.good.all()
    assert np.abs(fit.pixels - exact).max() < 0.12


def test_no_board_no_sighting():
    noise = np.random.default_rng(0).integers(0, 255, (120, 160)).astype(np.uint8)
    assert BoardFinder(Board("checkerboard", 7, 5, 0.06))(noise) is None
    assert BoardFinder(Board("circles", 7, 5, 0.06))(noise) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Board("checkerboard", 2, 5, 0.06), "--size 2x5"),
        (lambda: Board("circles", 7, 5, 60.0), "--spacing 60.0"),
        (lambda: Board("circles", 7, 5, 0.06, 0.07), "--diameter 0.07"),
        (lambda: BoardFinder(Board("charuco", 20, 20, 0.06)), "has 50 markers"),
        (lambda: BoardFinder(Board("charuco", 5, 4, 0.06, 0.0, "4X4")), "--dictionary 4X4"),
    ],
)
def test_a_board_that_cannot_be_is_named(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
