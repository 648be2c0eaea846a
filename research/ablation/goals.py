"""What the full method was meant to reach, and whether it did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from research.ablation.rows import VariantRow
from research.ablation.statistic import Statistic, ratio
from research.ablation.variant_families import FAMILIES, JOINT, STAGED, Family

OVER_SINGLE, OVER_PLAIN = 0.05, 0.02
ALONE_KEPT, CORRUPTED_KEPT, MDI_LEFT = 0.95, 0.90, 0.5
MET, MET_IN_MEAN, MISSED, OPEN = "met", "met in the mean", "missed", "open"
ENOUGH = 2
"""Seeds below which a verdict stays open."""

_At = Callable[[str, str], Statistic]


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal and what was measured for it.

    Attributes:
        name: What is compared.
        wanted: The bound, in words.
        measured: The numbers, in words.
        verdict: ``met`` (by every seed, or beyond the spread), ``met in the mean`` (not by every
            seed), ``missed``, or ``open`` where fewer than ``ENOUGH`` seeds are done.
        seeds: Seeds it was judged on.
    """

    name: str
    wanted: str
    measured: str
    verdict: str
    seeds: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def judge_goals(rows: Sequence[VariantRow], seeds: Sequence[int]) -> list[Goal]:
    """Judge every goal on the seeds that are done.

    Args:
        rows: The table.
        seeds: All seeds of the plan.
    """
    by_name = {row.variant: row for row in rows}

    def at(variant: str, measure: str) -> Statistic:
        row = by_name.get(variant)
        return row.at(measure, seeds) if row else Statistic((None,) * len(seeds))

    goals = []
    for family in FAMILIES:
        if family is STAGED or family.full in by_name:
            goals += _family_goals(family, at)
    # Plain fusion trained plainly, without a balanced first stage, is the harder one to beat.
    return [*goals, *_over(STAGED.full, JOINT.plain, at)]


def _family_goals(family: Family, at: _At) -> list[Goal]:
    """The goals among variants that were trained alike."""
    full, single = family.full, (family.rgb_only, family.thermal_only)
    best = better_of(*(at(name, "map50") for name in single))
    gain = at(full, "map50") - best
    return [
        _gain(f"mAP50 of {full} over the better of {' and '.join(single)}", gain, OVER_SINGLE),
        *_over(full, family.plain, at),
        *(
            _share(
                f"{_words(mode)}: share of {name} that {full} keeps",
                at(full, f"retention_{mode}"),
                ALONE_KEPT,
            )
            for mode, name in family.dedicated.items()
        ),
        _share(
            f"mAP50 that {full} keeps under corruption, mean",
            at(full, "corruption_retention"),
            CORRUPTED_KEPT,
        ),
    ]


def _over(full: str, plain: str, at: _At) -> list[Goal]:
    """The goals over plain fusion."""
    gain = at(full, "map50") - at(plain, "map50")
    return [
        _gain(f"mAP50 of {full} over {plain}", gain, OVER_PLAIN),
        _mdi(f"|mean MDI| of {full} over that of {plain}", at(full, "mdi"), at(plain, "mdi")),
    ]


def _words(mode: str) -> str:
    return mode.replace("_", " ").replace("rgb", "RGB")


def better_of(first: Statistic, second: Statistic) -> Statistic:
    """The larger value, seed by seed; unknown where either is."""
    pairs = zip(first.values, second.values, strict=True)
    return Statistic(tuple(None if a is None or b is None else max(a, b) for a, b in pairs))


def _gain(name: str, gain: Statistic, margin: float) -> Goal:
    """Wanted: a margin that the seed spread does not eat up."""
    wanted = f"at least {100 * margin:+.0f} beyond the spread"
    mean, spread = gain.mean, gain.spread
    if mean is None:
        return _unmeasured(name, wanted)
    measured = f"{100 * mean:+.1f}" + ("" if spread is None else f" ± {100 * spread:.1f}")
    if spread is None:
        return Goal(name, wanted, measured, OPEN, 1)
    met = mean - spread >= margin
    if mean >= margin and not met:
        measured += ", within the spread"
    return Goal(name, wanted, measured, MET if met else MISSED, len(gain.known))


def _share(name: str, share: Statistic, bound: float) -> Goal:
    """Wanted: a share that every seed reaches."""
    wanted = f"at least {100 * bound:.0f} %"
    if share.mean is None:
        return _unmeasured(name, wanted)
    spread = "" if share.spread is None else f" ± {100 * share.spread:.1f}"
    measured = f"{100 * share.mean:.1f}{spread} %"
    return _by_seed(name, wanted, measured, share.mean >= bound, [s >= bound for s in share.known])


def _mdi(name: str, full: Statistic, plain: Statistic) -> Goal:
    """|mean MDI| of each run, then the mean of each variant over the seeds that both have."""
    wanted = f"at most {MDI_LEFT:g}"
    pairs = zip(full.values, plain.values, strict=True)
    both = [(abs(a), abs(b)) for a, b in pairs if a is not None and b is not None]
    ours, theirs = (Statistic(tuple(pair[i] for pair in both)) for i in range(2))
    left = ratio(ours.mean, theirs.mean)
    if left is None:
        return _unmeasured(name, wanted)
    measured = f"{left:.2f} ({_magnitude(ours)} / {_magnitude(theirs)})"
    reached = [a <= MDI_LEFT * b for a, b in both]
    return _by_seed(name, wanted, measured, left <= MDI_LEFT, reached)


def _by_seed(name: str, wanted: str, measured: str, in_mean: bool, reached: list[bool]) -> Goal:
    """Met where every seed reaches the bound; one seed says nothing."""
    if len(reached) < ENOUGH:
        return Goal(name, wanted, measured, OPEN, len(reached))
    measured += f", reached by {sum(reached)} of {len(reached)} seeds"
    verdict = MET if all(reached) else MET_IN_MEAN if in_mean else MISSED
    return Goal(name, wanted, measured, verdict, len(reached))


def _magnitude(value: Statistic) -> str:
    spread = "" if value.spread is None else f" ± {value.spread:.3f}"
    return f"{value.mean:.3f}{spread}"


def _unmeasured(name: str, wanted: str) -> Goal:
    return Goal(name, wanted, "not measured yet", OPEN, 0)
