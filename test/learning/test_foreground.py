from __future__ import annotations

import torch

from mdacl_tools.learning.assignment import Truth
from mdacl_tools.learning.foreground import class_cells


def truth(real: list[bool]) -> Truth:
    boxes = [[0.0, 0.0, 32.0, 16.0], [33.0, 33.0, 35.0, 40.0]]
    return Truth(
        torch.tensor([boxes]),
        torch.tensor([[1, 2]]),
        torch.tensor([real]),
        ~torch.tensor([real]),
        torch.ones(1, 3, dtype=torch.bool),
    )


def test_boxes_cover_their_cells_and_tiny_ones_at_least_one() -> None:
    cells = class_cells(truth([True, True]), 4, 4, 16)
    assert cells.shape == (1, 3, 4, 4)
    assert cells[0, 0].sum() == 0
    assert cells[0, 1].nonzero().tolist() == [[0, 0], [0, 1]]
    assert cells[0, 2].nonzero().tolist() == [[2, 2]]


def test_ignore_regions_cover_nothing() -> None:
    assert class_cells(truth([True, False]), 4, 4, 16)[0, 2].sum() == 0
