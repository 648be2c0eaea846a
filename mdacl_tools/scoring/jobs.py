"""What is to be evaluated into which folder, and whether that was done already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mdacl_ros import __version__
from mdacl_ros.errors import MdaclError, RecordingError
from mdacl_ros.network.model_yaml import MODEL_YAML, WEIGHTS
from mdacl_tools.scoring.evaluation_input import fingerprints
from mdacl_tools.scoring.frames import FRAMES_FILE
from mdacl_tools.scoring.report import Report, read_report
from mdacl_tools.scoring.settings import Build, EvaluationSettings, digest


@dataclass(frozen=True, slots=True)
class Job:
    """A recording and the folder for its report."""

    path: Path
    out: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: a report, or the one line that says why there is none.

    Attributes:
        job: The job.
        report: Its report.
        error: Why there is none; empty where there is one.
        kept: Whether the report is from an earlier run.
    """

    job: Job
    report: Report | None = None
    error: str = ""
    kept: bool = False


def plan_jobs(paths: Sequence[Path], out: Path) -> list[Job]:
    """One folder a recording: ``out`` itself for one, folders in it, by name, for several."""
    if len(paths) == 1:
        return [Job(paths[0], out)]
    jobs, taken = [], set()
    for path in paths:
        name, number = path.stem or path.resolve().name, 1
        while (unique := name if number == 1 else f"{name}_{number}") in taken:
            number += 1
        taken.add(unique)
        jobs.append(Job(path, out / unique))
    return jobs


def request_key(settings: EvaluationSettings, build: Build) -> str:
    """A digest of everything asked for, by content: equal keys give equal reports."""
    values: dict[str, Any] = {
        k: v if not isinstance(v, Path) else v.name for k, v in asdict(settings).items()
    }
    model, calibration = settings.pipeline.model_folder(), settings.pipeline.calibration_path
    names = {"model": model.name, "calibration": calibration and calibration.name}
    values["pipeline"] = asdict(settings.pipeline) | names
    files = (model / WEIGHTS, model / MODEL_YAML, calibration, settings.labels)
    values["digests"] = [digest(path) for path in files]
    values["build"] = f"{build.__module__}.{build.__qualname__}"
    values["version"] = __version__
    text = json.dumps(values, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()


def finished(job: Job, key: str) -> Report | None:
    """The report of an earlier run that asked for the same of the same files, if there is one."""
    if not (job.out / FRAMES_FILE).is_file():
        return None
    try:
        report = read_report(job.out)
        same = report.settings.get("request") == key
        return report if same and report.recording["files"] == fingerprints(job.path) else None
    except (RecordingError, KeyError):
        return None


def check_exists(jobs: Sequence[Job]) -> None:
    """Refuse paths that are not there before hours of work begin.

    Raises:
        RecordingError: One is missing.
        MdaclError: A result would be written over a recording, or below a file.
    """
    for job in jobs:
        if not job.path.exists():
            raise RecordingError(f"recording {job.path}: no such file or folder")
        if job.out.resolve() == job.path.resolve():
            raise MdaclError(
                f"argument --out: {job.out} is the recording itself; give another folder"
            )
        for place in (job.out, *job.out.parents):
            if place.exists() and not place.is_dir():
                raise MdaclError(
                    f"argument --out: {place} is a file, wanted a folder; give another name"
                )
