"""Where the objects are, cell by cell, for losses on feature maps."""

from __future__ import annotations

import torch
from torch import Tensor

from mdacl_ros.network.head import cell_centres
from mdacl_tools.learning.assignment import Truth


def class_cells(truth: Truth, height: int, width: int, stride: int) -> Tensor:
    """Which classes lie on which cell of a level.

    A box covers the cells whose centre it holds, and at least the cell that holds its own centre.

    Args:
        truth: Padded ground truth; ignore regions and padding cover nothing.
        height: Rows of the level.
        width: Columns of the level.
        stride: Pixels of the network input per cell.

    Returns:
        ``(B, K, height, width)`` float 0/1.
    """
    centres = cell_centres(height, width, stride).to(truth.boxes)  # (A, 2)
    middle = (truth.boxes[..., :2] + truth.boxes[..., 2:])[:, :, None] / 2  # (B, G, 1, 2)
    half = (truth.boxes[..., 2:] - truth.boxes[..., :2])[:, :, None] / 2
    reach = half.clamp(min=stride / 2)
    inside = ((centres - middle).abs() <= reach).all(-1) & truth.real[..., None]  # (B, G, A)
    cells = inside.new_zeros(
        len(inside), truth.exhaustive.shape[1], inside.shape[2], dtype=torch.float32
    )
    index = truth.labels[..., None].expand(-1, -1, inside.shape[2])
    cells = cells.scatter_reduce(1, index, inside.float(), "amax")  # (B, K, A)
    return cells.unflatten(2, (height, width))
