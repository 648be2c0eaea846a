"""Three modalities, one of which turns into noise on half of the samples: what does the gate do?

    .venv/bin/python examples/noisy_modality.py [--picture docs/images/noisy_modality.png]

Tokens of a microphone, a camera and a radar, of different widths and lengths, tell one of eight
classes; a small transformer fuses them. The microphone (always the same modality) tells most, but
on a random half of the samples, in training and in the test, it is white noise three times as loud
as its usual noise, without any trace of the class. The classifier is trained with and without a
calibration gate before the fusion; without, its feed-forward layer is wider by as many parameters.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from matplotlib.figure import Figure
from torch import Tensor, nn

from mdacl_ros.network.calibration_gate import CalibrationGate

NAMES = ("microphone", "camera", "radar")
DIMS = (12, 20, 16)
LENGTHS = (6, 4, 5)
STRENGTHS = (0.35, 0.175, 0.175)
"""Root mean square of what the class adds to a token, in units of a token's noise."""
LOUDNESS = 3.0
"""Standard deviation of the microphone's failure, in the same units."""
CLASSES = 8
BATCH = 64
TEST_SAMPLES = 2000


class Samples(NamedTuple):
    """Labelled token sequences.

    Attributes:
        tokens: Per modality ``(B, T_m, C_m)``.
        labels: ``(B,)`` class numbers.
        noisy: ``(B,)`` bool, True where the microphone is noise.
    """

    tokens: list[Tensor]
    labels: Tensor
    noisy: Tensor


class Task:
    """Random class patterns and samples drawn from them.

    Args:
        seed: Of patterns and samples.
    """

    def __init__(self, seed: int) -> None:
        self.random = torch.Generator().manual_seed(seed)
        self.patterns = [
            strength * c**0.5 * F.normalize(self._normal(CLASSES, c), dim=1)
            for strength, c in zip(STRENGTHS, DIMS, strict=True)
        ]

    def draw(self, count: int) -> Samples:
        """Draw new samples, half of them with a noisy microphone on average."""
        labels = torch.randint(CLASSES, (count,), generator=self.random)
        tokens = [
            pattern[labels][:, None] + self._normal(count, t, c)
            for pattern, t, c in zip(self.patterns, LENGTHS, DIMS, strict=True)
        ]
        noisy = torch.rand(count, generator=self.random) < 0.5
        failure = LOUDNESS * self._normal(*tokens[0].shape)
        tokens[0] = torch.where(noisy[:, None, None], failure, tokens[0])
        return Samples(tokens, labels, noisy)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.random)


