"""``mdacl analyse corruption``: retention by kind and strength as a table and a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mdacl_tools.corruption import CORRUPTIONS
from mdacl_tools.corruption.thermal import SHIFTS
from mdacl_tools.report.corruption_plot import draw_corruption
from mdacl_tools.scoring.analysis_inputs import (
    add_data_arguments,
    add_model_arguments,
    add_out_argument,
    made_from,
    open_pairs,
    open_perception,
    out_folder,
    write_json,
)
from mdacl_tools.scoring.corruption_retention import (
    CorruptionRow,
    CorruptionTable,
    corruption_retention,
)
from mdacl_tools.scoring.corruption_retention import passes as passes_over_images
from mdacl_tools.util.numbers import percent, signed, text_table
from mdacl_tools.util.progress import progress_bar

SHIFT = "thermal_shift"
MIXED = "1-5"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the analysis' arguments."""
    add_model_arguments(parser)
    add_data_arguments(parser)
    parser.add_argument(
        "--mixed", action="store_true", help="one pass a kind, strengths in turn over the images"
    )
    parser.add_argument(
        "--kinds",
        nargs="+",
        metavar="KIND",
        choices=CORRUPTIONS,
        help="these only, e.g. thermal_shift (default: all)",
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=None,
        help="write the JSON here too, e.g. docs/analysis/corruption.json",
    )
    add_out_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Score all corruptions, print the table, write JSON and picture."""
    folder = out_folder(args)
    recording = open_pairs(args)
    perception = open_perception(args)
    images, kinds = recording.frames["rgb"], args.kinds or tuple(CORRUPTIONS)
    with progress_bar("corruption", images * passes_over_images(args.mixed, kinds)) as advance:
        table = corruption_retention(
            perception, recording, mixed=args.mixed, seed=args.seed, advance=advance, kinds=kinds
        )
    print(_text(table))
    source = made_from(args, perception, images) | {"data": recording.name}
    values = source | table.to_json() | {"shift": shift_rows(table)}
    for path in filter(None, (folder / "corruption.json", args.json)):
        write_json(path, values)
    draw_corruption(table, folder / "corruption.png")
    print(f"wrote {folder / 'corruption.json'} and {folder / 'corruption.png'}")
    return 0


def shift_rows(table: CorruptionTable) -> list[dict[str, Any]]:
    """What misregistration costs, by pixels at an image width of 640; empty for mixed strengths."""
    rows = [r for r in table.to_json()["rows"] if r["kind"] == SHIFT and r["strength"] is not None]
    wanted = ("map50", "map", "retention", "mdi")
    return [{"pixels": SHIFTS[row["strength"] - 1]} | {k: row[k] for k in wanted} for row in rows]


def _text(table: CorruptionTable) -> str:
    """A row a kind: retention at each strength, their mean, and the index at the strongest."""
    strengths = list(dict.fromkeys(row.strength for row in table.rows))
    titles = [MIXED if s is None else str(s) for s in strengths]
    cells = [["retention in % at strength", *titles, "mean", "MDI"]]
    for kind, kept in table.by_kind().items():
        rows: list[CorruptionRow] = [row for row in table.rows if row.kind == kind]
        values = [percent(row.retention) for row in rows]
        cells.append([kind, *values, percent(kept), signed(rows[-1].mdi)])
    by_camera = ", ".join(f"{c} {percent(kept)}" for c, kept in table.by_camera().items())
    clean = table.clean
    return (
        f"{text_table(cells)}\n"
        f"clean: mAP50 {percent(clean.scores.map50)}, MDI {signed(clean.mdi)} "
        f"(the MDI column is that of the strongest)\n"
        f"mean corruption retention {percent(table.mean_retention)} % ({by_camera})"
    )
