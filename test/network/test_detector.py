from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mdacl_ros.network.config import DetectorConfig
from mdacl_ros.network.detector import Detector, DetectorOutput, availability, evidence_energy
from mdacl_ros.network.fusion import FUSIONS
from mdacl_ros.network.probe import example_inputs

from .random_models import MICRO, NANO, ONE_TRUNK, SIZE, random_detector, random_inputs

VARIANTS = {
    **{kind: replace(NANO, fusion=kind) for kind in FUSIONS},
    "no gate": replace(NANO, use_gate=False),
    "no guidance": replace(NANO, use_guidance=False),
    "one trunk": ONE_TRUNK,
    "one trunk, plain": replace(ONE_TRUNK, use_gate=False, use_guidance=False),
}


def same(a: DetectorOutput, b: DetectorOutput) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> Detector:
    return random_detector(VARIANTS[request.param])


@torch.inference_mode()
def test_shapes_and_ranges(variant: Detector) -> None:
    out = variant(*random_inputs(2))
    assert out.boxes.shape == (2, 40, 4)
    assert out.scores.shape == out.labels.shape == (2, 40)
    assert out.gates.shape == out.entropies.shape == out.energies.shape == (2, 2, variant.levels)
    assert (out.boxes[..., 2:] >= out.boxes[..., :2]).all()
    assert ((out.scores > 0) & (out.scores < 1)).all()
    assert (out.scores[:, :-1] >= out.scores[:, 1:]).all()
    assert ((out.labels >= 0) & (out.labels < 3)).all()
    assert ((out.gates > 0) & (out.gates < 4)).all()
    assert ((out.entropies >= 0) & (out.entropies <= 1)).all()
    assert (out.energies > 0).all()
    assert all(x.isfinite().all() for x in out)


@torch.inference_mode()
@pytest.mark.parametrize("absent", [0, 1])
def test_absent_camera_has_no_influence(variant: Detector, absent: int) -> None:
    rgb, thermal, present = random_inputs()
    present[:, absent] = 0
    first = variant(rgb, thermal, present)
    inputs = [rgb, thermal]
    inputs[absent] = torch.rand_like(inputs[absent])
    assert same(first, variant(*inputs, present))
    assert not first.gates[:, absent].any()
    assert not first.entropies[:, absent].any()
    if variant.config.fusion != "cross_attention":  # there it carries what it took from the other
        assert not first.energies[:, absent].any()
    assert (first.energies[:, 1 - absent] > 0).all()


@torch.inference_mode()
def test_presence_per_camera_equals_presence_per_cell(variant: Detector) -> None:
    rgb, thermal, _ = random_inputs()
    width, height = SIZE
    for present in (torch.ones(1, 2), torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])):
        cells = present[:, :, None, None].expand(1, 2, height // 32, width // 32)
        assert same(variant(rgb, thermal, present), variant(rgb, thermal, cells))


@torch.inference_mode()
def test_each_camera_matters(variant: Detector) -> None:
    rgb, thermal, present = random_inputs()
    first = variant(rgb, thermal, present)
    assert not torch.equal(first.scores, variant(1 - rgb, thermal, present).scores)
    assert not torch.equal(first.scores, variant(rgb, 1 - thermal, present).scores)


@torch.inference_mode()
def test_pairs_of_a_batch_do_not_mix(detector: Detector) -> None:
    rgb, thermal, present = random_inputs(3)
    present[1, 0] = 0
    together = detector(rgb, thermal, present)
    for i in range(3):
        alone = detector(rgb[i : i + 1], thermal[i : i + 1], present[i : i + 1])
        assert torch.allclose(together.scores[i], alone.scores[0], atol=1e-5)
        assert torch.allclose(together.energies[i], alone.energies[0], rtol=1e-3, atol=1e-6)


@torch.inference_mode()
def test_evidence_of_levels_that_are_not_fused_counts_on_the_finest() -> None:
    logits = torch.full((1, 64 + 16 + 4, 2), -20.0)  # levels of 8x8, 4x4 and 2x2 cells
    logits[0, 64 + 16, 0] = 4.0  # one object, at stride 32, top left
    maps = torch.zeros(1, 2, 8, 8)
    maps[0, 0, :4, :4], maps[0, 1, 4:] = 3.0, 5.0
    energies = evidence_energy(logits, [maps])
    assert energies.shape == (1, 2, 1)
    assert torch.allclose(energies[0, :, 0], torch.tensor([3.0, 0.0]), atol=1e-4)


def test_availability_spreads_cells_over_a_level() -> None:
    present = torch.tensor([[[[1.0, 0.0]], [[0.0, 1.0]]]])  # (1, 2, 1, 2)
    rgb, thermal = availability(present, torch.zeros(1, 5, 4, 8))
    assert rgb.shape == (1, 1, 4, 8)
    assert rgb[0, 0].tolist() == [[1, 1, 1, 1, 0, 0, 0, 0]] * 4
    assert torch.equal(thermal, 1 - rgb)


@torch.inference_mode()
def test_uncovered_thermal_cells_are_not_looked_at(detector: Detector) -> None:
    rgb, thermal, _ = random_inputs()
    present = torch.ones(1, 2, SIZE[1] // 32, SIZE[0] // 32)
    present[:, 1] = 0
    present[:, 1, :, 0] = 1  # a column of 32 pixels
    changed = thermal.clone()
    changed[..., 128:] = 0.5  # beyond the reach of the covered cells' features at P3
    first = detector.encode(rgb, thermal, present)
    assert all(not (x * (1 - m)).any() for x, m in zip(first.features, first.masks, strict=True))
    second = detector.encode(rgb, changed, present)
    assert torch.equal(first.features[1], second.features[1])


@pytest.mark.parametrize("config", [MICRO, ONE_TRUNK], ids=lambda c: c.architecture)
def test_exported_graph_answers_as_eager(config: DetectorConfig) -> None:
    detector = random_detector(replace(config, top_k=40)).requires_grad_(False)
    detector.auxiliary_head = None
    exported = torch.export.export(detector, example_inputs(SIZE)).module()
    rgb, thermal, _ = random_inputs(seed=5)
    present = torch.ones(1, 2, SIZE[1] // 32, SIZE[0] // 32)
    present[:, 1, :, 2:] = 0
    with torch.inference_mode():
        for a, b in zip(
            exported(rgb, thermal, present), detector(rgb, thermal, present), strict=True
        ):
            assert torch.allclose(a, b, atol=1e-6)
