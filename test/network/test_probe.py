from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from mdacl_ros.network.detector import Detector
from mdacl_ros.network.fusion import FUSIONS
from mdacl_ros.network.layers import ConvNormAct
from mdacl_ros.network.probe import Probe, fold_norms, trace_probe

from .random_models import MICRO, ONE_TRUNK, SIZE, random_detector, random_inputs

TRACED = {**{kind: replace(MICRO, fusion=kind) for kind in FUSIONS}, "one trunk": ONE_TRUNK}


def reference_sensitivities(detector: Detector, inputs: tuple[Tensor, ...]) -> Tensor:
    """The definition, by plain autograd: what speaks for objects, against the spatial mean."""
    encoded = detector.encode(*inputs)
    features = [x.detach().clone().requires_grad_(True) for x in encoded.features]
    dense, _ = detector.decide(features, encoded.masks)
    (dense.logits.sigmoid().detach() ** 2 * dense.logits).sum().backward()
    answer = torch.zeros(len(features[0]), 2)
    for index, x in enumerate(features):
        assert x.grad is not None
        support = ((x.detach() - x.detach().mean((2, 3), keepdim=True)) * x.grad).sum(1)
        around = torch.nn.functional.pad(support, [3] * 4).unfold(1, 7, 1).unfold(2, 7, 1)
        answer[:, index % 2] += around.mean((3, 4)).clamp(min=0).sum((1, 2))
    return answer


@pytest.mark.parametrize("kind", TRACED)
def test_sensitivities_are_those_of_autograd(kind: str) -> None:
    detector = random_detector(TRACED[kind])
    inputs = random_inputs(2)
    out = Probe(detector)(*inputs)
    expected = reference_sensitivities(detector, inputs)
    assert (expected > 0).all()
    assert torch.allclose(out.sensitivities, expected, rtol=1e-3)


def test_probe_answers_as_the_detector(detector: Detector) -> None:
    inputs = random_inputs()
    with torch.no_grad():
        plain = detector(*inputs)
    for a, b in zip(Probe(detector)(*inputs)[:7], plain, strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("camera", [0, 1])
def test_a_camera_alone_is_detected_as_if_the_other_were_absent(
    detector: Detector, camera: int
) -> None:
    rgb, thermal, present = random_inputs(2)
    probed = Probe(detector)(rgb, thermal, present)
    present[:, 1 - camera] = 0
    with torch.no_grad():
        alone = detector(rgb, thermal, present)
    assert torch.allclose(probed.alone_scores[:, camera], alone.scores, atol=1e-5)
    assert torch.allclose(probed.alone_boxes[:, camera], alone.boxes, atol=1e-2)
    assert torch.equal(probed.alone_labels[:, camera], alone.labels)


@pytest.mark.parametrize("absent", [0, 1])
def test_absent_camera_has_no_sensitivity(detector: Detector, absent: int) -> None:
    rgb, thermal, present = random_inputs()
    present[:, absent] = 0
    out = Probe(detector)(rgb, thermal, present).sensitivities
    assert out[0, absent] == 0
    assert out[0, 1 - absent] > 0


def test_folding_norms_keeps_the_answers(detector: Detector) -> None:
    folded = fold_norms(copy.deepcopy(detector))
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.streams.modules())
    assert all(
        isinstance(m.norm, nn.Identity) for m in folded.modules() if isinstance(m, ConvNormAct)
    )
    inputs = random_inputs()
    with torch.no_grad():
        before, after = detector(*inputs), folded(*inputs)
    for name in ("scores", "gates", "entropies", "energies"):
        assert torch.allclose(getattr(before, name), getattr(after, name), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", TRACED)
def test_written_out_gradient_equals_autograd(kind: str) -> None:
    folded = fold_norms(random_detector(TRACED[kind])).requires_grad_(False)
    traced = trace_probe(folded, SIZE)
    rgb, thermal, _ = random_inputs(seed=7)
    present = torch.ones(1, 2, SIZE[1] // 32, SIZE[0] // 32)
    present[:, 1, :, 3:] = 0
    with torch.inference_mode():
        ours = traced(rgb, thermal, present)
    reference = Probe(folded)(rgb, thermal, present)
    for a, b in zip(ours[:7], reference[:7], strict=True):
        assert torch.allclose(a, b, atol=1e-4)
    assert torch.allclose(ours[7], reference.sensitivities, rtol=1e-3)
    assert torch.allclose(ours[8], reference.alone_boxes, atol=1e-2)
    assert torch.allclose(ours[9], reference.alone_scores, atol=1e-4)
    operations = {str(node.target) for node in traced.graph.nodes if node.op == "call_function"}
    written_out = (
        "convolution_backward",
        "sigmoid_backward",
        "upsample_nearest2d_backward",
        "hardtanh_backward",
    )
    assert not [name for name in operations if any(w in name for w in written_out)]


def test_traced_graph_has_only_operations_that_torch_tensorrt_converts() -> None:
    """Both were found missing by its converter registry; replacing them changes no bit."""
    traced = trace_probe(fold_norms(random_detector(MICRO)).requires_grad_(False), SIZE)
    aten = torch.ops.aten
    upsampled = [n for n in traced.graph.nodes if n.target is aten.upsample_nearest2d.vec]
    # two in the neck, two or more for `present`; the same with each camera alone
    assert len(upsampled) == 8
    targets = {n.target for n in traced.graph.nodes}
    assert not targets & {aten.max.dim, aten.upsample_nearest2d.default}
    inputs = (*random_inputs(seed=7)[:2], torch.ones(1, 2, SIZE[1] // 32, SIZE[0] // 32))
    with torch.inference_mode():
        ours = traced(*inputs)
        for node in upsampled:
            node.target, node.args = aten.upsample_nearest2d.default, node.args[:2]
        traced.recompile()
        before = traced(*inputs)
    assert all(torch.equal(a, b) for a, b in zip(ours, before, strict=True))
