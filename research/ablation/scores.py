"""Scores of the shipped models on the pages that show them, from what measured them.

``docs/scores/<model>/<what>/`` holds the files of ``mdacl evaluate DATASET --out``, one a data set
(``msrs_test.json``), and of ``research/benchmarks/dominance.py --out`` (``dominance.json``).
``<what>`` is ``shipped``, or one of :data:`BESIDE`: what the shipped model is held against.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdacl_ros.errors import ParameterError
from mdacl_tools.scoring.dataset_scores import MEASURED
from research.ablation.markers import markdown_table

SHIPPED, DOMINANCE = "shipped", "dominance"
BESIDE = {
    "thermal_only": "a detector of thermal alone",
    "rgb_only": "a detector of RGB alone",
    "stage1": "before stage 2",
}
"""Detectors that a shipped one is held against, and what a page calls them."""

ONE_CAMERA = ("thermal_only", "rgb_only")
"""Those that look at one camera: of them the run with both cameras there is told, no other."""

FEW = 20
"""The average precision of a class with fewer objects is called noise."""

CORRELATIONS = {
    "exact_loss": "exact probe against loss-based index",
    "estimate_exact": "per-frame estimate against exact probe",
    "estimate_loss": "per-frame estimate against loss-based index",
}
"""Keys under ``spearman`` in a file of dominance correlations, and what they compare."""

Scores = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ModelScores:
    """What was measured of one shipped model.

    Attributes:
        name: The model's.
        shipped: By data set (``msrs/test``), then by mode (``fused``, ``rgb absent``, ...).
        beside: The same of the detectors it is held against, by key of ``BESIDE``.
        correlations: Of :func:`read_correlations`; ``None``: not measured.
    """

    name: str
    shipped: Mapping[str, Scores]
    beside: Mapping[str, Mapping[str, Scores]]
    correlations: Mapping[str, Any] | None = None


def read_model_scores(folder: Path) -> ModelScores:
    """Read what was measured of a model.

    Args:
        folder: ``docs/scores/<model>``.

    Raises:
        ParameterError: A file is of another kind, or nothing is there of the shipped weights.
    """
    beside = {what: _by_data_set(folder / what) for what in BESIDE if (folder / what).is_dir()}
    shipped = _by_data_set(folder / SHIPPED)
    if not shipped:
        raise ParameterError(
            f"{folder / SHIPPED}: has no scores; make them with mdacl evaluate DATASET --model "
            f"models/{folder.name} --out {folder / SHIPPED}/msrs_test.json"
        )
    dominance = folder / SHIPPED / f"{DOMINANCE}.json"
    correlations = read_correlations(dominance) if dominance.exists() else None
    return ModelScores(folder.name, shipped, beside, correlations)


def _by_data_set(folder: Path) -> dict[str, Scores]:
    files = sorted(folder.glob("*.json"), key=lambda p: (not p.stem.startswith("msrs"), p.stem))
    found = {p.stem.replace("_", "/", 1): p for p in files if p.stem != DOMINANCE}
    return {name: read_scores(path) for name, path in found.items()}


def read_scores(path: Path) -> Scores:
    """Read what ``mdacl evaluate --out`` wrote: scores by ``fused``, ``rgb absent``, ...

    Raises:
        ParameterError: The file is not readable or not such a file.
    """
    values = _read_object(path, "mdacl evaluate DATASET --out")
    values.pop(MEASURED, None)
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
    values = _read_object(path, "research/benchmarks/dominance.py --out")
    found = values.get("spearman")
    if not isinstance(found, dict) or set(found) != set(CORRELATIONS) or "pairs" not in values:
        raise ParameterError(
            f"{path}: got keys {list(values)[:5]}, wanted pairs and spearman with "
            f"{', '.join(CORRELATIONS)}; see research/benchmarks/dominance.py --out"
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


def card_block(model: ModelScores) -> str:
    """Markdown for the model's own card: every mode and part, what it is held against, all else."""
    classes = _classes([model])
    head = ["", "", "mAP50", "mAP", *(f"AP50 {name}" for name in classes), "mean MDI"]
    rows = [
        [data_set if i == 0 else "", label, *_cells(values, classes), f"{values['mdi']:+.2f}"]
        for data_set in model.shipped
        for i, (label, values) in enumerate(_rows(model, data_set, parts=True))
    ]
    told = [markdown_table([head, *rows], left=2), _counts(model.shipped)]
    if model.correlations is not None:
        told.append(_correlations(model.correlations))
    return "\n\n".join(told)


def overview_block(models: Sequence[ModelScores]) -> str:
    """Markdown for the front page: every model with both cameras and with either, and beside."""
    classes = _classes(models)
    head = ["", "", "", "mAP50", "mAP", *(f"AP50 {name}" for name in classes)]
    rows = []
    for model in models:
        for number, data_set in enumerate(model.shipped):
            for i, (label, values) in enumerate(_rows(model, data_set, parts=False)):
                first = f"**{model.name}**" if number == i == 0 else ""
                rows.append([first, "" if i else data_set, label, *_cells(values, classes)])
    return "\n\n".join([markdown_table([head, *rows], left=3), _counts(models[0].shipped)])


def _classes(models: Sequence[ModelScores]) -> list[str]:
    modes = [scores["fused"] for model in models for scores in model.shipped.values()]
    return list(dict.fromkeys(name for mode in modes for name in mode["ap50_by_class"]))


def _rows(model: ModelScores, data_set: str, *, parts: bool) -> list[tuple[str, Mapping[str, Any]]]:
    """Labelled scores on one data set: the shipped weights' modes, then what they are held against.

    Args:
        model: The model.
        data_set: Its name.
        parts: Whether day, night, smoke follow the fused row, and earlier stages the end.
    """
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for mode, values in model.shipped[data_set].items():
        rows.append((mode, values))
        if parts and mode == "fused":
            rows += [(f"{mode}, {part}", v) for part, v in values.get("parts", {}).items()]
    for what, by_data_set in model.beside.items():
        modes = by_data_set.get(data_set, {})
        if what in ONE_CAMERA and modes:
            rows.append((f"*{BESIDE[what]}*", modes["fused"]))
        elif parts:
            rows += [(f"*{BESIDE[what]}: {mode}*", values) for mode, values in modes.items()]
    return rows


def _cells(values: Mapping[str, Any], classes: Sequence[str]) -> list[str]:
    by_class = values["ap50_by_class"]
    shares = [values["map50"], values["map"], *(by_class.get(label) for label in classes)]
    return [_percent(share) for share in shares]


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
    if few:
        told.append(f"Noise, with fewer than {FEW} objects: {', '.join(few)}, and mAP50 with it.")
    return " ".join(told)


def _correlations(values: Mapping[str, Any]) -> str:
    found = [f"{text} {values['spearman'][key]:.3f}" for key, text in CORRELATIONS.items()]
    return (
        "Mean MDI is that of the per-frame estimate. Dominance, Spearman over "
        f"{values['pairs']} labelled pairs: {', '.join(found)}."
    )
