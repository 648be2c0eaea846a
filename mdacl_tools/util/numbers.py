"""Numbers as tables and JSON want them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np


def rounded(value: float | None) -> float | None:
    """Four decimals; ``None`` for NaN, which JSON has not."""
    return None if value is None or math.isnan(value) else round(value, 4)


def mean(values: Iterable[float]) -> float:
    """Arithmetic mean; NaN of nothing."""
    listed = list(values)
    return float(np.mean(listed)) if listed else math.nan


def percent(value: float | None) -> str:
    """A share in percent, a dash where it is unknown."""
    return "-" if value is None or math.isnan(value) else f"{100 * value:.1f}"


def signed(value: float | None) -> str:
    """An index in [-1, 1], a dash where it is unknown."""
    return "-" if value is None or math.isnan(value) else f"{value:+.2f}"


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out as text: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
