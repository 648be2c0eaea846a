"""The sequence example: the gate learns to shut out a modality while it is noise."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

SCRIPT = Path(__file__).parents[2] / "examples/noisy_modality.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("noisy_modality", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    torch.set_num_threads(1)
    return module


def test_task_is_repeatable_and_noise_hides_the_class(example: ModuleType) -> None:
    samples, again = example.Task(3).draw(4000), example.Task(3).draw(4000)
    assert torch.equal(samples.tokens[0], again.tokens[0])
    assert [tuple(x.shape[1:]) for x in samples.tokens] == [(6, 12), (4, 20), (5, 16)]
    assert 0.45 < samples.noisy.float().mean() < 0.55
    assert class_spread(samples, noisy=True) < 1.5 * sampling_error(example, 2000)
    assert class_spread(samples, noisy=False) == pytest.approx(example.STRENGTHS[0], rel=0.25)


def class_spread(samples: Any, noisy: bool) -> float:
    """Root mean square by which the microphone's class means differ from their mean."""
    chosen = samples.noisy == noisy
    tokens, labels = samples.tokens[0][chosen].mean(1), samples.labels[chosen]
    means = torch.stack([tokens[labels == k].mean(0) for k in labels.unique()])
    return float((means - means.mean(0)).pow(2).mean().sqrt())


def sampling_error(example: ModuleType, count: int) -> float:
    """Standard error of a class mean of pure noise."""
    return float(example.LOUDNESS / (example.LENGTHS[0] * count / example.CLASSES) ** 0.5)


def test_sizes_are_matched(example: ModuleType) -> None:
    """The classifier without gate is not the smaller one."""
    assert 1.0 <= example.parameters(False) / example.parameters(True) < 1.05


def test_untrained_gate_changes_nothing(example: ModuleType) -> None:
    torch.manual_seed(0)
    model = example.Classifier(True).eval()
    tokens = example.Task(0).draw(5).tokens
    with torch.no_grad():
        logits, modulation = model(tokens)
        model.gate = None
        assert torch.equal(model(tokens)[0], logits)
    assert torch.equal(modulation, torch.ones(5, 3))


def test_gate_starts_to_shut_out_the_noise(example: ModuleType) -> None:
    """The first sixth of a training, one seed."""
    result = example.evaluate(example.train(True, seed=0, steps=70), seed=0)
    assert result.noisy_gates[:, 0].mean() < 0.5 * result.clean_gates[:, 0].mean()


def test_prints_a_table_and_draws(
    example: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example.main(["--seeds", "1", "--steps", "2", "--picture", str(tmp_path / "gates.png")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["parameters", "microphone", "works", "microphone", "noisy"]
    assert [line.split("  ")[0] for line in lines[1:4]] == [
        "without gate",
        "with gate",
        "gate of the microphone",
    ]
    assert (tmp_path / "gates.png").stat().st_size > 5000


@pytest.mark.slow
@pytest.mark.timeout(1800)  # half a minute of a quiet core
def test_learns_to_suppress_and_is_more_accurate_for_it(example: ModuleType) -> None:
    without, gated = example.compare(range(3), steps=400)
    for plain, result in zip(without, gated, strict=True):
        assert result.noisy_gates[:, 0].mean() < 0.2 * result.clean_gates[:, 0].mean()
        others = result.noisy_gates[:, 1:].mean(0)
        assert (others > 5 * result.noisy_gates[:, 0].mean()).all()
        assert result.clean >= plain.clean
        assert result.noisy >= plain.noisy
    assert np.mean([r.clean - p.clean for r, p in zip(gated, without, strict=True)]) > 0.03
