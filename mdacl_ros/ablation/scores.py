"""Scores of a model card, from the files that ``mdacl evaluate --out`` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mdacl_ros.ablation.markers import markdown_table
from mdacl_ros.errors import ParameterError

CARD = "MODEL_CARD.md"
FEW = 20
"""The average precision of a class with fewer objects is called noise."""

CORRELATIONS = {
    "exact_loss": "exact probe against loss-based index",
    "estimate_exact": "per-frame estimate against exact probe",
    "estimate_loss": "per-frame estimate against loss-based index",
}
"""Keys under ``spearman`` in a file of dominance correlations, and what they compare."""

Scores = Mapping[str, Mapping[str, Any]]


def read_scores(path: Path) -> Scores:
    """Read what ``mdacl evaluate --out`` wrote: scores by ``fused``, ``rgb absent``, ...

    Raises:
        ParameterError: The file is not readable or not such a file.
    """
    values = _read_object(path, "mdacl evaluate DATASET --out")
    good = values and all(isinstance(v, dict) and "map50" in v for v in values.values())
    if not good:
        raise ParameterError(
            f"{path}: got keys {list(values)[:5]}, wanted the modes of `mdacl evaluate DATASET "
            "--out FILE` with their map50"
        )
    return values


def read_correlations(path: Path) -> dict[str, Any]:
    """Read rank correlations: ``{"pairs": n, "spearman": {...}}`` with keys of CORRELATIONS.

    Raises:
        ParameterError: The file is not readable or not such a file.
    """
    values = _read_object(path, "benchmarks/dominance.py --out")
    found = values.get("spearman")
    if not isinstance(found, dict) or set(found) != set(CORRELATIONS) or "pairs" not in values:
        raise ParameterError(
            f"{path}: got keys {list(values)[:5]}, wanted pairs and spearman with "
            f"{', '.join(CORRELATIONS)}; see benchmarks/dominance.py --out"
        )
    return values


def _read_object(path: Path, maker: str) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ParameterError(f"{path}: not readable as JSON ({error}); make it with {maker}") from (
            error
        )
    if not isinstance(values, dict):
        raise ParameterError(f"{path}: got {type(values).__name__}, wanted the object of {maker}")
    return values


def scores_block(
    scores: Mapping[str, Scores], correlations: Mapping[str, Any] | None = None
) -> str:
    """Markdown of the scores: a table, what it was measured on, and the correlations.

    Args:
        scores: By name of the data set.
        correlations: Of :func:`read_correlations`; ``None``: left out.
    """
    classes = list(dict.fromkeys(n for s in scores.values() for n in s["fused"]["ap50_by_class"]))
    head = ["", "", "mAP50", "mAP", *(f"AP50 {name}" for name in classes), "mean MDI"]
    body = [row for name, modes in scores.items() for row in _rows(name, modes, classes)]
    parts = [markdown_table([head, *body], left=2), _counts(scores)]
    if correlations is not None:
        parts.append(_correlations(correlations))
    return "\n\n".join(parts)


def _rows(name: str, modes: Scores, classes: Sequence[str]) -> list[list[str]]:
    """A row a mode; parts (day, night, smoke) follow the fused one."""
    rows = []
    for mode, values in modes.items():
        rows.append((mode, values))
        if mode == "fused":
            rows += [(f"{mode}, {part}", v) for part, v in values.get("parts", {}).items()]
    return [
        [
            name if i == 0 else "",
            mode,
            _percent(values["map50"]),
            _percent(values["map"]),
            *(_percent(values["ap50_by_class"].get(label)) for label in classes),
            f"{values['mdi']:+.2f}",
        ]
        for i, (mode, values) in enumerate(rows)
    ]


def _percent(value: float | None) -> str:
    """A share in percent; nothing where a data set holds no such object."""
    return "" if value is None else f"{100 * value:.1f}"


def _counts(scores: Mapping[str, Scores]) -> str:
    """How many objects the scores stand on, and which are too few."""
    told, few = [], []
    for name, modes in scores.items():
        objects = modes["fused"]["truth_objects"]
        listed = ", ".join(f"{count} {label}" for label, count in objects.items())
        told.append(f"{name}: {modes['fused']['truth_images']} images, {listed}.")
        few += [f"{label} in {name}" for label, count in objects.items() if 0 < count < FEW]
    told.append("Mean MDI is that of the per-frame estimate.")
    if few:
        told.append(f"Noise, with fewer than {FEW} objects: {', '.join(few)}.")
    return " ".join(told)


def _correlations(values: Mapping[str, Any]) -> str:
    found = [f"{text} {values['spearman'][key]:.3f}" for key, text in CORRELATIONS.items()]
    return f"Dominance, Spearman over {values['pairs']} labelled pairs: {', '.join(found)}."
