"""Spearman's rank correlation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def spearman(ours: ArrayLike, theirs: ArrayLike) -> float:
    """Rank correlation in [-1, 1] of two series of one length; equal values share a rank."""
    return float(np.corrcoef(_ranks(ours), _ranks(theirs))[0, 1])


def _ranks(values: ArrayLike) -> Any:
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[where]
