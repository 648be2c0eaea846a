"""Numbers over all processed frames of a recording: dominance, skew, rhythm, detections."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from mdacl_tools.scoring.frames import FrameRecord

SKEW_EDGES = tuple(range(-200, 201, 10))
MDI_EDGES = tuple(round(-1 + 0.05 * i, 2) for i in range(41))
INTERVAL_EDGES = (*range(0, 500, 20), 500, 1000, 2000, 1000000)
COUNT_EDGES = (*range(0, 21), 30, 50, 101)
PERCENTILES = (5, 25, 50, 75, 95)


class Summary:
    """Collects frames; some bytes a frame in memory.

    Args:
        labels: Class names.
        threshold: Score from which a detection is shown.
    """

    def __init__(self, labels: Sequence[str], threshold: float) -> None:
        self._labels, self._threshold = tuple(labels), threshold
        self._mdi, self._exact, self._paired = array("d"), array("d"), array("d")
        self._reliance = array("d")
        self._skew, self._intervals, self._counts = array("d"), array("d"), array("q")
        self._by_event: dict[str, array[float]] = defaultdict(lambda: array("d"))
        self._by_part: dict[str, array[float]] = defaultdict(lambda: array("d"))
        self._by_class: Counter[int] = Counter()
        self._last_ns: int | None = None
        self.image_size: tuple[int, int] | None = None
        self.single: Counter[str] = Counter()

    @property
    def frames(self) -> int:
        """Frames added."""
        return len(self._mdi)

    def add(self, record: FrameRecord, part: str | None) -> None:
        """Take the next frame and the part of the recording it belongs to."""
        self._mdi.append(record.mdi)
        if record.reliance is not None and record.rgb and record.thermal:
            self._reliance.append(record.reliance)
        if record.exact_mdi is not None:
            self._exact.append(record.exact_mdi)
        if record.rgb and record.thermal:
            self._skew.append(record.skew_ms)
            self._paired.append(record.mdi)
        else:
            self.single["rgb" if record.rgb else "thermal"] += 1
        for name in record.events:
            self._by_event[name].append(record.mdi)
        if part is not None:
            self._by_part[part].append(record.mdi)
        if self._last_ns is not None:
            self._intervals.append((record.stamp_ns - self._last_ns) / 1e6)
        self._last_ns = record.stamp_ns
        self.image_size = self.image_size or record.image_size
        shown = record.labels[record.scores >= self._threshold].tolist()
        self._counts.append(len(shown))
        self._by_class.update(shown)

    def mdi(self) -> dict[str, Any]:
        """Dominance over the recording; ``None`` where there is nothing."""
        values = np.asarray(self._mdi)
        spread: dict[str, Any] = dict.fromkeys(("mean", "std", "min", "max"))
        spread |= dict.fromkeys(f"p{p}" for p in PERCENTILES)
        if len(values):
            spread |= {
                "mean": float(values.mean()),
                "std": float(values.std()),
                "min": float(values.min()),
                "max": float(values.max()),
            }
            found = np.percentile(values, PERCENTILES).tolist()
            spread |= {f"p{p}": v for p, v in zip(PERCENTILES, found, strict=True)}
        return spread | {
            "paired_mean": _mean(self._paired),
            "exact_mean": _mean(self._exact),
            "exact_count": len(self._exact),
            "reliance_mean": _mean(self._reliance),
            "by_part": {name: _mean(v) for name, v in sorted(self._by_part.items())},
            "by_event": {name: _mean(v) for name, v in sorted(self._by_event.items())},
        }

    def event_frames(self) -> dict[str, int]:
        """Number of frames of each event."""
        return {name: len(values) for name, values in sorted(self._by_event.items())}

    def histograms(self) -> dict[str, Any]:
        """See ``histograms`` in docs/evaluation.md."""
        return {
            "skew_ms": histogram(self._skew, SKEW_EDGES),
            "mdi": histogram(self._mdi, MDI_EDGES),
            "interval_ms": histogram(self._intervals, INTERVAL_EDGES),
        }

    def detections(self) -> dict[str, Any]:
        """Shown detections per frame."""
        return {
            "mean": _mean(self._counts),
            "max": max(self._counts, default=0),
            "by_class": {
                name: self._by_class[i] for i, name in enumerate(self._labels) if self._by_class[i]
            },
            "histogram": histogram(self._counts, COUNT_EDGES),
        }


def histogram(values: Iterable[float], edges: Sequence[float]) -> dict[str, Any]:
    """``{edges, counts}``; what lies outside counts in the first or last bin."""
    inside = np.clip(np.asarray(list(values), np.float64), edges[0], edges[-1])
    counts, _ = np.histogram(inside, bins=np.asarray(edges, np.float64))
    return {"edges": list(edges), "counts": counts.tolist()}


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None
