"""Work through an ablation: claim a unit, train it, score it, write its result; again."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from mdacl_ros.errors import MdaclError
from mdacl_ros.network.model_yaml import WEIGHTS
from mdacl_ros.runtime.cache import file_digest
from mdacl_tools.learning.training_data import TrainingData
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.scoring.in_memory import MemoryRecording
from research.ablation.plan import AblationPlan, Unit
from research.ablation.results import START, is_done, is_recorded, run_folder, write_json
from research.ablation.scoring import score_model
from research.ablation.training_run import (
    LOG,
    git_revision,
    start_weights,
    train_unit,
    training_record,
)
from research.ablation.work_lock import claim, holder

CLAIM, SCORE_CLAIM = "claim.lock", "score.lock"


def _say(line: str) -> None:
    print(line, flush=True)


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where an ablation works.

    Attributes:
        run: Folder of checkpoints and models.
        results: Folder of the units' results, ``<variant>_<seed>.json``.
        training: Training pairs.
        scored: Data set of labelled pairs that units are scored on.
        say: Told what is being done, one line each.
    """

    run: Path
    results: Path
    training: TrainingData
    scored: Path
    say: Callable[[str], None] = _say

    def recording(self) -> MemoryRecording:
        """The pairs that units are scored on, in memory."""
        return _in_memory(self.scored)


@cache
def _in_memory(path: Path) -> MemoryRecording:
    return MemoryRecording(open_recording(path))


def work_order(units: Sequence[Unit], worker: tuple[int, int]) -> list[Unit]:
    """Units in the order in which one of several workers takes them.

    Seed by seed; within a seed first every n-th, this worker's own, then those of the others.

    Args:
        units: All units, seed by seed.
        worker: Number of this worker from 0, and of all.
    """
    mine, count = worker
    seeds = list(dict.fromkeys(u.seed for u in units))
    order = sorted(
        enumerate(units), key=lambda x: (seeds.index(x[1].seed), x[0] % count != mine, x[0])
    )
    return [unit for _, unit in order]


def work(plan: AblationPlan, units: Sequence[Unit], place: Workplace) -> list[str]:
    """Do every unit that is neither done nor claimed by another worker.

    A unit that fails does not hold up the others; its traceback is kept in its run folder.

    Returns:
        Names of the units that failed.
    """
    failed = []
    if _start_done(plan, place) and all(is_done(unit, place.results) for unit in units):
        place.say(f"all {len(units)} units are done already")
        return []
    git_revision()  # that of the code which is loaded now
    start = _start(plan, place)
    for number, unit in enumerate(units, start=1):
        folder = run_folder(place.run, unit)
        head = f"unit {number} of {len(units)}, {unit.name}"
        if is_done(unit, place.results):
            place.say(f"{head}: done already")
            continue
        with claim(folder / CLAIM) as ours:
            if not ours:
                place.say(f"{head}: left to {holder(folder / CLAIM)}")
            elif not is_done(unit, place.results):  # the other may have finished it just now
                place.say(f"{head}: {folder}")
                task = partial(_unit_result, plan, unit, folder, start, place)
                if not _attempt(unit.name, folder, task, place):
                    failed.append(unit.name)
    return failed


def _start(plan: AblationPlan, place: Workplace) -> Path | None:
    """The shared first stage; a worker that comes second waits for the first."""
    if plan.start is None:
        return None
    folder = place.run / f"start_{plan.start_digest}"
    place.say("start: the weights every variant starts from")
    with claim(folder / CLAIM, wait=True):
        model = start_weights(plan, folder, place.results / START, place.training)
    with claim(folder / SCORE_CLAIM) as ours:  # nobody has to wait for its scores
        if ours and (folder / LOG).is_file() and not _start_done(plan, place):
            _attempt(START, folder, partial(_start_result, plan, folder, model, place), place)
    return model


def _start_done(plan: AblationPlan, place: Workplace) -> bool:
    """Whether the first stage's scores are there, or none are wanted."""
    path = place.results / f"{START}.json"
    return plan.start is None or is_recorded(path, plan.start_result_digest)


def _attempt(name: str, folder: Path, task: Callable[[], dict[str, Any]], place: Workplace) -> bool:
    """Train and score one unit; returns whether that went well."""
    try:
        result = task()
    except Exception as error:  # a night's work must not end with one variant
        (folder / "error.txt").write_text(traceback.format_exc())
        what = error if isinstance(error, MdaclError) else f"{type(error).__name__}: {error}"
        place.say(f"unit {name} failed: {what}; see {folder / 'error.txt'}")
        return False
    write_json(place.results / f"{name}.json", result)
    scores = result["scores"]
    place.say(
        f"unit {name}: mAP50 {100 * scores['map50']:.1f}, MDI {result['mdi']:+.2f}, trained "
        f"in {result['train_seconds'] / 60:.0f} min, scored in {result['score_seconds']:.0f} s"
    )
    return True


def _unit_result(
    plan: AblationPlan, unit: Unit, folder: Path, start: Path | None, place: Workplace
) -> dict[str, Any]:
    """Everything a unit's file says."""
    model = train_unit(unit, folder, start, place.training)
    head = {"variant": unit.variant, "seed": unit.seed, "config_hash": unit.result_digest}
    if start is not None and not unit.own_start:
        head["start_weights"] = file_digest(start / WEIGHTS)
    return head | _measured(plan, folder, model, place) | {"config": unit.config}


def _start_result(
    plan: AblationPlan, folder: Path, model: Path, place: Workplace
) -> dict[str, Any]:
    """Everything the first stage's file says."""
    head = {"variant": START, "config_hash": plan.start_result_digest}
    head["start_weights"] = file_digest(model / WEIGHTS)
    return head | _measured(plan, folder, model, place) | {"config": plan.start_config}


def _measured(plan: AblationPlan, folder: Path, model: Path, place: Workplace) -> dict[str, Any]:
    """What a run's log tells, and its scores."""
    started, busy = time.monotonic(), _cpu_seconds()
    scores = score_model(model, place.recording(), plan.evaluation)
    return {
        "git": git_revision(),
        **training_record(folder),
        "score_seconds": round(time.monotonic() - started, 1),
        "score_cpu_seconds": round(_cpu_seconds() - busy, 1),
        **scores,
        "evaluation": plan.evaluation.deciding(),
    }


def _cpu_seconds() -> float:
    """Processor time of this process and of its children that ended."""
    return sum(os.times()[:4])
