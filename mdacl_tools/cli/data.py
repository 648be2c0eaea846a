"""``mdacl data check``: what is wrong with a data set, as text and as a contact sheet."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import LABELS
from mdacl_tools.recordings.datasets.check import check_records, count_classes
from mdacl_tools.recordings.datasets.contact_sheet import draw_sheet
from mdacl_tools.recordings.datasets.findings import KINDS, DatasetFinding
from mdacl_tools.recordings.datasets.open_dataset import Dataset, open_dataset
from mdacl_tools.util.progress import progress_bar

EXIT_PROBLEMS = 1

SHOWN = 5
"""Findings of a kind that are listed unless all are asked for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="check")
    check = actions.add_parser("check", help="look for what would spoil training or scores")
    check.add_argument("path", type=Path, metavar="PATH", help="data-set folder or COCO json")
    check.add_argument("--split", help="only this split (all: leakage between them is looked for)")
    check.add_argument(
        "--camera", choices=("rgb", "thermal"), help="camera of a COCO file of single images"
    )
    check.add_argument("--out", type=Path, metavar="report.png", help="write a contact sheet")
    check.add_argument("--all", action="store_true", help="list every finding")


def run(args: argparse.Namespace) -> int:
    """Check, print, draw.

    Returns:
        0 if the data set is sound, 1 if there are problems.
    """
    dataset = open_dataset(args.path, args.split, camera=args.camera)
    with progress_bar(f"checking {args.path}", len(dataset.records)) as advance:
        found = check_records(dataset.records, advance)
    print(report(dataset, found, None if args.all else SHOWN))
    if args.out is not None:
        _write(args.out, dataset, found)
        print(f"wrote {args.out}")
    return EXIT_PROBLEMS if any(finding.kind.serious for finding in found) else 0


def _write(path: Path, dataset: Dataset, found: Sequence[DatasetFinding]) -> None:
    sheet = cv2.cvtColor(draw_sheet(dataset.records, found), cv2.COLOR_RGB2BGR)
    try:
        written = cv2.imwrite(str(path), sheet)
    except cv2.error:  # no encoder for the suffix
        written = False
    if not written:
        raise RecordingError(
            f"argument --out: cannot write an image to {path}; wanted a .png in an existing folder"
        )


def report(dataset: Dataset, found: Sequence[DatasetFinding], most: int | None) -> str:
    """Lay the findings out as text.

    Args:
        dataset: What was checked.
        found: What was found.
        most: Findings of a kind that are listed; ``None``: all.
    """
    lines = [f"{dataset.root}: {dataset.layout}", "", *_table(dataset), ""]
    lines += [f"note: {note}" for note in dataset.notes]
    for kind in KINDS:
        items = [finding for finding in found if finding.kind == kind]
        if not items:
            continue
        lines.append(f"{'PROBLEM' if kind.serious else 'note'}: {kind.title}: {len(items)}")
        shown = items if most is None else items[: most if kind.serious else 2]
        for finding in shown:
            record = dataset.records[finding.record]
            lines.append(f"  {record.split}/{record.name}  {finding.detail}".rstrip())
        if len(shown) < len(items):
            lines.append(f"  ... and {len(items) - len(shown)} more (--all)")
    serious = sum(finding.kind.serious for finding in found)
    many = f"{serious} problems" if serious > 1 else "1 problem"
    lines.append(many if serious else "no problems")
    return "\n".join(lines)


def _table(dataset: Dataset) -> list[str]:
    """Counts by part, a row each."""
    counts = count_classes(dataset.records, LABELS)
    head = ["", *next(iter(counts.values()))]
    rows = [head, *([split, *map(str, row.values())] for split, row in counts.items())]
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    return ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
