from __future__ import annotations

import numpy as np
import pytest

from mdacl_ros.health.pair_health import PairHealth
from mdacl_ros.health.statistics import Statistics
from mdacl_ros.types import Detections, DominanceReading, Frame, FramePair, PerceptionResult

RGB = Frame(np.full((48, 64, 3), 90, np.uint8), 1)
THERMAL = Frame(np.full((48, 64), 90, np.uint8), 1, encoding="mono8")
BOTH, RGB_ALONE = FramePair(RGB, THERMAL, 1), FramePair(RGB, None, 1)
THERMAL_ALONE = FramePair(None, THERMAL, 1)


def test_another_image_size_is_counted_and_told() -> None:
    statistics = Statistics()
    health = PairHealth(statistics)
    small = FramePair(Frame(RGB.image[::2, ::2], 2), THERMAL, 2)
    for pair in (BOTH, BOTH, RGB_ALONE, small, small, THERMAL_ALONE, small):
        health.look(pair)
    counts = statistics.counts()
    assert (counts["size_changes_rgb"], counts["size_changes_thermal"]) == (1, 0)
    assert statistics.facts()["size_change_rgb"].startswith("rgb changed from 64x48 to 32x24")
    health.look(BOTH)
    assert statistics.counts()["size_changes_rgb"] == 2


@pytest.mark.parametrize(
    ("pairs", "rgb", "thermal"),
    [
        ([BOTH, BOTH], 0, 0),
        ([BOTH, RGB_ALONE, RGB_ALONE], 0, 1),
        ([BOTH, THERMAL_ALONE, BOTH, THERMAL_ALONE], 2, 0),
        ([RGB_ALONE, RGB_ALONE, BOTH], 0, 0),  # thermal had not come yet
    ],
)
def test_a_camera_that_is_lost_is_counted_once(
    pairs: list[FramePair], rgb: int, thermal: int
) -> None:
    statistics = Statistics()
    health = PairHealth(statistics)
    for pair in pairs:
        health.look(pair)
    counts = statistics.counts()
    assert (counts["partner_timeouts_rgb"], counts["partner_timeouts_thermal"]) == (rgb, thermal)


def test_frames_that_show_nothing_are_counted() -> None:
    statistics = Statistics()
    health = PairHealth(statistics)
    for blank in ((0.0, 0.5), (0.0, 1.0), (0.0, 0.0)):
        health.answered(result(blank))
    counts = statistics.counts()
    assert (counts["blank_rgb"], counts["blank_thermal"]) == (0, 2)


def result(blank: tuple[float, float]) -> PerceptionResult:
    even = (0.5, 0.5)
    nothing = Detections(
        np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), (64, 48)
    )
    dominance = DominanceReading(0.0, even, even, even, (1.0, 1.0))
    return PerceptionResult(1, nothing, dominance, (True, True), blank=blank)
