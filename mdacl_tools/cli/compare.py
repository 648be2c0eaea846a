"""``mdacl compare``: did a new model or setting make the detector worse on the same recording?"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from mdacl_ros.errors import MdaclError
from mdacl_tools.scoring.compare import MIN_BLOCKS, Comparison, ComparisonRow, compare

EXIT_WORSE = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("before", type=Path, help="report.json, or its folder")
    parser.add_argument("after", type=Path, help="the same for the newer one")
    parser.add_argument("--confidence", type=float, default=0.95, help="of the intervals")
    parser.add_argument("--resamples", type=int, default=1000, help="draws of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument(
        "--tolerance", type=float, default=0.0, help="fall of a score that is not worse, 0 to 1"
    )


def run(args: argparse.Namespace) -> int:
    """Print the table; exit code 1 where a score fell by more than chance, or frames are lost."""
    if not 0 < args.confidence < 1:
        raise MdaclError(f"argument --confidence: got {args.confidence}, wanted 0 to 1")
    if args.resamples < 10:
        raise MdaclError(f"argument --resamples: got {args.resamples}, wanted 10 or more")
    if not 0 <= args.tolerance <= 1:
        raise MdaclError(f"argument --tolerance: got {args.tolerance}, wanted 0 to 1")
    found = compare(
        args.before,
        args.after,
        confidence=args.confidence,
        resamples=args.resamples,
        seed=args.seed,
        tolerance=args.tolerance,
    )
    if not found.same_files:
        print("mdacl: the reports are on different files; frames of equal stamp", file=sys.stderr)
    print(table(found, args.confidence))
    return EXIT_WORSE if found.worse else 0


def table(found: Comparison, confidence: float) -> str:
    """Lay a comparison out as text."""
    head = ["", "before", "after", "change", f"{confidence:.0%} interval", ""]
    rows = [head, *(_cells(row) for row in found.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([*lines, _basis(found)])


def _basis(found: Comparison) -> str:
    """What the scores rest on."""
    if not found.frames:
        return "no ground truth: no score to compare"
    what = f"{found.frames} labelled frames in {found.blocks} blocks"
    if found.blocks < MIN_BLOCKS:
        return f"{what}: too few frames to tell, wanted {MIN_BLOCKS} blocks; scores decide nothing"
    return what


def _cells(row: ComparisonRow) -> list[str]:
    interval = "" if math.isnan(row.low) else f"{row.low:+.4f} .. {row.high:+.4f}"
    change = row.after - row.before
    return [
        row.name,
        _text(row.before),
        _text(row.after),
        _text(change) if math.isnan(change) or change < 0 else f"+{_text(change)}",
        interval,
        row.verdict,
    ]


def _text(value: float) -> str:
    if isinstance(value, int):  # a count
        return str(value)
    return "-" if math.isnan(value) else f"{value:.4f}"
