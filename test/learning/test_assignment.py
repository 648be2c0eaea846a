from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mdacl_ros.network.head import DensePredictions
from mdacl_tools.learning.assignment import Assignment, Truth, assign
from mdacl_tools.learning.losses import grid, score

SIZE = (128, 96)


def truth(
    boxes: list[list[float]],
    labels: list[int],
    ignore: list[bool] | None = None,
    exhaustive: tuple[bool, ...] = (True, True, True),
) -> Truth:
    out = torch.tensor(ignore or [False] * len(boxes))[None]
    return Truth(
        torch.tensor(boxes)[None], torch.tensor(labels)[None], ~out, out,
        torch.tensor(exhaustive)[None],
    )  # fmt: skip


def around_cells(width: float = 4.0) -> DensePredictions:
    """Every cell predicts a box of ``width`` strides around its centre, all classes alike."""
    centres, strides = grid(*SIZE, torch.zeros(1))
    half = strides[:, None] * width / 2
    boxes = torch.cat([centres - half, centres + half], 1)[None]
    return DensePredictions(torch.zeros(1, len(centres), 3), boxes)


def assigned(given: Truth, candidates: int, dense: DensePredictions | None = None) -> Assignment:
    centres, strides = grid(*SIZE, torch.zeros(1))
    return assign(dense or around_cells(), centres, strides, given, candidates)


def owners(result: Assignment, box: list[float]) -> Tensor:
    """Cells that answer for a box."""
    return (result.positive[0] & (result.boxes[0] == torch.tensor(box)).all(1)).nonzero()[:, 0]


APART = [[8.0, 8, 40, 40], [60.0, 10, 90, 80], [100.0, 60, 120, 90]]


def test_one_to_one_gives_each_object_exactly_one_cell() -> None:
    result = assigned(truth(APART, [0, 1, 2]), 1)
    assert result.positive.sum() == 3
    for box, label in zip(APART, (0, 1, 2), strict=True):
        (cell,) = owners(result, box)
        assert result.scores[0, cell].nonzero()[:, 0].tolist() == [label]


def test_one_to_many_gives_the_best_cells_inside_the_object() -> None:
    result = assigned(truth(APART, [0, 1, 2]), 10)
    centres, _ = grid(*SIZE, torch.zeros(1))
    for box in APART:
        cells = owners(result, box)
        assert 1 < len(cells) <= 10
        low, high = torch.tensor(box[:2]), torch.tensor(box[2:])
        assert ((centres[cells] > low - 24) & (centres[cells] < high + 24)).all()


def test_the_aligned_cell_wins() -> None:
    """The target strength follows the overlap, so that the best aligned cell scores highest."""
    dense = around_cells(width=2.0)
    wanted = 5 * 16 + 6  # row 5, column 6 of the finest grid
    box = dense.boxes[0, wanted].tolist()
    result = assigned(truth([box], [1]), 1, dense)
    assert owners(result, box).tolist() == [wanted]
    assert result.scores[0, wanted, 1] == pytest.approx(1.0)
    many = assigned(truth([box], [1]), 10, dense)
    assert many.scores[0, :, 1].argmax() == wanted


@pytest.mark.parametrize("x", [0.5, 7.9, 8.0, 63.0, 127.0])
@pytest.mark.parametrize("candidates", [1, 10])
def test_tiny_objects_get_a_cell(x: float, candidates: int) -> None:
    box = [x - 0.5, 40.0, x + 0.5, 41.5]
    assert len(owners(assigned(truth([box], [0]), candidates), box)) >= 1


def test_padding_gets_nothing() -> None:
    given = truth(APART, [0, 1, 2])
    given = given._replace(real=torch.tensor([[True, False, False]]))
    result = assigned(given, 10)
    assert torch.equal(result.positive[0].nonzero()[:, 0], owners(result, APART[0]))


def test_ignore_regions_are_not_counted() -> None:
    result = assigned(truth(APART, [0, 1, 2], [False, True, False]), 10)
    centres, _ = grid(*SIZE, torch.zeros(1))
    low, high = torch.tensor(APART[1][:2]), torch.tensor(APART[1][2:])
    inside = ((centres > low) & (centres < high)).all(1)
    assert inside.any()
    assert not result.positive[0, inside & ~_inside(centres, APART[0])].any()
    assert not result.counted[0, inside].any()
    assert result.counted[0, ~inside].all()


def test_only_drawn_instances_of_a_partly_labelled_class_count() -> None:
    result = assigned(truth(APART, [0, 1, 2], exhaustive=(True, False, True)), 10)
    counted = result.counted[0]
    assert counted[:, [0, 2]].all()
    assert torch.equal(counted[:, 1], result.scores[0, :, 1] > 0)
    assert counted[:, 1].any()


def test_uncounted_cells_do_not_move_the_loss() -> None:
    given = truth(APART, [0, 1, 2], [False, True, False])
    result = assigned(given, 10)
    logits = torch.zeros_like(around_cells().logits)
    louder = logits.masked_fill(~result.counted, 5.0)
    boxes = around_cells().boxes
    first = score(DensePredictions(logits, boxes), result)
    second = score(DensePredictions(louder, boxes), result)
    assert first.classify == second.classify
    assert first.total > 0


def test_without_objects_everything_is_background() -> None:
    given = truth([[0.0, 0, 0, 0]], [0])._replace(real=torch.tensor([[False]]))
    result = assigned(given, 10)
    assert not result.positive.any()
    loss = score(around_cells(), result)
    assert loss.regress == 0
    assert loss.classify > 0


def _inside(centres: Tensor, box: list[float]) -> Tensor:
    return ((centres > torch.tensor(box[:2])) & (centres < torch.tensor(box[2:]))).all(1)
