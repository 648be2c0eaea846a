"""``mdacl analyse dynamics``: the balance of the cameras over a training, table and curves."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from mdacl_tools.recordings.datasets.data_folder import data_folder
from mdacl_tools.scoring.analysis_inputs import (
    DEFAULT_DATA,
    add_out_argument,
    out_folder,
    write_json,
)
from mdacl_tools.util.numbers import percent, signed, text_table
from mdacl_tools.util.progress import progress_bar
from research.analysis.dynamics import (
    BALANCE,
    PARTS,
    Dynamics,
    chosen_snapshots,
    probe_run,
    read_run,
)
from research.analysis.dynamics_plot import draw_dynamics
from research.analysis.linear_probe import ProbeImage, probe_images
from research.analysis.snapshots import run_detector_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the analysis' arguments."""
    parser.add_argument(
        "--run",
        type=Path,
        action="append",
        required=True,
        help="run folder of `mdacl train`; again for more runs to lay over each other",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=None,
        help=f"data set with train and test (default: {DEFAULT_DATA} of ../shared/data)",
    )
    parser.add_argument("--longest", type=int, default=320, help="longer image side, in pixels")
    parser.add_argument("--snapshots", type=int, default=12, help="most snapshots to probe a run")
    parser.add_argument("--no-probe", action="store_true", help="curves of the log alone")
    parser.add_argument("--seed", type=int, default=0, help="seed of the background boxes")
    add_out_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Read the runs, probe their snapshots, print the table, write JSON and picture."""
    folder = out_folder(args)
    runs = [read_run(path) for path in args.run]
    if not args.no_probe:
        runs = _probed(args, runs)
    names = [f"{run.name} {i}" if _repeated(runs, run) else run.name for i, run in enumerate(runs)]
    runs = [replace(run, name=name) for run, name in zip(runs, names, strict=True)]
    print(_text(runs))
    write_json(folder / "dynamics.json", {run.name: run.to_json() for run in runs})
    draw_dynamics(runs, folder / "dynamics.png")
    print(f"wrote {folder / 'dynamics.json'} and {folder / 'dynamics.png'}")
    return 0


def _repeated(runs: list[Dynamics], run: Dynamics) -> bool:
    return sum(other.name == run.name for other in runs) > 1


def _probed(args: argparse.Namespace, runs: list[Dynamics]) -> list[Dynamics]:
    """Add linear probes to the runs that kept snapshots."""
    counts = [len(chosen_snapshots(path, args.snapshots)) for path in args.run]
    if not any(counts):
        print("no run kept snapshots (snapshot_every in its config): no linear probe")
        return runs
    labels = len(run_detector_config(args.run[counts.index(max(counts))]).labels)
    train, test = (_images(args, split, labels) for split in ("train", "test"))
    with progress_bar("linear probes", sum(counts)) as advance:
        return [
            replace(run, probes=probe_run(path, train, test, args.snapshots, advance))
            for run, path in zip(runs, args.run, strict=True)
        ]


def _images(args: argparse.Namespace, split: str, labels: int) -> list[ProbeImage]:
    from mdacl_tools.learning.samples import load_sample, read_pairs

    path = args.data if args.data is not None else data_folder() / DEFAULT_DATA
    records = read_pairs(path, split=split)
    samples = [
        load_sample(record, labels, args.longest)
        for record in tqdm(records, desc=f"{path.name}/{split}", disable=None)
    ]
    return probe_images(samples, labels, args.seed)


def _text(runs: list[Dynamics]) -> str:
    """Means over the quarters of each run, then the probes over its snapshots."""
    blocks = []
    for run in runs:
        head = [run.name, *(f"quarter {i + 1}" for i in range(PARTS))]
        fields = [field for field in BALANCE if field in run.log]
        rows = [[field, *(signed(value) for value in run.quarters(field))] for field in fields]
        blocks.append(text_table([head, *rows]))
        if run.probes:
            steps = sorted({step for scores in run.probes.values() for step in scores})
            rows = [
                [camera, *(percent(scores[s].balanced_accuracy) for s in steps)]
                for camera, scores in run.probes.items()
            ]
            blocks.append(text_table([["linear probe at step", *map(str, steps)], *rows]))
    return "\n\n".join(blocks)
