"""From an engine's raw measurements to the reading that is published."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mdacl_ros.network.dominance import dominance_shares, mdi
from mdacl_ros.pipeline.reliance import exact_rgb_shares
from mdacl_ros.types import DominanceReading, FloatArray, Predictions

Pair = tuple[float, float]
Values = npt.NDArray[np.float64]


def read_dominance(
    raw: Predictions, present: tuple[bool, bool], estimate: Pair = (1.0, 0.0)
) -> DominanceReading:
    """Read the Modality Dominance Index of one frame.

    Per frame the sensitivity is estimated from the energies that enter the fusion:
    ``log(G_rgb / G_thermal) = slope * log(E_rgb / E_thermal) + offset``, fitted against the exact
    gradient on training data; ours. Where the probe ran, ``exact_mdi`` comes from the gradient.

    Args:
        raw: Predictions of one pair (batch 1).
        present: Which cameras took part.
        estimate: (slope, offset) of the fit, from the model folder.
    """
    here = np.array(present, np.float64)
    entropy = raw.entropies[0].mean(-1) * here
    energy = raw.energies[0].sum(-1) * here
    gates = raw.gates[0].mean(-1)
    sensitivity = estimated_sensitivity(energy, estimate) * here
    shares = _shares(entropy, sensitivity, here)
    exact = None
    if raw.sensitivities is not None:
        exact = float(mdi(_shares(entropy, raw.sensitivities[0] * here, here)))
    total = max(float(sensitivity.sum()), 1e-12)
    return DominanceReading(
        mdi=float(mdi(shares)),
        dominance=_pair(shares),
        entropy=_pair(entropy),
        sensitivity=_pair(sensitivity / total),
        gates=_pair(gates),
        exact_mdi=exact,
    )


def rgb_shares(raw: Predictions, present: tuple[bool, bool]) -> FloatArray | None:
    """How much of each candidate box rests on RGB; what is left rests on thermal.

    By leaving out each camera where the probe ran
    (:func:`mdacl_ros.pipeline.reliance.exact_rgb_shares`), else the forward-only estimate: what
    each camera adds around the box.

    Args:
        raw: Predictions of one pair (batch 1).
        present: Which cameras took part.

    Returns:
        ``(N,)`` float32 in [0, 1], one half where neither camera was measured around the box;
        ``None`` from an engine that does not measure boxes.
    """
    if not all(present):
        return np.full(len(raw.scores[0]), float(present[0]), np.float32)
    if (exact := exact_rgb_shares(raw)) is not None:
        return exact
    if raw.box_energies is None:
        return None
    rgb, thermal = raw.box_energies[0]
    total = rgb + thermal
    return np.divide(rgb, total, out=np.full_like(rgb, 0.5), where=total > 0)


def estimated_sensitivity(energy: Values, estimate: Pair) -> Values:
    """Turn energies ``(2,)`` into sensitivities ``(2,)`` that sum to 1, by the fitted relation."""
    slope, offset = estimate
    ratio = slope * np.log((energy[0] + 1e-9) / (energy[1] + 1e-9)) + offset
    rgb = 1.0 / (1.0 + np.exp(-np.clip(ratio, -30, 30)))
    return np.array([rgb, 1.0 - rgb])


def _shares(entropy: Values, sensitivity: Values, here: Values) -> Values:
    """Dominance shares; an absent modality has none, whatever was measured."""
    if here.sum() < 2:
        return here
    return dominance_shares(entropy, sensitivity)


def _pair(values: Values) -> Pair:
    return (float(values[0]), float(values[1]))
