"""Spearman's rank correlation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mdacl_ros.types import Array


def spearman(ours: Sequence[float] | Array, theirs: Sequence[float] | Array) -> float:
    """Rank correlation in [-1, 1] of two series of one length; equal values share a rank."""
    return float(np.corrcoef(_ranks(np.asarray(ours)), _ranks(np.asarray(theirs)))[0, 1])


def _ranks(values: Array) -> Array:
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[where])
