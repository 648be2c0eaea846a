from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mdacl_tools.learning.augmentation import AugmentationConfig, TrainingItem, augment

from .synthetic import rectangle_sample

QUIET = AugmentationConfig(
    size=(320, 256), shift=0, drop_modality=0, partial_coverage=0, corrupt=0, invert_thermal=0
)
BOX = (200, 150, 330, 290)
SEEDS = range(20)


def draw(config: AugmentationConfig, seed: int, sample=None) -> TrainingItem:
    return augment(sample or rectangle_sample([BOX]), config, np.random.default_rng(seed))


def bright_box(image: np.ndarray) -> np.ndarray:
    """Outline of what is brighter than half way between the darkest and the brightest."""
    grey = image if image.ndim == 2 else image.mean(2)
    y, x = np.nonzero(grey > (grey.min() + grey.max()) / 2)
    return np.array([x.min(), y.min(), x.max() + 1, y.max() + 1])


@pytest.mark.parametrize("flip", [0.0, 1.0])
@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_boxes_follow_the_pixels(flip: float, camera: str) -> None:
    seen = 0
    for seed in SEEDS:
        item = draw(replace(QUIET, flip=flip), seed)
        if len(item.boxes):
            seen += 1
            assert np.abs(bright_box(getattr(item, camera)) - item.boxes[0]).max() <= 1.0
    assert seen > 10


def test_flip_mirrors() -> None:
    """One view of the whole image, once plain and once mirrored (to the half pixel that warps)."""
    whole = replace(QUIET, size=(640, 480), scale=(1.0, 1.0))
    for flip, x0 in ((0.0, 200), (1.0, 640 - 330)):
        item = draw(replace(whole, flip=flip), 0)
        assert item.boxes[0].tolist() == pytest.approx([x0, 150, x0 + 130, 290])


def test_sizes_and_types() -> None:
    item = draw(AugmentationConfig(size=(320, 256)), 3)
    assert item.rgb.shape == (256, 320, 3)
    assert item.rgb.dtype == np.uint8
    assert item.thermal.shape == (256, 320)
    assert item.thermal.dtype == np.float32
    assert item.present.shape == (2, 8, 10)
    assert item.boxes.dtype == np.float32
    assert item.labels.dtype == np.int64


def test_boxes_lie_inside_and_slivers_are_left_out() -> None:
    sample = rectangle_sample([(0, 0, 60, 60), (600, 440, 640, 480), BOX])
    for seed in SEEDS:
        boxes = draw(QUIET, seed, sample).boxes
        assert (boxes >= 0).all()
        assert (boxes <= [320, 256, 320, 256]).all()
        assert ((boxes[:, 2:] - boxes[:, :2]) >= 3).all()


def test_same_seed_same_item() -> None:
    a, b, c = (draw(AugmentationConfig(), seed) for seed in (5, 5, 6))
    assert np.array_equal(a.rgb, b.rgb)
    assert np.array_equal(a.thermal, b.thermal)
    assert not np.array_equal(a.rgb, c.rgb)


def test_dropped_camera_is_marked_absent_and_kept_for_teachers() -> None:
    dropped = set()
    for seed in SEEDS:
        item = draw(replace(QUIET, drop_modality=1.0), seed)
        here = item.present.any((1, 2))
        assert here.sum() == 1
        dropped.add(int(here.argmin()))
        absent = (item.rgb, item.thermal)[int(here.argmin())]
        assert item.covered.all() or not absent.all()
        assert np.array_equal(item.covered[here], item.present[here])
        if len(item.boxes):
            assert absent.any()
    assert dropped == {0, 1}


@pytest.mark.parametrize("seen_by", [0, 1])
def test_what_nobody_can_see_is_not_punished(seen_by: int) -> None:
    visible = [(seen_by == 0, seen_by == 1)]
    sample = rectangle_sample([BOX], visible=visible)
    checked = set()
    for seed in SEEDS:
        item = draw(replace(QUIET, drop_modality=1.0), seed, sample)
        if len(item.ignore):
            can_be_seen = bool(item.present[seen_by].any())
            assert item.ignore[0] != can_be_seen
            checked.add(can_be_seen)
    assert checked == {True, False}


def test_partial_coverage_darkens_what_is_not_covered() -> None:
    covered = []
    for seed in SEEDS:
        item = draw(replace(QUIET, partial_coverage=1.0), seed)
        cells = item.present[1]
        assert item.present[0].all()
        assert cells.any()
        pixels = np.kron(cells, np.ones((32, 32)))
        assert not (item.thermal * (1 - pixels)).any()
        covered.append(cells.mean())
    assert min(covered) < 1


def test_misregistration_is_bounded() -> None:
    for seed in SEEDS:
        item = draw(replace(QUIET, shift=4.0, scale=(1.0, 1.0)), seed)
        if len(item.boxes):
            gap = bright_box(item.rgb) - bright_box(item.thermal)
            assert np.abs(gap).max() <= 6  # the shift and two roundings


def test_the_only_camera_is_never_dropped() -> None:
    for cameras in ((True, False), (False, True)):
        sample = replace(rectangle_sample([BOX]), cameras=cameras)
        for seed in range(8):
            item = draw(replace(QUIET, drop_modality=1.0), seed, sample)
            assert tuple(item.present.any((1, 2))) == cameras
            assert item.rgb.any() <= cameras[0]
            assert item.thermal.any() <= cameras[1]


def test_tone_changes_thermal_alone() -> None:
    a, b = (draw(replace(QUIET, thermal_tone=tone), 1) for tone in (0.0, 0.5))
    assert np.array_equal(a.rgb, b.rgb)
    assert not np.array_equal(a.thermal, b.thermal)
    assert b.thermal.min() >= 0
    assert b.thermal.max() <= 1


@pytest.mark.parametrize("option", ["mosaic", "copy_paste"])
def test_options_that_need_other_pairs_say_so(option: str) -> None:
    with pytest.raises(ValueError, match="wanted donors"):
        draw(replace(QUIET, **{option: 1.0}), 0)
