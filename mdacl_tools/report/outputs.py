"""What follows an evaluation: its page with pictures, and the annotated bag if it is wanted."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

from mdacl_ros.sensing.registration.rig import load_rig
from mdacl_tools.report.annotated_bag import ANNOTATED, write_annotated
from mdacl_tools.report.page import PAGE_FILE, write_page
from mdacl_tools.scoring.evaluation_input import open_for_evaluation
from mdacl_tools.scoring.frames import FRAMES_FILE
from mdacl_tools.scoring.report import REPORT_FILE, Report
from mdacl_tools.scoring.settings import EvaluationSettings


def is_presented(out: Path, *, annotate: bool = False) -> bool:
    """Whether everything that is wanted of a report is there, and made of this report."""
    return _is_current(out, PAGE_FILE) and (not annotate or _is_current(out, ANNOTATED))


def present(
    recording: Path,
    out: Path,
    settings: EvaluationSettings,
    report: Report,
    *,
    annotate: bool = False,
) -> None:
    """Write ``report.html``, and the bag ``annotated``, beside a report that was just written.

    A live run at another speed than 1 stretches the skew that frames are found by: its page has no
    pictures, and there is no annotated bag.

    Args:
        recording: What was evaluated.
        out: Folder of ``report.json`` and ``frames.jsonl``.
        settings: With what it was evaluated.
        report: What ``report.json`` holds.
        annotate: Whether the annotated bag is wanted; one of an earlier report goes in any case.

    Raises:
        RecordingError: The recording is gone or another one by now.
    """
    if annotate or not _is_current(out, ANNOTATED):
        shutil.rmtree(out / ANNOTATED, ignore_errors=True)
    if report.settings.get("live") not in (None, 1.0):
        write_page(out)
        return
    calibration = settings.pipeline.calibration_path
    rig = load_rig(calibration) if calibration is not None else None
    with closing(open_for_evaluation(recording, settings)) as source:
        write_page(out, source, rig)
        if annotate:
            write_annotated(source, report, out / FRAMES_FILE, out / ANNOTATED, rig=rig)


def _is_current(out: Path, name: str) -> bool:
    """Whether a result is there and not older than the report."""
    path = out / name
    return path.exists() and path.stat().st_mtime_ns >= (out / REPORT_FILE).stat().st_mtime_ns