class Classifier(nn.Module):
    """Calibration gate (optional), transformer over the tokens of all modalities, linear head.

    Args:
        gated: Whether the gate stands before the fusion.
        width: Width of the fused tokens.
    """

    def __init__(self, gated: bool, width: int = 32) -> None:
        super().__init__()
        self.gate = CalibrationGate(DIMS, "sequence", hidden=32) if gated else None
        self.project = nn.ModuleList(nn.Linear(c, width) for c in DIMS)
        # Added after the gate: the transformer's LayerNorm would undo a factor on a bare token.
        self.position = nn.ParameterList(torch.randn(t, width) * 0.02 for t in LENGTHS)
        feedforward = 64 if gated else 172  # about as many parameters in all
        self.fusion = nn.TransformerEncoderLayer(width, 4, feedforward, 0.0, batch_first=True)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, tokens: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return class logits ``(B, classes)`` and how far each modality is let in, ``(B, M)``."""
        modulation = tokens[0].new_ones(tokens[0].shape[0], len(tokens))
        if self.gate is not None:
            calibrated = self.gate(tokens)
            tokens, modulation = calibrated.features, calibrated.modulation
        parts = zip(self.project, tokens, self.position, strict=True)
        fused = self.fusion(torch.cat([project(x) + where for project, x, where in parts], 1))
        return self.head(fused.mean(1)), modulation


@dataclass(frozen=True)
class Result:
    """What one trained classifier does on samples it has never seen.

    Attributes:
        clean: Accuracy where the microphone works, in [0, 1].
        noisy: Accuracy where it is noise.
        clean_gates: ``(N, M)`` mean factor per modality where the microphone works.
        noisy_gates: The same where it is noise.
    """

    clean: float
    noisy: float
    clean_gates: np.ndarray
    noisy_gates: np.ndarray


def train(gated: bool, seed: int, steps: int) -> Classifier:
    """Train on a stream of fresh samples; equal seeds see the same ones with and without gate."""
    task = Task(seed)
    torch.manual_seed(seed)
    model = Classifier(gated)
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps)
    for _ in range(steps):
        batch = task.draw(BATCH)
        loss = F.cross_entropy(model(batch.tokens)[0], batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def evaluate(model: Classifier, seed: int) -> Result:
    """Judge a classifier on samples of its task that its training did not draw."""
    task = Task(seed)
    task.random.manual_seed(seed + 10_000)
    samples = task.draw(TEST_SAMPLES)
    logits, modulation = model(samples.tokens)
    right = (logits.argmax(1) == samples.labels).float()
    noisy = samples.noisy
    return Result(
        float(right[~noisy].mean()),
        float(right[noisy].mean()),
        modulation[~noisy].numpy(),
        modulation[noisy].numpy(),
    )


def compare(seeds: Sequence[int], steps: int) -> tuple[list[Result], list[Result]]:
    """Results without and with the gate, one per seed."""
    without, gated = (
        [evaluate(train(kind, seed, steps), seed) for seed in seeds] for kind in (False, True)
    )
    return without, gated


def table(without: Sequence[Result], gated: Sequence[Result]) -> str:
    """Accuracies and the microphone's gate, mean and standard deviation over seeds."""

    def cell(values: Sequence[float]) -> str:
        return f"{np.mean(values):.3f} +- {np.std(values, ddof=1):.3f}"

    def gate(kind: str) -> str:
        return cell([float(getattr(r, kind)[:, 0].mean()) for r in gated])

    rows = [
        ("", "parameters", "microphone works", "microphone noisy"),
        *(
            (name, str(parameters(kind)), cell([r.clean for r in rs]), cell([r.noisy for r in rs]))
            for name, kind, rs in (("without gate", False, without), ("with gate", True, gated))
        ),
        ("gate of the microphone", "", gate("clean_gates"), gate("noisy_gates")),
    ]
    return "\n".join(f"{a:<24}{b:>10}{c:>20}{d:>20}" for a, b, c, d in rows)


def parameters(gated: bool) -> int:
    """Number of parameters of a classifier."""
    return sum(p.numel() for p in Classifier(gated).parameters())


def draw_gates(results: Sequence[Result], path: Path) -> None:
    """Histogram of each modality's factor, microphone working against noisy, over all seeds."""
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    axes = figure.subplots(1, len(NAMES), sharey=True)
    bins = np.linspace(0.0, 4.0, 41)
    for m, (axis, name) in enumerate(zip(axes, NAMES, strict=True)):
        for kind, label, color in (
            ("clean_gates", "microphone works", "tab:blue"),
            ("noisy_gates", "microphone is noise", "tab:red"),
        ):
            values = np.concatenate([getattr(r, kind)[:, m] for r in results])
            axis.hist(values, bins, alpha=0.6, color=color, label=label)
        axis.axvline(1.0, color="black", linewidth=0.8, linestyle=":")
        axis.set(title=name, xlabel="mean gate")
    axes[0].set_ylabel("test samples")
    axes[-1].legend(fontsize="small", loc="upper right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train both kinds for every seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each kind")
    parser.add_argument("--steps", type=int, default=400, help="optimizer steps of a training")
    parser.add_argument("--picture", type=Path, default=None, help="PNG of the gates")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # the tensors are small: more threads only wait for each other
    without, gated = compare(range(options.seeds), options.steps)
    print(table(without, gated))
    if options.picture is not None:
        draw_gates(gated, options.picture)
        print(f"gates drawn in {options.picture}")


if __name__ == "__main__":
    main()
