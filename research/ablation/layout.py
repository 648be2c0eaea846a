"""The generated part of docs/ablation.md: tables, differences, goals, what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from research.ablation.goals import Goal
from research.ablation.markers import markdown_table
from research.ablation.report import AblationReport
from research.ablation.rows import Difference, VariantRow
from research.ablation.statistic import Statistic

PICTURE = "images/ablation.png"
_NONE = Statistic(())


def generated_part(report: AblationReport) -> str:
    """Markdown of everything that is computed."""
    if not report.rows:
        return _state(report)
    return "\n\n".join(
        [
            _state(report),
            f"![mAP50, what is kept without a camera and under corruption, and MDI]({PICTURE})",
            "### Detection\n\n" + _detection(report),
            "### Leaning and robustness\n\n" + _robustness(report),
            "### Differences\n\n"
            "mAP50 of the row minus that of the column, paired by seed: mean ± sample standard "
            f"deviation, {_of(report)} unless n is given.\n\n" + _matrix(report),
            "### Goals\n\n" + _goals(report.goals, report),
        ]
    )


def _state(report: AblationReport) -> str:
    """What is done, what is left out and by what name, and what it was made with."""
    done, wanted = len(report.results.units), report.wanted
    head = f"{done} of {wanted} runs are done."
    lines = [head if done == wanted else f"**Incomplete: {head}**"]
    for what, names in (
        ("Missing, and left out", report.results.missing),
        ("Failed, and left out", report.results.failed),
        ("Made from another configuration, and left out", report.results.outdated),
    ):
        if names:
            lines.append(f"{what}: {_named(names, report)}.")
    if report.rows:
        lines.append(_effort(report))
    return " ".join(lines) + _start(report)


def _named(names: Sequence[str], report: AblationReport) -> str:
    """Names of units, shorter where a seed's are all among them."""
    told = list(names)
    for seed in report.plan.seeds:
        whole = [unit.name for unit in report.plan.units() if unit.seed == seed]
        if set(whole) <= set(told):
            told = [name for name in told if name not in whole] + [f"all of seed {seed}"]
    return ", ".join(told)


def _effort(report: AblationReport) -> str:
    units = report.results.units.values()
    trained = [unit["train_seconds"] / 60 for unit in units]
    scored = [unit["score_seconds"] / 60 for unit in units]
    return (
        f"A run took {_range(trained)} min to train and {_range(scored)} min to score, beside "
        f"other work on the machine; code of revisions {', '.join(report.revisions)}."
    )


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.1f} to {max(values):.1f}"


def _start(report: AblationReport) -> str:
    """Scores of the weights every variant starts from, and which runs had which."""
    return "\n\n" + " ".join([_start_scores(report), *_start_weights(report)])


def _start_weights(report: AblationReport) -> list[str]:
    """How many runs began with which weights, where those were not always the same."""
    begun = report.start_weights
    if len(begun) < 2:
        return []
    named = [f"{n} from {sha[:12] if sha else 'weights not recorded'}" for sha, n in begun]
    return [
        f"It was trained {len(begun)} times from one configuration and seed, on processors that "
        f"may round otherwise; runs began {', '.join(named)}."
    ]


def _start_scores(report: AblationReport) -> str:
    start = report.results.start
    if start is None:
        return "The first stage's own scores are not recorded yet."
    scores = [f"{100 * start[k]['map50']:.1f}" for k in ("scores", "rgb_absent", "thermal_absent")]
    return (
        f"The first stage, before any variant ({start['steps']} steps): mAP50 {scores[0]}, "
        f"{scores[1]} with RGB absent, {scores[2]} with thermal absent, MDI {start['mdi']:+.2f}."
    )


def _detection(report: AblationReport) -> str:
    classes = [n for n in report.measures if n.startswith("ap50.")]
    names = ["map50", "map", *classes, "map50_day", "map50_night"]
    titles = ["mAP50", "mAP", *(f"AP50 {n.partition('.')[2]}" for n in classes)]
    head = ["", "seeds", *titles, "mAP50 day", "mAP50 night", "M parameters", "GFLOP"]
    body = [
        [
            row.variant,
            _seeds(row, report),
            *(percent(row.statistics.get(name, _NONE)) for name in names),
            f"{row.params / 1e6:.2f}",
            f"{row.gflops:.2f}",
        ]
        for row in report.rows
    ]
    return markdown_table([head, *body])


def _robustness(report: AblationReport) -> str:
    measures = {
        "map50_rgb_absent": "mAP50, RGB absent",
        "retention_rgb_absent": "% of thermal alone",
        "map50_thermal_absent": "mAP50, thermal absent",
        "retention_thermal_absent": "% of RGB alone",
        "corruption_retention": "% kept under corruption",
    }
    head = ["", "seeds", *measures.values(), "MDI", "mean of its magnitude"]
    body = [
        [
            row.variant,
            _seeds(row, report),
            *(percent(row.statistics.get(name, _NONE)) for name in measures),
            _index(row.statistics["mdi"], "+.3f"),
            _index(row.statistics["mdi_magnitude"], ".3f"),
        ]
        for row in report.rows
    ]
    return markdown_table([head, *body])


def _matrix(report: AblationReport) -> str:
    """Every variant against every one before it."""
    names = [row.variant for row in report.rows]
    cells = {(d.variant, d.against): _difference(d, report) for d in report.differences}
    body = [[a, *(cells.get((a, b), "") for b in names[:-1])] for a in names[1:]]
    return markdown_table([["", *names[:-1]], *body])


def _difference(difference: Difference, report: AblationReport) -> str:
    text = percent(difference.map50, "+.1f")
    seeds = len(difference.seeds)
    return text if seeds == len(report.plan.seeds) else f"{text} (n = {seeds})"


def _goals(goals: Sequence[Goal], report: AblationReport) -> str:
    body = [
        [goal.name, goal.wanted, goal.measured, f"**{goal.verdict}**", _count(goal.seeds, report)]
        for goal in goals
    ]
    return markdown_table([["", "wanted", "measured", "", "seeds"], *body], left=4)


def _seeds(row: VariantRow, report: AblationReport) -> str:
    return _count(len(row.seeds), report)


def _count(seeds: int, report: AblationReport) -> str:
    wanted = len(report.plan.seeds)
    return str(seeds) if seeds == wanted else f"{seeds} of {wanted}"


def _of(report: AblationReport) -> str:
    return f"n = {len(report.plan.seeds)}"


def percent(statistic: Statistic, pattern: str = ".1f") -> str:
    """Mean and spread in percent; a dash where nothing is known."""
    mean, spread = statistic.mean, statistic.spread
    if mean is None:
        return "-"
    return f"{100 * mean:{pattern}}" + ("" if spread is None else f" ± {100 * spread:.1f}")


def _index(statistic: Statistic, pattern: str) -> str:
    mean, spread = statistic.mean, statistic.spread
    if mean is None:
        return "-"
    return f"{mean:{pattern}}" + ("" if spread is None else f" ± {spread:.3f}")
