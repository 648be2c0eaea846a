"""Make the per-frame estimate of the task-response sensitivity agree with the exact gradient.

Ours. The energies that enter the fusion cost nothing to measure; how they relate to the gradient is
a property of the trained weights, so it is fitted after training and kept in ``model.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mdacl_ros.runtime.engine import STRIDE, Engine
from mdacl_ros.types import ByteArray, FloatArray, Predictions
from mdacl_tools.corruption import corrupt_rgb, corrupt_thermal
from mdacl_tools.learning.samples import Sample


@dataclass(frozen=True, slots=True)
class EstimateFit:
    """``log(G_rgb / G_thermal) = slope * log(E_rgb / E_thermal) + offset``.

    Attributes:
        slope: >= 0.
        offset: Natural logarithm.
        correlation: Pearson correlation of the two logarithms on the fitted images.
        images: Number of images.
    """

    slope: float
    offset: float
    correlation: float
    images: int


def fit_estimate(raws: Iterable[Predictions]) -> EstimateFit:
    """Least squares over probed predictions of pairs with both cameras present.

    Where energies explain nothing (slope not positive), only the mean level is fitted.
    """
    points = np.array([log_ratios(raw) for raw in raws], np.float64).reshape(-1, 2)
    energy, exact = points[:, 0], points[:, 1]
    spread = energy - energy.mean()
    slope = max(0.0, float((spread * (exact - exact.mean())).sum() / max(spread @ spread, 1e-12)))
    return EstimateFit(
        slope=slope,
        offset=float(exact.mean() - slope * energy.mean()),
        correlation=float(np.corrcoef(energy, exact)[0, 1]),
        images=len(points),
    )


def log_ratios(raw: Predictions) -> tuple[float, float]:
    """Log of the rgb to thermal ratio of energies and of exact sensitivities of one pair."""
    assert raw.sensitivities is not None
    energy, exact = raw.energies[0].sum(-1) + 1e-9, raw.sensitivities[0] + 1e-9
    return float(np.log(energy[0] / energy[1])), float(np.log(exact[0] / exact[1]))


def probed(engine: Engine, samples: Iterable[Sample], seed: int = 0) -> Iterator[Predictions]:
    """Probe each sample as it is, with a corrupted RGB and with a corrupted thermal image."""
    rng = np.random.default_rng(seed)
    for sample in samples:
        corrupted = (
            (sample.rgb, sample.thermal),
            (corrupt_rgb(sample.rgb, rng), sample.thermal),
            (sample.rgb, corrupt_thermal(sample.thermal, rng)),
        )
        for rgb, thermal in corrupted:
            yield engine.infer(*network_input(rgb, thermal, engine.input_size), probe=True)


def network_input(
    rgb: ByteArray, thermal: FloatArray, size: tuple[int, int]
) -> tuple[ByteArray, FloatArray, FloatArray]:
    """Batch of one for an engine, from registered images that have the input's size.

    Raises:
        ValueError: The images are of another size.
    """
    if rgb.shape[1::-1] != size or thermal.shape[::-1] != size:
        raise ValueError(f"got images of {rgb.shape[1::-1]}, wanted the engine's {size}")
    return (
        np.ascontiguousarray(rgb[None], np.uint8),
        np.ascontiguousarray(thermal[None, None], np.float32),
        np.ones((1, 2, size[1] // STRIDE, size[0] // STRIDE), np.float32),
    )
