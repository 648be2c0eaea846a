from __future__ import annotations

import torch

from mdacl_ros.network.detector import Fused
from mdacl_tools.learning.assignment import Truth
from mdacl_tools.learning.guidance_loss import GuidanceConfig, GuidanceLoss

WIDTH = 6


def scene() -> tuple[Fused, list[torch.Tensor], Truth]:
    torch.manual_seed(0)
    sizes = (8, 4, 2)
    contributions = [
        [torch.randn(2, WIDTH, s, s, requires_grad=True) for _ in range(2)] for s in sizes
    ]
    shared = [torch.randn(2, 3, 8, 8, requires_grad=True) for _ in range(2)]
    masks = [torch.ones(2, 1, s, s) for s in sizes for _ in range(2)]
    truth = Truth(
        torch.tensor([[[4.0, 4.0, 60.0, 60.0]]] * 2),
        torch.zeros(2, 1, dtype=torch.long),
        torch.ones(2, 1, dtype=torch.bool),
        torch.zeros(2, 1, dtype=torch.bool),
        torch.ones(2, 3, dtype=torch.bool),
    )
    return Fused([torch.zeros(1)], contributions, shared), masks, truth


SHARES = torch.tensor([[0.8, 0.2], [0.1, 0.9]])  # RGB teaches the first image, thermal the second


def test_only_the_weaker_modality_is_taught() -> None:
    fused, masks, truth = scene()
    loss = GuidanceLoss(WIDTH, 3, GuidanceConfig(beta=1.0))
    loss(fused, masks, truth, SHARES).backward()
    rgb, thermal = fused.contributions[1]
    assert rgb.grad is not None
    assert thermal.grad is not None
    assert rgb.grad[0].abs().sum() == 0
    assert rgb.grad[1].abs().sum() > 0
    assert thermal.grad[0].abs().sum() > 0
    assert thermal.grad[1].abs().sum() == 0


def test_teaching_brings_features_together() -> None:
    fused, masks, truth = scene()
    loss = GuidanceLoss(WIDTH, 3, GuidanceConfig(beta=1.0))
    features = [x for level in fused.contributions[1:] for x in level]
    optimizer = torch.optim.SGD(features, 2.0)
    first = loss.terms(fused, masks, truth, SHARES).features.item()
    for _ in range(200):
        optimizer.zero_grad()
        loss(fused, masks, truth, SHARES).backward()
        optimizer.step()
    assert loss.terms(fused, masks, truth, SHARES).features.item() < 0.3 * first


def test_each_modality_alone_learns_to_name_objects() -> None:
    fused, masks, truth = scene()
    loss = GuidanceLoss(WIDTH, 3, GuidanceConfig(gamma=1.0))
    optimizer = torch.optim.Adam(loss.parameters(), 0.05)
    first = loss.terms(fused, masks, truth, SHARES).evidence.item()
    for _ in range(100):
        optimizer.zero_grad()
        loss(fused, masks, truth, SHARES).backward()
        optimizer.step()
    assert loss.terms(fused, masks, truth, SHARES).evidence.item() < 0.5 * first


def test_an_absent_camera_neither_teaches_nor_learns() -> None:
    fused, masks, truth = scene()
    masks = [m if i % 2 == 0 else torch.zeros_like(m) for i, m in enumerate(masks)]
    terms = GuidanceLoss(WIDTH, 3, GuidanceConfig(1.0, 1.0, 1.0)).terms(fused, masks, truth, SHARES)
    assert terms.low_level.item() == 0
    assert terms.features.item() == 0
    terms.evidence.backward()
    assert fused.contributions[1][1].grad is not None
    assert fused.contributions[1][1].grad.abs().sum() == 0


def test_classes_not_exhaustively_drawn_are_no_background() -> None:
    fused, masks, truth = scene()
    loss = GuidanceLoss(WIDTH, 3, GuidanceConfig(gamma=1.0))
    known = torch.ones(2, 3, dtype=torch.bool)
    known[:, 1] = False
    loss.terms(fused, masks, truth._replace(exhaustive=known), SHARES).evidence.backward()
    layer = loss.evidence[0]
    assert isinstance(layer.bias.grad, torch.Tensor)
    assert layer.bias.grad[2] > 0
    pull = layer.bias.grad[1]  # only distillation is left for it, no push towards background
    assert abs(pull) < layer.bias.grad[2]
