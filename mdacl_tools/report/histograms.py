"""Histograms as plain geometry in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdacl_tools.report.axes import Scale, Tick
from mdacl_tools.report.formatting import number


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars in a box of ``width`` x ``height``: ``(x, y, width, height, text)`` each."""

    title: str
    unit: str
    width: int
    height: int
    bars: tuple[tuple[float, float, float, float, str], ...]
    ticks: tuple[Tick, ...]
    total: int


def histogram(
    title: str, values: dict[str, Any], unit: str = "", size: tuple[int, int] = (264, 132)
) -> Histogram | None:
    """A histogram given as ``{edges, counts}``; ``None`` where nothing was counted.

    Bins are drawn equally wide, whatever their edges; empty ones at both ends are left out.
    """
    counts, edges = list(values.get("counts", ())), list(values.get("edges", ()))
    if not sum(counts) or len(edges) != len(counts) + 1:
        return None
    filled = np.flatnonzero(counts)
    first, last = max(0, int(filled[0]) - 1), min(len(counts), int(filled[-1]) + 2)
    texts = _edge_texts(edges)
    width, height = size
    across, up = Scale(first, last, 18, width - 18), Scale(0, max(counts), height - 20, 6)
    bar = across(1) - across(0)
    bars = tuple(
        (
            round(across(k) + 0.5, 2),
            round(up(counts[k]), 2),
            round(max(bar - 1, 0.5), 2),
            round(up(0) - up(counts[k]), 2),
            f"{texts[k]} to {texts[k + 1]} {unit}: {counts[k]}".replace("  ", " "),
        )
        for k in range(first, last)
        if counts[k]
    )
    step = max(1, math.ceil((last - first) / 6))
    ticks = tuple(Tick(across(k), texts[k]) for k in range(first, last + 1, step))
    return Histogram(title, unit, width, height, bars, ticks, int(sum(counts)))


def _edge_texts(edges: Sequence[float]) -> list[str]:
    """Edges as numbers; the end of a last bin that takes all the rest has none."""
    texts = [number(edge) for edge in edges]
    if len(edges) > 2 and edges[-1] - edges[-2] > 20 * (edges[-2] - edges[-3]):
        texts[-1] = "more"
    return texts
