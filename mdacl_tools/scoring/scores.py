"""All accuracy numbers of one mode, collected frame by frame with nearly flat memory."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from mdacl_ros.types import Detections, FloatArray, GroundTruth
from mdacl_tools.scoring.coco_matching import CocoMatches
from mdacl_tools.scoring.coco_metrics import average
from mdacl_tools.scoring.matched_detections import EVERYTHING, areas, heights
from mdacl_tools.scoring.miss_rate import MissRates
from mdacl_tools.scoring.report import ModeScores

SIZES = {
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, EVERYTHING),
}
"""COCO's bins of area in square pixels."""

HEIGHTS = {
    "0-32": (0.0, 32.0),
    "32-64": (32.0, 64.0),
    "64-128": (64.0, 128.0),
    "128-": (128.0, EVERYTHING),
}
"""Bins of height in pixels: the distance of people and cars, as far as one camera tells it."""


class ScoreBook:
    """Collects answers and ground truth of one mode.

    Args:
        labels: Class names of the model.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        count = len(self._labels)
        self._by_area = CocoMatches(count, [(0.0, EVERYTHING), *SIZES.values()], areas)
        self._by_height = CocoMatches(count, list(HEIGHTS.values()), heights)
        lower = [name.lower() for name in self._labels]
        self._misses = MissRates(lower.index("person")) if "person" in lower else None
        self._mdi: dict[str | None, list[float]] = defaultdict(list)

    @property
    def images(self) -> int:
        """Frames added."""
        return sum(len(values) for values in self._mdi.values())

    def add(
        self, detections: Detections, truth: GroundTruth, mdi: float, part: str | None = None
    ) -> None:
        """Add a frame.

        Args:
            detections: What was found, down to a score near zero.
            truth: What is there, classes numbered as the model's.
            mdi: The frame's dominance index.
            part: Part of the recording.
        """
        self._by_area.add(detections, truth, part)
        self._by_height.add(detections, truth, part)
        if self._misses is not None:
            self._misses.add(detections, truth, part)
        self._mdi[part].append(mdi)

    def summarize(self) -> ModeScores:
        """Score everything added."""
        whole = average(self._by_area, self._labels, self.images)
        values = [value for part in self._mdi.values() for value in part]
        parts = {name: self._part(name) for name in self._mdi if name is not None}
        return ModeScores(
            map50=_number(whole.map50),
            map=_number(whole.map),
            ap50_by_class=whole.ap50_by_class,
            map_by_class=whole.map_by_class,
            lamr=self._misses.rates() if self._misses is not None else {},
            ap_by_size=self._bins(self._by_area, list(SIZES), 1),
            ap_by_height=self._bins(self._by_height, list(HEIGHTS), 0),
            parts={n: p for n, p in parts.items() if p["objects"]} if len(parts) > 1 else {},
            images=self.images,
            objects=whole.objects,
            mdi=float(np.mean(values)) if values else None,
        )

    def _part(self, name: str) -> dict[str, Any]:
        found = average(self._by_area, self._labels, len(self._mdi[name]), name)
        return {
            "map50": _number(found.map50),
            "map": _number(found.map),
            "ap50_by_class": found.ap50_by_class,
            "images": found.images,
            "objects": found.objects,
            "mdi": float(np.mean(self._mdi[name])),
        }

    def _bins(self, matches: CocoMatches, names: list[str], first: int) -> dict[str, Any]:
        """AP of each bin, averaged over the classes that it holds objects of."""
        precision = matches.precision()
        return {name: self._bin(matches, precision, first + i) for i, name in enumerate(names)}

    def _bin(self, matches: CocoMatches, precision: FloatArray, range_: int) -> dict[str, Any]:
        counts = [matches.matched(k, range_).objects for k in range(len(self._labels))]
        here = [k for k, count in enumerate(counts) if count]
        values = precision[:, :, here, range_] if here else None  # (T, R, classes)
        return {
            "ap50": None if values is None else float(values[0].mean()),
            "ap": None if values is None else float(values.mean()),
            "objects": sum(counts),
        }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
