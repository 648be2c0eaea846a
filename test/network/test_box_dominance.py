from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mdacl_ros.network.box_dominance import (
    CONTEXT,
    NEIGHBOURHOOD,
    box_energies,
    contribution_maps,
    response_maps,
)
from mdacl_ros.network.detector import Detector

from .random_models import random_inputs

HEIGHT, WIDTH = 128, 160
WHOLE = torch.tensor([[[0.0, 0.0, WIDTH, HEIGHT]]])


def maps(rgb: float = 1.0, thermal: float = 1.0) -> list[Tensor]:
    both = torch.tensor([rgb, thermal])[None, :, None, None]
    return [both.expand(1, 2, HEIGHT // s, WIDTH // s).clone() for s in (8, 16, 32)]


def test_a_box_of_the_whole_image_averages_everything() -> None:
    assert box_energies(maps(2.0, 1.0), WHOLE)[0, :, 0].tolist() == [6.0, 3.0]


def test_cells_count_by_how_much_of_them_is_covered() -> None:
    """A region of 12 x 8 pixels that begins in the middle of a cell of stride 8."""
    level = torch.zeros(1, 2, 16, 20)
    level[0, 0, 2, 3], level[0, 1, 2, 4] = 1.0, 1.0
    others = [torch.zeros(1, 2, 8, 10), torch.zeros(1, 2, 4, 5)]
    region = torch.tensor([28.0, 16.0, 40.0, 24.0])  # x in cells 3.5 to 5, y in cell 2
    centre, half = (region[:2] + region[2:]) / 2, (region[2:] - region[:2]) / 2 / CONTEXT
    box = torch.cat([centre - half, centre + half])[None, None]
    measured = box_energies([level, *others], box)[0, :, 0]
    assert measured.tolist() == pytest.approx([0.5 / 1.5, 1 / 1.5])


@pytest.mark.parametrize("box", [[500.0, 500, 600, 600], [-90.0, -90, -60, -60], [5.0, 5, 5, 5]])
def test_a_region_without_any_cell_measures_nothing(box: list[float]) -> None:
    boxes = torch.tensor([[box]])
    assert box_energies(maps(), boxes).tolist() == [[[0.0], [0.0]]]


def test_neighbours_do_not_touch_each_other() -> None:
    there = maps(0.0, 1.0)
    for level in there:
        level[0, 0, :, : level.shape[3] // 2] = 1.0  # RGB only in the left half
        level[0, 1, :, : level.shape[3] // 2] = 0.0
    boxes = torch.tensor([[[20.0, 40, 40, 80], [120.0, 40, 140, 80]]])
    answer = box_energies(there, boxes)[0]
    assert answer[0, 1] == answer[1, 0] == 0
    assert answer[0, 0] > 0
    assert answer[1, 1] > 0


@pytest.mark.parametrize("absent", [0, 1])
def test_no_box_rests_on_an_absent_camera(detector: Detector, absent: int) -> None:
    rgb, thermal, present = random_inputs()
    present[:, absent] = 0
    measured = detector(rgb, thermal, present).box_energies
    assert (measured[0, absent] == 0).all()
    assert (measured[0, 1 - absent] > 0).any()


def test_a_uniform_image_and_what_speaks_against_objects_add_nothing() -> None:
    uniform, edge = torch.full((1, 2, 16, 20), 3.0), torch.zeros(1, 2, 16, 20)
    edge[:, 0, 8, 10] = 1.0
    slope = torch.ones(1, 2, 16, 20)
    found = response_maps([uniform, edge] * 3, [slope, slope] * 3, 2)
    against = response_maps([uniform, edge] * 3, [slope, -slope] * 3, 2)
    assert found[0][0, 0].abs().max() == 0
    assert found[0][0, 1].sum() == pytest.approx(1 - NEIGHBOURHOOD**2 / 320)  # against the mean
    assert against[0][0, 1, 8, 10] == 0


def test_what_pulls_both_ways_cancels_within_a_neighbourhood() -> None:
    features, slope = torch.zeros(1, 1, 16, 20), torch.zeros(1, 1, 16, 20)
    features[..., 8, 9:11] = 1.0
    slope[..., 8, 9], slope[..., 8, 10] = 1.0, -1.0
    alone = response_maps([features], [slope.clamp(min=0)], 1)[0].sum()
    both = response_maps([features], [slope], 1)[0].sum()
    assert 0 < both < alone / 3


def test_maps_are_mean_magnitudes() -> None:
    parts = [torch.tensor([1.0, -3.0]).view(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)]
    assert contribution_maps([parts])[0].flatten().tolist() == [2.0, 0.0]
