"""What a training run did to the balance of the cameras, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import MODALITIES, FloatArray, Modality
from mdacl_tools.learning.curves import read_log
from mdacl_tools.util.numbers import rounded
from research.analysis.linear_probe import ProbeImage, ProbeScore, probe_score, stream_features
from research.analysis.snapshots import find_snapshots, load_snapshot, run_detector_config

BALANCE = ("mdi", "mdi_p3", "mdi_p4", "mdi_p5", "share_rgb", "entropy_rgb", "entropy_thermal")
"""Fields of ``log.jsonl`` that tell of the balance; a run may lack some."""

PARTS = 4
"""The table shows means over quarters of the run."""


@dataclass(frozen=True, slots=True)
class Dynamics:
    """One training run.

    Attributes:
        name: The run folder's name.
        log: Arrays over the steps by name, ``step`` among them; NaN where a step lacks a value.
        probes: What a linear classifier reads off each stream, by camera and step.
    """

    name: str
    log: dict[str, FloatArray]
    probes: dict[Modality, dict[int, ProbeScore]]

    def quarters(self, field: str) -> list[float]:
        """Mean of a logged field over each quarter of the run, NaN where it was not logged."""
        if field not in self.log:
            return [float("nan")] * PARTS
        chunks = np.array_split(self.log[field], PARTS)
        return [float(np.nanmean(c)) if np.isfinite(c).any() else float("nan") for c in chunks]

    def to_json(self) -> dict[str, Any]:
        """Means by quarter and all probe scores; the log itself stays where it is."""
        known = [field for field in BALANCE if field in self.log]
        return {
            "steps": int(self.log["step"][-1]),
            "mean_by_quarter": {f: [rounded(v) for v in self.quarters(f)] for f in known},
            "mean_absolute_mdi_by_quarter": [rounded(v) for v in self.absolute_mdi()],
            "linear_probe": {
                camera: {
                    str(step): {
                        "balanced_accuracy": rounded(score.balanced_accuracy),
                        "recall": {str(k): rounded(v) for k, v in score.recall.items()},
                    }
                    for step, score in scores.items()
                }
                for camera, scores in self.probes.items()
            },
        }

    def absolute_mdi(self) -> list[float]:
        """|mean MDI| of each quarter: how far the run leant to either side."""
        return [abs(value) for value in self.quarters("mdi")]


def read_run(folder: Path) -> Dynamics:
    """Read a run's log, without probing.

    Raises:
        RecordingError: There is no log with at least two steps, or it is damaged.
    """
    if not (folder / "log.jsonl").is_file():
        raise RecordingError(
            f"run {folder}: has no log.jsonl; give the run folder of `mdacl train` (--run there)"
        )
    try:
        log = read_log(folder)
    except (ValueError, TypeError) as error:
        raise RecordingError(
            f"{folder / 'log.jsonl'}: not a JSON record a line ({error}); remove the damaged line"
        ) from error
    if len(log.get("step", ())) < 2:
        raise RecordingError(
            f"{folder / 'log.jsonl'}: has {len(log.get('step', ()))} steps, wanted 2 or more; let "
            "the run go on"
        )
    return Dynamics(folder.name, log, {})


def probe_run(
    folder: Path,
    train: Sequence[ProbeImage],
    test: Sequence[ProbeImage],
    most: int,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[Modality, dict[int, ProbeScore]]:
    """Probe each stream of a run's snapshots.

    Args:
        folder: Run folder.
        train: Images the linear classifiers are fitted on.
        test: Images they are scored on.
        most: How many snapshots to use, spread over the run, first and last among them.
        advance: Told after each snapshot.

    Raises:
        MdaclError: A snapshot cannot be loaded.
    """
    probes: dict[Modality, dict[int, ProbeScore]] = {}
    for step, path in chosen_snapshots(folder, most).items():
        detector = load_snapshot(run_detector_config(folder), path)
        for camera in (c for c in MODALITIES if c in detector.config.modalities):
            known = stream_features(detector, train, camera)
            asked = stream_features(detector, test, camera)
            score = probe_score(known, asked, len(detector.config.labels) + 1)
            probes.setdefault(camera, {})[step] = score
        advance(1)
    return probes


def chosen_snapshots(folder: Path, most: int) -> dict[int, Path]:
    """At most ``most`` snapshots of a run, evenly spread, by step."""
    found = list(find_snapshots(folder).items())
    if len(found) > most:
        found = [found[i] for i in np.linspace(0, len(found) - 1, most).round().astype(int)]
    return dict(found)
