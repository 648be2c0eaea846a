"""Result files of an ablation: one JSON a unit, written whole or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mdacl_ros.errors import ParameterError
from mdacl_ros.whole_file import write_whole
from research.ablation.plan import AblationPlan, Unit

START = "start"
"""Name of the first stage's result file."""


@dataclass(frozen=True, slots=True)
class Results:
    """What is there of an ablation.

    Attributes:
        units: Results by (variant, seed), each of the plan's very configuration.
        missing: Units without a result.
        failed: Those of them whose last attempt left a traceback in the run folder.
        outdated: Units whose result was made from another configuration, and is left out.
        start: Result of the first stage; ``None`` where it was not recorded.
    """

    units: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    start: dict[str, Any] | None = None


def read_results(plan: AblationPlan, folder: Path, run: Path) -> Results:
    """Read the results of a plan's units; others in the folder are of no interest.

    Args:
        plan: The ablation.
        folder: Folder of result files.
        run: Folder of checkpoints, where failed attempts leave their tracebacks; may be absent.

    Raises:
        ParameterError: A result file is not readable.
    """
    units: dict[tuple[str, int], dict[str, Any]] = {}
    missing: list[str] = []
    failed: list[str] = []
    outdated: list[str] = []
    for unit in plan.units():
        values = read_result(folder / f"{unit.name}.json")
        if values is None:
            tried = (run_folder(run, unit) / "error.txt").is_file()
            (failed if tried else missing).append(unit.name)
        elif values.get("config_hash") != unit.result_digest:
            outdated.append(unit.name)
        else:
            units[unit.variant, unit.seed] = values
    start = read_result(folder / f"{START}.json")
    if start is not None and start.get("config_hash") != plan.start_result_digest:
        start = None
    return Results(units, tuple(missing), tuple(failed), tuple(outdated), start)


def read_result(path: Path) -> dict[str, Any] | None:
    """Read one result file; ``None`` where there is none.

    Raises:
        ParameterError: It cannot be read as a JSON object.
    """
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"{path}: not a readable result ({error}); remove it and run the unit again"
        ) from error
    if not isinstance(values, dict):
        raise ParameterError(
            f"{path}: got {type(values).__name__}, wanted the object of a result; remove it and "
            "run the unit again"
        )
    return values


def is_recorded(path: Path, config_hash: str) -> bool:
    """Whether a result is there and was made from this very configuration."""
    values = read_result(path)
    return values is not None and values.get("config_hash") == config_hash


def is_done(unit: Unit, results: Path) -> bool:
    """Whether a unit's result is there and is one of this very configuration."""
    return is_recorded(results / f"{unit.name}.json", unit.result_digest)


def run_folder(run: Path, unit: Unit) -> Path:
    """Where a unit is trained."""
    return run / f"{unit.name}_{unit.digest}"


def write_json(path: Path, values: object) -> None:
    """Write a JSON file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(values, indent=1) + "\n")
