from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from network.random_models import NANO

from mdacl_ros.network.detector import Detector
from mdacl_tools.learning.augmentation import AugmentationConfig, augment
from mdacl_tools.learning.batches import collate
from mdacl_tools.learning.geometry import iou
from mdacl_tools.learning.losses import detection_loss, grid

from .synthetic import rectangle_sample

SIZE = (96, 64)


def test_grid_covers_all_levels() -> None:
    centres, strides = grid(*SIZE, torch.zeros(1))
    assert len(centres) == len(strides) == 12 * 8 + 6 * 4 + 3 * 2
    assert (centres < torch.tensor(SIZE)).all()
    assert strides.unique().tolist() == [8, 16, 32]


def test_both_heads_learn_one_picture() -> None:
    """A few steps on one pair: the losses fall clearly and the best box moves onto the object."""
    torch.manual_seed(0)
    config = AugmentationConfig(SIZE, (0.15, 0.15), 0, 0, 0, 0, 0)  # nothing drops, nothing breaks
    sample = rectangle_sample([(20, 10, 60, 50)], [1], SIZE)
    batch = collate([augment(sample, config, np.random.default_rng(0))])
    assert batch.truth.real.sum() == 1
    detector = Detector(replace(NANO, neck_channels=32)).train()
    optimizer = torch.optim.AdamW(detector.parameters(), lr=4e-3)
    history = []
    for _ in range(25):
        inputs = detector.encode(batch.rgb, batch.thermal, batch.present)
        levels = detector.fuse(inputs.features, inputs.masks).levels
        assert detector.auxiliary_head is not None
        many = detection_loss(detector.auxiliary_head(levels), batch.truth, SIZE, 10)
        one = detection_loss(detector.head([x.detach() for x in levels]), batch.truth, SIZE, 1)
        optimizer.zero_grad()
        (many.total + one.total).backward()
        optimizer.step()
        history.append((many.total.item(), one.total.item()))
    first, last = torch.tensor(history[:3]).mean(0), torch.tensor(history[-3:]).mean(0)
    assert (last < 0.5 * first).all()
    with torch.no_grad():
        dense = detector.head(levels)
    best = dense.logits[0].amax(1).argmax()
    assert dense.logits[0, best].argmax() == 1
    assert iou(dense.boxes[0, best], batch.truth.boxes[0, 0]) > 0.5
