"""``mdacl report``: pages of evaluations that are there, and an index over them."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from mdacl_ros.errors import RecordingError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="DIR",
        help="what mdacl evaluate wrote (a report.json in it, or in its folders)",
    )  # fmt: skip
    parser.add_argument(
        "--recording", help="what was evaluated, for the images; only with a single report"
    )
    parser.add_argument("--calibration", type=Path, help="rig calibration that was used")
    parser.add_argument("--annotate", action="store_true", help="also write the bag annotated/")


def run(args: argparse.Namespace) -> int:
    """Write the pages, and the index where there are several."""
    from mdacl_tools.report.index import write_index
    from mdacl_tools.report.page import write_page

    reports = find_reports(args.folders)
    if args.recording is not None:
        if len(reports) != 1:
            raise RecordingError(
                f"--recording: got {len(reports)} reports, wanted one; give the folder of that "
                "recording"
            )
        _with_recording(args, reports[0])
        return 0
    if args.annotate:
        raise RecordingError("--annotate: wanted --recording PATH as well, to draw over")
    for folder in reports:
        print(write_page(folder))
    if len(reports) > 1:
        print(write_index(args.folders[0], reports))
    return 0


def find_reports(folders: list[Path]) -> list[Path]:
    """Folders that hold a report, at or right under the given ones.

    Raises:
        RecordingError: There is none in one of them.
    """
    from mdacl_tools.scoring.report import REPORT_FILE

    found: list[Path] = []
    for folder in folders:
        here = [file.parent for file in sorted(folder.glob(f"*/{REPORT_FILE}"))]
        if (folder / REPORT_FILE).is_file():
            here.insert(0, folder)
        if not here:
            raise RecordingError(
                f"report {folder}: found no {REPORT_FILE} there; give a folder that "
                "`mdacl evaluate --out` wrote"
            )
        found += here
    return found


def _with_recording(args: argparse.Namespace, folder: Path) -> None:
    """Page with pictures, and the annotated bag where it was asked for."""
    from mdacl_ros.sensing.registration.rig import load_rig
    from mdacl_tools.recordings.open_recording import open_recording
    from mdacl_tools.report.annotated_bag import ANNOTATED, write_annotated
    from mdacl_tools.report.page import write_page
    from mdacl_tools.scoring.frames import FRAMES_FILE
    from mdacl_tools.scoring.report import read_report
    from mdacl_tools.util.progress import progress_bar

    rig = load_rig(args.calibration) if args.calibration is not None else None
    path = None if args.recording == "simulated" else args.recording
    with closing(open_recording(path)) as recording:
        print(write_page(folder, recording, rig))
        if args.annotate:
            report, frames = read_report(folder), folder / FRAMES_FILE
            with progress_bar(ANNOTATED, int(report.counts["processed"])) as advance:
                out = folder / ANNOTATED
                print(write_annotated(recording, report, frames, out, rig=rig, advance=advance))
