"""An ablation's results put together: rows, differences, goals, and the files made of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from research.ablation.goals import Goal, judge_goals
from research.ablation.plan import AblationPlan
from research.ablation.results import Results
from research.ablation.rows import Difference, VariantRow, paired_differences, table_rows


@dataclass(frozen=True, slots=True)
class AblationReport:
    """Everything that is told of an ablation.

    Attributes:
        plan: What was to be done.
        results: What is done.
        rows: A row for each variant with a result, in the plan's order.
        differences: Every variant minus every one before it.
        goals: The goals, judged.
    """

    plan: AblationPlan
    results: Results
    rows: list[VariantRow]
    differences: list[Difference]
    goals: list[Goal]

    @property
    def wanted(self) -> int:
        """Number of runs of the plan."""
        return len(self.plan.units())

    @property
    def measures(self) -> list[str]:
        """Names of all measures, in the order in which they first occur."""
        return list(dict.fromkeys(name for row in self.rows for name in row.statistics))

    @property
    def revisions(self) -> list[str]:
        """Commits whose code made the results."""
        return sorted({str(unit["git"]) for unit in self.results.units.values()})

    @property
    def start_weights(self) -> list[tuple[str, int]]:
        """SHA-256 of the first stage that runs began with, empty where not recorded, how many."""
        begun = [u for u in self.results.units.values() if "start" not in u.get("config", {})]
        found = Counter(str(u.get("start_weights", "")) for u in begun)
        return sorted(found.items())

    def to_json(self) -> dict[str, Any]:
        """Plain values for docs/ablation.json."""
        results = self.results
        return {
            "complete": len(results.units) == self.wanted,
            "runs": {"done": len(results.units), "wanted": self.wanted},
            "seeds": list(self.plan.seeds),
            "missing": list(results.missing),
            "failed": list(results.failed),
            "outdated": list(results.outdated),
            "evaluation": self.plan.evaluation.deciding(),
            "revisions": self.revisions,
            "start_weights": dict(self.start_weights),
            "rows": [row.to_json() for row in self.rows],
            "goals": [goal.to_json() for goal in self.goals],
            "differences": [difference.to_json() for difference in self.differences],
        }


def make_report(plan: AblationPlan, results: Results) -> AblationReport:
    """Compute everything from the result files."""
    rows = table_rows(results, list(plan.variants))
    return AblationReport(
        plan, results, rows, paired_differences(rows), judge_goals(rows, plan.seeds)
    )
