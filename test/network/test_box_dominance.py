from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mdacl_ros.network.box_dominance import (
    CONTEXT,
    box_energies,
    box_sensitivities,
    contribution_maps,
)
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.head import select_top
from mdacl_ros.network.probe import Probe

from .random_models import random_inputs

HEIGHT, WIDTH = 128, 160
WHOLE = torch.tensor([[[0.0, 0.0, WIDTH, HEIGHT]]])


def maps(rgb: float = 1.0, thermal: float = 1.0) -> list[Tensor]:
    both = torch.tensor([rgb, thermal])[None, :, None, None]
    return [both.expand(1, 2, HEIGHT // s, WIDTH // s).clone() for s in (8, 16, 32)]


def test_a_box_of_the_whole_image_sums_and_averages_everything() -> None:
    cells = sum(level[0, 0].numel() for level in maps())
    assert box_sensitivities(maps(2.0, 1.0), WHOLE)[0, :, 0].tolist() == [2.0 * cells, cells]
    assert box_energies(maps(2.0, 1.0), WHOLE)[0, :, 0].tolist() == [6.0, 3.0]


def test_cells_count_by_how_much_of_them_is_covered() -> None:
    """A region of 12 x 8 pixels that begins in the middle of a cell of stride 8."""
    level = torch.zeros(1, 2, 16, 20)
    level[0, 0, 2, 3], level[0, 1, 2, 4] = 1.0, 1.0
    others = [torch.zeros(1, 2, 8, 10), torch.zeros(1, 2, 4, 5)]
    region = torch.tensor([28.0, 16.0, 40.0, 24.0])  # x in cells 3.5 to 5, y in cell 2
    centre, half = (region[:2] + region[2:]) / 2, (region[2:] - region[:2]) / 2 / CONTEXT
    box = torch.cat([centre - half, centre + half])[None, None]
    assert box_sensitivities([level, *others], box)[0, :, 0].tolist() == pytest.approx([0.5, 1.0])


@pytest.mark.parametrize("box", [[500.0, 500, 600, 600], [-90.0, -90, -60, -60], [5.0, 5, 5, 5]])
def test_a_region_without_any_cell_measures_nothing(box: list[float]) -> None:
    boxes = torch.tensor([[box]])
    for pool in (box_energies, box_sensitivities):
        assert pool(maps(), boxes).tolist() == [[[0.0], [0.0]]]


def test_neighbours_do_not_touch_each_other() -> None:
    there = maps(0.0, 1.0)
    for level in there:
        level[0, 0, :, : level.shape[3] // 2] = 1.0  # RGB only in the left half
        level[0, 1, :, : level.shape[3] // 2] = 0.0
    boxes = torch.tensor([[[20.0, 40, 40, 80], [120.0, 40, 140, 80]]])
    answer = box_sensitivities(there, boxes)[0]
    assert answer[0, 1] == answer[1, 0] == 0
    assert answer[0, 0] > 0
    assert answer[1, 1] > 0


def test_pooled_shares_follow_the_gradient_of_each_box(detector: Detector) -> None:
    """Against the definition: one backward pass a box."""
    inputs = random_inputs(seed=5)
    encoded = detector.encode(*inputs)
    features = [x.detach().clone().requires_grad_(True) for x in encoded.features]
    dense, contributions = detector.respond(features, encoded.masks)
    _, scores, _ = select_top(dense, 10)
    wanted = []
    for score in scores[0]:
        gradients = torch.autograd.grad(score, features, retain_graph=True)
        parts = [(x * g).abs().sum() for x, g in zip(features, gradients, strict=True)]
        wanted.append(torch.stack(parts).detach().view(-1, 2).sum(0))
    true = torch.stack(wanted)
    pooled = Probe(detector)(*inputs).box_sensitivities[0, :, :10].T
    share = [x[:, 0] / x.sum(1) for x in (pooled, true)]
    assert (share[0] - share[1]).abs().mean() < 0.06
    assert contributions[0].shape == (1, 2, 16, 20)


@pytest.mark.parametrize("absent", [0, 1])
def test_no_box_rests_on_an_absent_camera(detector: Detector, absent: int) -> None:
    rgb, thermal, present = random_inputs()
    present[:, absent] = 0
    out = Probe(detector)(rgb, thermal, present)
    for measured in (out.box_energies, out.box_sensitivities):
        assert (measured[0, absent] == 0).all()
        assert (measured[0, 1 - absent] > 0).any()


def test_maps_are_mean_magnitudes() -> None:
    parts = [torch.tensor([1.0, -3.0]).view(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)]
    assert contribution_maps([parts])[0].flatten().tolist() == [2.0, 0.0]
