"""One measured quantity over seeds: values, mean and spread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any


@dataclass(frozen=True, slots=True)
class Statistic:
    """A quantity measured under several seeds.

    Attributes:
        values: One a seed; ``None`` where it could not be measured.
    """

    values: tuple[float | None, ...]

    @property
    def known(self) -> list[float]:
        """The values that were measured."""
        return [value for value in self.values if value is not None]

    @property
    def mean(self) -> float | None:
        """Arithmetic mean; ``None`` of nothing."""
        return mean(self.known) if self.known else None

    @property
    def spread(self) -> float | None:
        """Sample standard deviation (n - 1); ``None`` of fewer than two values."""
        return stdev(self.known) if len(self.known) > 1 else None

    def __sub__(self, other: Statistic) -> Statistic:
        """Paired difference, seed by seed; both have to list the same seeds.

        Raises:
            ValueError: They list different numbers of seeds.
        """
        pairs = zip(self.values, other.values, strict=True)
        return Statistic(tuple(None if a is None or b is None else a - b for a, b in pairs))

    def to_json(self) -> dict[str, Any]:
        """``mean``, ``spread`` and ``values``, rounded to four decimals."""
        return {
            "mean": _rounded(self.mean),
            "spread": _rounded(self.spread),
            "values": [_rounded(value) for value in self.values],
        }


def ratio(part: float | None, whole: float | None) -> float | None:
    """``part / whole``; ``None`` where either is unknown or there is no whole."""
    return None if part is None or not whole else part / whole


def mean_of(values: Iterable[float | None]) -> float | None:
    """Mean of the values that are known; ``None`` of nothing."""
    return Statistic(tuple(values)).mean


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
