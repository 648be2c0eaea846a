"""Rows of the table: what was measured of each variant, over its seeds; and their differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from research.ablation.results import Results
from research.ablation.statistic import Statistic, mean_of, ratio
from research.ablation.variant_families import ABSENT, family_of


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One variant.

    Attributes:
        variant: Its name.
        cameras: Cameras it has a stream for.
        seeds: Seeds that are done.
        params: Parameters.
        gflops: Operations of one pair at the evaluation size, in 1e9.
        steps: Optimiser steps.
        statistics: By name of the measure (see :func:`measures`), a value for each seed.
    """

    variant: str
    cameras: tuple[str, ...]
    seeds: tuple[int, ...]
    params: int
    gflops: float
    steps: int
    statistics: dict[str, Statistic]

    def at(self, name: str, seeds: Sequence[int]) -> Statistic:
        """A measure at chosen seeds; ``None`` where this row lacks the seed."""
        values = dict(zip(self.seeds, self.statistics[name].values, strict=True))
        return Statistic(tuple(values.get(seed) for seed in seeds))

    def to_json(self) -> dict[str, Any]:
        """Plain values; ``ap50.person`` becomes ``{"ap50": {"person": ...}}``."""
        values: dict[str, Any] = {"variant": self.variant, "cameras": list(self.cameras)}
        for name, statistic in self.statistics.items():
            group, _, member = name.partition(".")
            if member:
                values.setdefault(group, {})[member] = statistic.to_json()
            else:
                values[name] = statistic.to_json()
        return values | {
            "seeds": list(self.seeds),
            "params": self.params,
            "gflops": self.gflops,
            "steps": self.steps,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """One variant minus another, seed by seed.

    Attributes:
        variant: The minuend.
        against: The subtrahend.
        seeds: Seeds that both have.
        map50: Difference of mAP50.
        map: Difference of mAP.
    """

    variant: str
    against: str
    seeds: tuple[int, ...]
    map50: Statistic
    map: Statistic

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "variant": self.variant,
            "against": self.against,
            "seeds": list(self.seeds),
            "map50": self.map50.to_json(),
            "map": self.map.to_json(),
        }


def table_rows(results: Results, variants: Sequence[str]) -> list[VariantRow]:
    """A row for each variant of which a seed is done, in the given order."""
    rows = []
    for variant in variants:
        seeds = tuple(sorted(seed for name, seed in results.units if name == variant))
        if not seeds:
            continue
        first = results.units[variant, seeds[0]]
        listed = [_measures_at(results, variant, seed) for seed in seeds]
        names = dict.fromkeys(name for values in listed for name in values)
        rows.append(
            VariantRow(
                variant,
                tuple(first["cameras"]),
                seeds,
                int(first["params"]),
                float(first["gflops"]),
                int(first["steps"]),
                {n: Statistic(tuple(values.get(n) for values in listed)) for n in names},
            )
        )
    return rows


def _measures_at(results: Results, variant: str, seed: int) -> dict[str, float | None]:
    dedicated: dict[str, float | None] = {}
    for mode, name in family_of(variant).dedicated.items():
        unit = results.units.get((name, seed))
        dedicated[mode] = None if unit is None else unit["scores"]["map50"]
    return measures(results.units[variant, seed], dedicated)


def measures(
    result: Mapping[str, Any], dedicated: Mapping[str, float | None]
) -> dict[str, float | None]:
    """Everything the table says of one unit.

    Args:
        result: Its result file.
        dedicated: mAP50 of the detector of the camera that stays, same seed, by ``rgb_absent`` and
            ``thermal_absent``; ``None`` where that is not done.

    Returns:
        ``map50``, ``map``, ``ap50.<class>``, ``map50_day``, ``map50_night``, ``mdi`` (mean over the
        pairs, signed) and ``mdi_magnitude`` (mean of its magnitude), ``map50_rgb_absent``,
        ``map50_thermal_absent`` and each as ``retention_...``, ``corruption_retention`` and
        ``corruption.<kind>``. ``None``: not measured, or without meaning for one camera.
    """
    scores, corruption = result["scores"], result["corruption"]
    kept = {k: ratio(v, corruption["clean_map50"]) for k, v in corruption["map50"].items()}
    left = {mode: result.get(mode, {}).get("map50") for mode in ABSENT}
    return {
        "map50": scores["map50"],
        "map": scores["map"],
        **{f"ap50.{name}": value for name, value in scores["ap50_by_class"].items()},
        **{f"map50_{part}": result.get(part, {}).get("map50") for part in ("day", "night")},
        "mdi": result["mdi"],
        "mdi_magnitude": result["mdi_magnitude"],
        **{f"map50_{mode}": value for mode, value in left.items()},
        **{f"retention_{m}": ratio(value, dedicated.get(m)) for m, value in left.items()},
        "corruption_retention": mean_of(kept.values()),
        **{f"corruption.{kind}": value for kind, value in kept.items()},
    }


def paired_differences(rows: Sequence[VariantRow]) -> list[Difference]:
    """The later row of every two minus the earlier one, at the seeds that both have."""
    found = []
    for earlier, later in combinations(rows, 2):
        seeds = tuple(seed for seed in later.seeds if seed in earlier.seeds)
        if seeds:
            map50, map_ = (later.at(n, seeds) - earlier.at(n, seeds) for n in ("map50", "map"))
            found.append(Difference(later.variant, earlier.variant, seeds, map50, map_))
    return found
