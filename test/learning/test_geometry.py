from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_tools.learning.geometry import iou

corner = st.integers(0, 30)
side = st.integers(1, 20)
boxes = st.tuples(corner, corner, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
FEW = settings(max_examples=60, deadline=None)


def counted_iou(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """By counting pixels."""
    pixels = [{(x, y) for x in range(c[0], c[2]) for y in range(c[1], c[3])} for c in (a, b)]
    return len(pixels[0] & pixels[1]) / len(pixels[0] | pixels[1])


@given(boxes, boxes)
@FEW
def test_iou_counts_pixels(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    got = iou(torch.tensor(a).float(), torch.tensor(b).float())
    assert abs(got.item() - counted_iou(a, b)) < 1e-5


@given(boxes, boxes)
@FEW
def test_complete_iou_punishes_and_has_a_gradient(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    ours = torch.tensor(a).float().requires_grad_(True)
    other = torch.tensor(b).float()
    value = iou(ours, other, complete=True)
    assert -1.5 <= value.item() <= iou(ours, other).item() + 1e-6
    value.backward()
    assert ours.grad is not None
    assert ours.grad.isfinite().all()
    if a != b:
        assert ours.grad.any()  # also for boxes that do not touch


def test_boxes_broadcast() -> None:
    a, b = torch.rand(2, 5, 1, 4), torch.rand(2, 1, 7, 4)
    assert iou(a, b).shape == (2, 5, 7)


def test_equal_and_empty_boxes() -> None:
    box = torch.tensor([[1.0, 2, 5, 9], [3, 3, 3, 3]])
    assert torch.allclose(iou(box, box)[:1], torch.ones(1))
    assert iou(box, box, complete=True).isfinite().all()
