"""Times, summed up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def percentiles(values: Sequence[float], digits: int = 3) -> dict[str, float | None]:
    """Median, 95th and 99th percentile; ``None`` without values."""
    names = ("p50", "p95", "p99")
    if not len(values):
        return dict.fromkeys(names)
    found = np.percentile(np.asarray(values, np.float64), (50, 95, 99)).tolist()
    return {name: round(value, digits) for name, value in zip(names, found, strict=True)}
