"""What follows an evaluation: its page with pictures, and the annotated bag if it is wanted."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

from mdacl_ros.evaluation.frames import FRAMES_FILE
from mdacl_ros.evaluation.opening import open_for_evaluation
from mdacl_ros.evaluation.report import Report
from mdacl_ros.evaluation.settings import EvaluationSettings
from mdacl_ros.reporting.annotated import ANNOTATED, write_annotated
from mdacl_ros.reporting.page import PAGE_FILE, write_page
from mdacl_ros.sensing.rig import load_rig


def is_presented(out: Path, *, annotate: bool = False) -> bool:
    """Whether everything that is wanted of a report is there."""
    return (out / PAGE_FILE).is_file() and (not annotate or (out / ANNOTATED).is_dir())


def present(
    recording: Path,
    out: Path,
    settings: EvaluationSettings,
    report: Report,
    *,
    annotate: bool = False,
) -> None:
    """Write ``report.html``, and ``annotated.mcap``, beside a report that was just written.

    A live run at another speed than 1 stretches the skew that frames are found by: its page has no
    pictures, and there is no annotated bag.

    Args:
        recording: What was evaluated.
        out: Folder of ``report.json`` and ``frames.jsonl``.
        settings: With what it was evaluated.
        report: What ``report.json`` holds.
        annotate: Whether the annotated bag is wanted; one that is there is replaced.

    Raises:
        RecordingError: The recording is gone or another one by now.
    """
    if report.settings.get("live") not in (None, 1.0):
        write_page(out)
        return
    rig = load_rig(settings.calibration) if settings.calibration is not None else None
    with closing(open_for_evaluation(recording, settings)) as source:
        write_page(out, source, rig)
        if annotate:
            bag = out / ANNOTATED
            shutil.rmtree(bag, ignore_errors=True)
            write_annotated(source, report, out / FRAMES_FILE, bag, rig=rig)
