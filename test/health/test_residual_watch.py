"""The watch of the registration: a wrong size is reported, examined rarely, and forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from mdacl_ros.health import residual_watch
from mdacl_ros.health.residual_watch import RARELY, ResidualWatch
from mdacl_ros.sensing.registration.aligned_pair import AlignedPair
from mdacl_ros.sensing.registration.residual import Residual
from mdacl_ros.sensing.registration.warp_plausibility import LEAST_PAIRS, Plausibility

FOUND = Plausibility(0.1, 0.3, 0.1, (0.7, 0.7))


@pytest.fixture
def watch() -> Iterator[ResidualWatch]:
    errors: list[str] = []
    running = ResidualWatch(errors.append)
    running.start()
    yield running
    running.stop()
    assert errors == []


def clutter(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = np.full((240, 320), 90, np.uint8)
    for _ in range(220):
        points = rng.integers(-25, 25, (4, 2)) + rng.integers(0, (320, 240))
        cv2.fillConvexPoly(image, points.astype(np.int32), int(rng.integers(20, 230)))
    return image.astype(np.float32)


def aligned(seed: int, size: float) -> AlignedPair:
    grey = clutter(seed)
    matrix = np.array([[size, 0, 160 * (1 - size)], [0, size, 120 * (1 - size)]])
    thermal = cv2.warpAffine(255 - grey, matrix, (320, 240), borderMode=cv2.BORDER_REPLICATE)
    return AlignedPair(grey, thermal, np.ones(grey.shape, bool), (2.0, 2.0), 10.0)


def wait(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def measured(watch: ResidualWatch, pair: AlignedPair) -> None:
    """Offer a pair and wait until its residual is there."""
    before = watch.read(6.0)[0]
    watch.offer(pair)
    wait(lambda: watch.read(6.0)[0] is not before)


def test_a_wrong_size_is_reported_until_the_calibration_changes(watch: ResidualWatch) -> None:
    for seed in range(LEAST_PAIRS):
        assert watch.implausible() is None
        measured(watch, aligned(seed, 1.42))
    found = watch.implausible()
    assert found is not None
    assert found.size == pytest.approx((0.7, 0.7), rel=0.13)
    watch.forget()
    assert watch.implausible() is None
    for seed in range(LEAST_PAIRS):
        measured(watch, aligned(seed, 1.0))
    assert watch.implausible() is None


def test_a_scene_that_never_tells_is_examined_more_and_more_rarely(
    watch: ResidualWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    examined: list[int] = []
    count = 0
    unsure = np.zeros((3, 3, 2), np.float32)

    class Unsure:
        def add(self, pair: AlignedPair) -> None:
            nonlocal count
            count += 1

        def estimate(self) -> Residual:
            return Residual((0.0, 0.0), 0.1, count, unsure, (640, 480))

    def noted(_residual: Residual, _pairs: list[AlignedPair]) -> Plausibility | None:
        examined.append(count)
        return FOUND if len(examined) == 2 else None

    monkeypatch.setattr(residual_watch, "ResidualEstimator", Unsure)
    monkeypatch.setattr(residual_watch, "implausible_warp", noted)
    watch.forget()
    pair = aligned(0, 1.0)
    for number in range(1, 3 * RARELY):
        measured(watch, pair)
        reported = watch.implausible()
        assert (reported is FOUND) == (18 <= number < 42)
    assert examined == [6, 18, 42, 90, 186, 282]
