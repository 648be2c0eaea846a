from __future__ import annotations

import torch

from mdacl_ros.network.head import STRIDES, DensePredictions, Head, cell_centres, select_top


def test_cell_centres_go_row_by_row() -> None:
    centres = cell_centres(2, 3, 8)
    assert centres.tolist() == [[4, 4], [12, 4], [20, 4], [4, 12], [12, 12], [20, 12]]


def test_fresh_head_is_doubtful_and_centred() -> None:
    torch.manual_seed(0)
    head = Head(16, 3, 1).eval()
    levels = [torch.zeros(1, 16, 32 // s, 64 // s) for s in STRIDES]
    dense = head(levels)
    cells = sum(32 // s * 64 // s for s in STRIDES)
    assert dense.logits.shape == (1, cells, 3)
    assert dense.boxes.shape == (1, cells, 4)
    assert torch.allclose(dense.logits.sigmoid(), torch.tensor(0.01), atol=1e-3)
    centres = torch.cat([cell_centres(32 // s, 64 // s, s) for s in STRIDES])
    assert torch.allclose((dense.boxes[0, :, :2] + dense.boxes[0, :, 2:]) / 2, centres, atol=1e-4)
    wide = dense.boxes[0, :, 2] - dense.boxes[0, :, 0]
    strides = torch.cat([torch.full((32 // s * 64 // s,), float(s)) for s in STRIDES])
    assert torch.allclose(wide / strides, torch.tensor(4.25), atol=0.1)


def test_boxes_contain_their_cell_whatever_the_features() -> None:
    torch.manual_seed(1)
    head = Head(16, 3, 1).eval()
    dense = head([100 * torch.randn(2, 16, 32 // s, 64 // s) for s in STRIDES])
    assert (dense.boxes[..., 2:] >= dense.boxes[..., :2]).all()


def test_select_top_is_sorted_and_gathers_the_right_cells() -> None:
    torch.manual_seed(2)
    dense = DensePredictions(torch.randn(2, 30, 3), torch.rand(2, 30, 4))
    boxes, scores, labels = select_top(dense, 10)
    assert boxes.shape == (2, 10, 4)
    assert (scores[:, :-1] >= scores[:, 1:]).all()
    for b in range(2):
        best = dense.logits[b].max(1).values.argsort(descending=True)[:10]
        assert torch.equal(boxes[b], dense.boxes[b, best])
        assert torch.equal(labels[b], dense.logits[b, best].argmax(1))
        assert torch.equal(scores[b], dense.logits[b, best].max(1).values.sigmoid())


def test_select_top_is_bit_identical_to_max_over_classes_also_on_ties() -> None:
    torch.manual_seed(3)
    logits = torch.randn(2, 40, 3)
    logits[:, ::5] = logits[:, ::5, :1]  # all classes alike
    logits[:, 1::7] = 30.0  # sigmoid is 1 in float32
    dense = DensePredictions(logits, torch.rand(2, 40, 4))
    scores, labels = logits.sigmoid().max(-1)
    scores, cells = scores.topk(40, dim=1)
    boxes, ours, ours_labels = select_top(dense, 40)
    assert torch.equal(ours, scores)
    assert torch.equal(ours_labels, labels.gather(1, cells))
    assert torch.equal(boxes, dense.boxes.gather(1, cells[..., None].expand(-1, -1, 4)))


def test_select_top_of_a_tiny_grid_returns_all_cells() -> None:
    dense = DensePredictions(torch.zeros(1, 5, 2), torch.zeros(1, 5, 4))
    assert select_top(dense, 100)[1].shape == (1, 5)
