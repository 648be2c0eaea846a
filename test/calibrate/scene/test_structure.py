import cv2
import numpy as np

from mdacl_tools.calibrate.scene.structure import picture_mask, structure

from ..scenes import place


def _grey() -> np.ndarray:
    grey = cv2.cvtColor(place(0), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return grey + np.random.default_rng(0).normal(0, 0.01, grey.shape).astype(np.float32)


def test_inverted_contrast_gives_the_same_edges():
    grey = _grey()
    upright, inverted = structure(grey, 1.0), structure(1 - 0.5 * grey, 1.0)
    assert np.abs(upright).max() > 1
    assert np.abs(upright - inverted).max() < 0.02


def test_a_turned_edge_is_told_from_an_upright_one():
    edge = np.zeros((60, 60), np.float32)
    edge[:, 30:] = 1
    upright, turned = structure(edge, 1.0), structure(np.ascontiguousarray(edge.T), 1.0)
    assert upright[30, 30].real > 0.5
    assert turned[30, 30].real < -0.5


def test_nothing_is_seen_outside_the_picture():
    grey = _grey()
    valid = np.ones_like(grey)
    valid[:, :100] = 0
    assert not structure(grey, 1.0, valid)[:, :100].any()


def test_black_bars_are_left_out_and_the_picture_is_kept():
    rng = np.random.default_rng(0)
    images = [rng.integers(1, 255, (60, 80)).astype(np.uint8) for _ in range(3)]
    for image in images:
        image[:, :10] = 0
    mask = picture_mask(images)
    assert not mask[:, :10].any()
    assert mask[:, 13:].all()


def test_a_dark_scene_is_not_taken_for_bars():
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 3, (60, 80)).astype(np.uint8) for _ in range(6)]
    assert picture_mask(images).mean() > 0.95
