"""One unit of an ablation: train a variant with a seed, or go on where it was interrupted."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import torch
import yaml

from mdacl_ros.network.model_yaml import MODEL_YAML, read_model_yaml
from mdacl_ros.network.weights import save_detector
from mdacl_tools.learning.train_config import load_train_config
from mdacl_tools.learning.trainer import Trainer
from mdacl_tools.learning.training_data import TrainingData
from research.ablation.plan import AblationPlan, Unit

LOG = "log.jsonl"
"""A run's log, in its folder."""

LAST_STEPS = 50
"""Steps at the end of a run whose mean losses are recorded."""


def start_weights(plan: AblationPlan, folder: Path, kept: Path, data: TrainingData) -> Path:
    """Model folder every variant starts from; trained where it is not there yet.

    It is kept beside the results, so that runs on another machine, or in another session, begin
    with the very same weights. The caller holds the stage's claim.

    Args:
        plan: The ablation, with a first stage.
        folder: Run folder of the first stage.
        kept: Where the model is kept.
        data: Training pairs.
    """
    config = plan.start_config
    assert config is not None
    if not _is_start_of(plan, kept):
        record = {"ablation": "start", "digest": plan.start_digest}
        model = _model(config, folder, data, record)
        shutil.rmtree(kept, ignore_errors=True)
        part = kept.with_name(kept.name + ".part")
        shutil.copytree(model, part, dirs_exist_ok=True)
        part.replace(kept)
    return kept


def _is_start_of(plan: AblationPlan, model: Path) -> bool:
    """Whether a model folder holds the first stage of this very plan."""
    if not (model / MODEL_YAML).is_file():
        return False
    return bool(read_model_yaml(model).get("training", {}).get("digest") == plan.start_digest)


def train_unit(unit: Unit, folder: Path, start: Path | None, data: TrainingData) -> Path:
    """Train a unit to its end; nothing is done where that happened before.

    Args:
        unit: What is trained.
        folder: The unit's run folder; an interrupted run there is continued.
        start: Model folder whose weights it starts from unless it names its own; ``None``:
            ImageNet.
        data: Training pairs.

    Returns:
        The model folder.
    """
    given = start is None or unit.own_start
    config = unit.config if given else unit.config | {"start": str(start)}
    return _model(config, folder, data, {"ablation": unit.variant})


def _model(
    values: dict[str, Any], folder: Path, data: TrainingData, record: dict[str, Any]
) -> Path:
    """Train what a plain config says; the config is kept beside the checkpoint."""
    model = folder / "model"
    if (model / MODEL_YAML).is_file():  # written last
        return model
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "train.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    config = load_train_config(path)
    if config.threads:
        torch.set_num_threads(config.threads)
    detector = Trainer(config, data.pairs(config), folder).run()
    save_detector(
        detector, model, {"training": record | {"steps": config.steps, "seed": config.seed}}
    )
    return model


def training_record(folder: Path) -> dict[str, Any]:
    """What a run's log tells: ``steps``, ``seconds`` and the mean ``losses`` of its last steps."""
    lines = (folder / LOG).read_text().splitlines()
    records: list[dict[str, float]] = [json.loads(line) for line in lines]
    last = records[-LAST_STEPS:]
    names = sorted({k for r in last for k in r} - {"step", "seconds", "learning_rate"})
    means = {k: [r[k] for r in last if k in r] for k in names}  # dominance needs both cameras
    return {
        "steps": int(records[-1]["step"]),
        "train_seconds": round(sum(r["seconds"] for r in records), 1),
        "losses": {k: round(sum(v) / len(v), 4) for k, v in means.items()},
    }


@cache
def git_revision() -> str:
    """The checkout's commit, ``-dirty`` where files differ from it; ``unknown`` outside of git.

    Asked once in a process: later commits are not what it runs.
    """
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
