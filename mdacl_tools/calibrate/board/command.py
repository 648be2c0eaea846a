"""``mdacl calibrate target``: intrinsics of both cameras and their relative pose from a board."""

from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path
from typing import get_args

from mdacl_ros.errors import CalibrationError, ParameterError, RecordingError
from mdacl_tools.calibrate.board.board import Board, BoardKind
from mdacl_tools.calibrate.board.coverage_picture import draw_coverage
from mdacl_tools.calibrate.board.evidence import check_found, check_solution
from mdacl_tools.calibrate.board.finding import find_views
from mdacl_tools.calibrate.board.pair_types import PairSource
from mdacl_tools.calibrate.board.pairs import input_files
from mdacl_tools.calibrate.board.report import digest_of, report_json, report_text, rig_of
from mdacl_tools.calibrate.board.selection import spread_views
from mdacl_tools.calibrate.board.solve import solve
from mdacl_tools.calibrate.result_files import write_with_picture
from mdacl_tools.recordings.input_options import add_input_options, input_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is read, what the board is, and where the result goes."""
    parser.add_argument(
        "source",
        type=Path,
        metavar="BAG|FOLDER",
        help="recording of the board, or a folder with rgb/ and thermal/ images of the same names",
    )
    _add_board_arguments(parser)
    add_input_options(parser)
    parser.add_argument(
        "--thermal-clock-offset",
        type=float,
        default=None,
        metavar="S",
        help="seconds to add to thermal stamps; kept in the file",
    )
    parser.add_argument("--max-skew", type=float, default=0.05, metavar="S", help="within a pair")
    parser.add_argument(
        "--look-at", type=int, metavar="N", default=150, help="most pairs to look for it in"
    )
    parser.add_argument(
        "--views", type=int, metavar="N", default=60, help="most views to calculate with"
    )
    parser.add_argument(
        "--reference-distance",
        type=float,
        default=math.inf,
        metavar="M",
        help="metres at which the node lays thermal over rgb",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("calibration/rig.yaml"),
        help="YAML to write; its figure goes beside it, .png",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def _add_board_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--board", choices=get_args(BoardKind), default="checkerboard")
    parser.add_argument(
        "--size",
        required=True,
        metavar="COLUMNSxROWS",
        help="inner corners of a checkerboard, circles of a grid, squares of a ChArUco board",
    )
    parser.add_argument(
        "--spacing",
        type=float,
        required=True,
        metavar="M",
        help="metres: side of a square, or between circle centres (asymmetric: half of that in a"
        " row)",
    )
    parser.add_argument("--diameter", type=float, metavar="M", default=None, help="of a circle")
    parser.add_argument("--marker", type=float, metavar="M", default=None, help="side of a marker")
    parser.add_argument("--dictionary", default="DICT_4X4_50", help="of the ChArUco markers")


def run(args: argparse.Namespace) -> int:
    """Find the board, calibrate, report, write."""
    board = _board(args)
    _check_arguments(args)
    source = PairSource(
        args.source,
        input_options(args),
        args.thermal_clock_offset or 0.0,
        args.max_skew,
        args.look_at,
    )
    search = find_views(board, source)
    check_found(board, search.looked, search.views, str(args.source))
    solution = solve(board, spread_views(board, search.views, args.views), search.sizes)
    warnings = check_solution(solution, search.sizes)
    rig = rig_of(
        solution,
        search.sizes,
        source=f"{args.source.resolve().name}: {board}, {len(solution.views)} views",
        sha256=digest_of(input_files(args.source)),
        reference_distance=args.reference_distance,
        clock_offset=args.thermal_clock_offset,
    )
    _make_folder(args.out)
    write_with_picture(rig, args.out, draw_coverage(solution, search.sizes))
    if args.json:
        print(json.dumps(report_json(rig, board, solution, warnings), indent=2))
    else:
        print(report_text(board, solution, warnings))
        print(f"wrote {args.out} and {args.out.with_suffix('.png')}")
    return 0


def _board(args: argparse.Namespace) -> Board:
    try:
        columns, rows = (int(part) for part in args.size.lower().split("x"))
    except ValueError:
        raise ParameterError(
            f"--size {args.size}: wanted COLUMNSxROWS, e.g. 8x6 inner corners of a checkerboard"
        ) from None
    feature = args.marker if args.board == "charuco" else args.diameter
    return Board(args.board, columns, rows, args.spacing, feature or 0.0, args.dictionary)


def _check_arguments(args: argparse.Namespace) -> None:
    if not args.source.exists():
        raise RecordingError(f"recording {args.source}: no such file or folder")
    if args.out.suffix not in (".yaml", ".yml"):
        raise ParameterError(f"--out {args.out}: wanted a name that ends in .yaml")
    _check_writable(args.out)
    wanted = {
        "--look-at": (args.look_at, args.look_at >= 8, "8 or more"),
        "--views": (args.views, args.views >= 8, "8 or more"),
        "--max-skew": (args.max_skew, 0 <= args.max_skew < 10, "seconds, 0 to 10"),
        "--reference-distance": (
            args.reference_distance,
            args.reference_distance > 0,
            "metres > 0",
        ),
        "--thermal-clock-offset": (
            args.thermal_clock_offset,
            args.thermal_clock_offset is None or math.isfinite(args.thermal_clock_offset),
            "seconds",
        ),
    }
    for name, (got, fits, what) in wanted.items():
        if not fits:
            raise ParameterError(f"{name} {got}: wanted {what}")


def _check_writable(out: Path) -> None:
    """Refuse before minutes of work what could not be written after them."""
    folder = next(parent for parent in out.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise CalibrationError(
            f"--out {out}: cannot be written ({folder} is not a folder that can be written to);"
            " choose another folder"
        )


def _make_folder(out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CalibrationError(
            f"--out {out}: cannot be written ({error.strerror}); choose another folder"
        ) from error
