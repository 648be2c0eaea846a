"""COCO metrics of a data set as a table: fused, and with either camera removed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mdacl_ros.config.pipeline_config import PipelineConfig
from mdacl_ros.errors import RecordingError
from mdacl_ros.pipeline import build_pipeline
from mdacl_ros.types import Modality
from mdacl_tools.recordings.input_options import InputOptions, open_input, say_remarks
from mdacl_tools.scoring.pair_scoring import (
    SCORE_FLOOR,
    Change,
    Evaluation,
    evaluate,
    labelled_pairs,
)
from mdacl_tools.util.pipeline_options import progress_printer
from mdacl_tools.util.progress import progress_bar
from mdacl_tools.util.provenance import provenance

__all__ = ["MEASURED", "MODES", "SCORE_FLOOR", "Change", "Evaluation", "evaluate", "labelled_pairs"]

MODES: dict[str, Modality | None] = {
    "fused": None,
    "rgb absent": "rgb",
    "thermal absent": "thermal",
}
"""What is printed, and which camera is taken away for it."""

MEASURED = "measured"
"""Key in a file of scores, beside those of :data:`MODES`, under which it says what was measured."""


def score(
    path: Path, options: InputOptions, config: PipelineConfig, out: Path | None, *, fused_only: bool
) -> int:
    """Score a data set and print a table.

    Args:
        path: Folder, or COCO json.
        options: How it is opened.
        config: What detects; its score threshold is not used.
        out: JSON file to write the scores to as well.
        fused_only: Leave out the absent cameras.
    """
    recording = open_input(path, options)
    if not recording.has_truth:
        raise RecordingError(f"{path}: has no ground truth to score against")
    perception = build_pipeline(replace(config, score_threshold=SCORE_FLOOR), progress_printer())
    modes = ("fused",) if fused_only else tuple(MODES)
    results = {}
    for mode in modes:
        with progress_bar(mode, recording.frames.get("rgb", 0)) as advance:
            results[mode] = evaluate(perception, recording, MODES[mode], advance)
    print(table(rows_with_parts(results)))
    for name, count in next(iter(results.values())).left_out.items():
        print(f"left out: {count} x {name}, a class the model does not know")
    say_remarks(recording)
    if out is not None:
        values: dict[str, Any] = {mode: to_json(e) for mode, e in results.items()}
        values[MEASURED] = provenance(config.model_folder(), perception.engine)
        out.write_text(json.dumps(values, indent=2) + "\n")
    return 0


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Scores and mean index, with those of the parts under ``parts`` where there are any."""
    values = evaluation.scores.to_json() | {"mdi": round(evaluation.mdi, 4)}
    if evaluation.parts:
        values["parts"] = {name: to_json(part) for name, part in evaluation.parts.items()}
    return values


def rows_with_parts(results: Mapping[str, Evaluation]) -> dict[str, Evaluation]:
    """Each evaluation followed by its parts, as rows of :func:`table`."""
    rows = {}
    for mode, evaluation in results.items():
        rows[mode] = evaluation
        rows |= {f"{mode}, {name}": part for name, part in evaluation.parts.items()}
    return rows


def table(results: dict[str, Evaluation]) -> str:
    """Lay the evaluations out as text, a row each."""
    names = sorted({name for e in results.values() for name in e.scores.ap50_by_class})
    head = ["", "mAP50", "mAP", *(f"AP50 {name}" for name in names), "mean MDI"]
    rows = [head]
    for mode, e in results.items():
        by_class = [_percent(e.scores.ap50_by_class.get(name)) for name in names]
        rows.append(
            [
                mode,
                f"{100 * e.scores.map50:.1f}",
                f"{100 * e.scores.map:.1f}",
                *by_class,
                f"{e.mdi:+.2f}",
            ]
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows
    )


def _percent(value: float | None) -> str:
    """A share in percent; a dash where a part holds no object of the class."""
    return "-" if value is None else f"{100 * value:.1f}"
