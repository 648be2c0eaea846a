from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mdacl_tools.learning.copy_paste import paste_objects
from mdacl_tools.learning.paste_sources import Donors, covered_shares, find_donors
from mdacl_tools.learning.samples import Sample

from .synthetic import rectangle_sample

OBJECT = (300, 200, 340, 300)


def donors(visible: tuple[bool, bool] = (True, True)) -> Donors:
    return Donors([rectangle_sample([OBJECT], [2], visible=[visible])], None)


def target(boxes: list | None = None, ignore: bool = False) -> Sample:
    sample = rectangle_sample(boxes or [], [1] * len(boxes or []))
    sample.rgb[:] = 10
    sample.thermal[:] = 0.1
    return replace(sample, ignore=np.full(len(sample.boxes), ignore))


def pasted(sample: Sample, source: Donors, seed: int = 0) -> Sample:
    return paste_objects(sample, source, np.random.default_rng(seed))


@pytest.mark.parametrize("visible", [(True, True), (False, True), (True, False)])
def test_an_object_appears_in_the_images_of_the_cameras_that_see_it(
    visible: tuple[bool, bool],
) -> None:
    before = target()
    after = pasted(before, donors(visible))
    assert len(after.boxes) >= 1
    assert (after.labels == 2).all()
    assert (after.visible == visible).all()
    for x0, y0, x1, y1 in np.rint(after.boxes).astype(int):
        inner = np.s_[y0 + 5 : y1 - 5, x0 + 5 : x1 - 5]
        assert (after.rgb[inner].mean() > 200) == visible[0]
        assert (after.thermal[inner].mean() > 0.9) == visible[1]
    assert np.array_equal(before.thermal, after.thermal) == (not visible[1])
    assert (before.rgb == 10).all()


def test_far_from_what_was_pasted_nothing_changes() -> None:
    after = pasted(target(), donors())
    far = np.ones(after.thermal.shape, bool)
    for x0, y0, x1, y1 in np.rint(after.boxes).astype(int):
        far[max(0, y0 - 30) : y1 + 30, max(0, x0 - 30) : x1 + 30] = False
    assert (after.rgb[far] == 10).all()
    assert (after.thermal[far] == np.float32(0.1)).all()


def test_never_over_an_ignore_region() -> None:
    sample = target([(0, 0, 300, 480)], ignore=True)
    placed = 0
    for seed in range(20):
        after = pasted(sample, donors(), seed)
        assert after.ignore[0]
        placed += len(after.boxes) - 1
        assert (after.boxes[1:, 0] >= 300).all()
    assert placed > 5


def test_what_is_covered_is_dropped_or_ignored() -> None:
    small = [(x, 230, x + 30, 280) for x in range(0, 640, 32)]
    kinds = set()
    for seed in range(20):
        after = pasted(target(small), donors(), seed)
        old, new = after.boxes[after.labels == 1], after.boxes[after.labels == 2]
        kinds.add(("dropped", len(old) < len(small)))
        for box in new:
            shares = covered_shares(after.boxes, box)
            left = (after.labels == 1) & ~after.ignore
            assert shares[left].max(initial=0) <= 0.3
    assert ("dropped", True) in kinds


def test_objects_of_a_day_stay_out_of_the_night() -> None:
    day = donors().samples[0]
    day.rgb[:] = np.maximum(day.rgb, 200)
    assert pasted(target(), Donors([day], None)).boxes.shape == (0, 4)


def test_one_camera_samples_take_what_that_camera_sees() -> None:
    sample = replace(target(), cameras=(False, True))
    assert len(pasted(sample, donors((True, False))).boxes) == 0
    after = pasted(sample, donors())
    assert len(after.boxes) > 0
    assert (after.rgb == 10).all()


def ground(horizon: float, rng: np.random.Generator) -> Sample:
    bottoms = rng.uniform(horizon + 30, 460, 5)
    boxes = [(50, int(b - (b - horizon) * 0.8), 80, int(b)) for b in bottoms]
    return rectangle_sample(boxes)


def test_horizon_is_found_and_sizes_follow_the_distance_from_it() -> None:
    rng = np.random.default_rng(0)
    samples = [ground(200, rng) for _ in range(10)]
    found = find_donors(samples)
    assert found.horizon == pytest.approx(200 / 480, abs=0.01)
    source = Donors([rectangle_sample([OBJECT])], 200 / 480)
    for seed in range(10):
        for _, top, _, bottom in pasted(target(), source, seed).boxes:
            assert (bottom - top) / (bottom - 200) == pytest.approx(1.0, rel=0.11)


def test_no_horizon_where_heights_do_not_follow_it() -> None:
    rng = np.random.default_rng(0)
    boxes = [[(50, y, 80, y + int(rng.integers(20, 120)))] for y in rng.integers(10, 300, 40)]
    assert find_donors([rectangle_sample(b) for b in boxes]).horizon is None
