"""Opening what is evaluated, and saying exactly what it is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.recordings.storage.bag_path import bag_files, bag_path
from mdacl_tools.scoring.settings import EvaluationSettings

END_BYTES = 1 << 20
"""Bytes hashed at each end of a file: a bag of gigabytes is told from another at once."""


def open_for_evaluation(path: Path, settings: EvaluationSettings) -> Recording:
    """Open a recording; a damaged bag gives what is left of it.

    Raises:
        RecordingError: There is nothing to evaluate.
    """
    return open_recording(
        path,
        clip=settings.clip,
        split=settings.split,
        rgb_topic=settings.rgb_topic,
        thermal_topic=settings.thermal_topic,
        camera=settings.camera,
    )


def is_data_set(recording: Recording) -> bool:
    """Whether its images do not follow each other in time."""
    from mdacl_tools.recordings.dataset_recording import DatasetRecording

    return isinstance(recording, DatasetRecording)


def recording_facts(path: Path, recording: Recording) -> dict[str, Any]:
    """The part of a report's ``recording`` that is known before it is read."""
    topics = getattr(recording, "topics", {})
    kind = "bag" if topics else "data set" if is_data_set(recording) else "videos"
    return {
        "name": recording.name,
        "kind": kind,
        "files": fingerprints(path),
        "topics": dict(topics),
        "has_truth": recording.has_truth,
    }


def fingerprints(path: Path) -> list[dict[str, Any]]:
    """Name, size and hash of the files of a recording; a folder of images counts as one.

    Raises:
        RecordingError: A file cannot be read.
    """
    found = bag_path(path)
    try:
        if found is not None:
            return [_file_facts(file) for file in bag_files(found).files]
        if path.is_file():
            return [_file_facts(path)]
        files = sorted(p for p in path.rglob("*") if p.is_file())
        sizes = [(p.relative_to(path).as_posix(), p.stat().st_size) for p in files]
    except OSError as error:
        raise RecordingError(
            f"recording {path}: {error.filename} cannot be read ({error.strerror}); check it"
        ) from error
    digest = hashlib.sha256(repr(sizes).encode()).hexdigest()
    total = sum(size for _, size in sizes)
    return [{"name": path.name, "bytes": total, "sha256_ends": digest}]


def _file_facts(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(END_BYTES))
        file.seek(max(END_BYTES, size - END_BYTES))
        digest.update(file.read(END_BYTES))
    return {"name": path.name, "bytes": size, "sha256_ends": digest.hexdigest()}
