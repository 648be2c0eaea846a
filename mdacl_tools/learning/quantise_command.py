"""``mdacl quantise MODEL``: measure the ranges that INT8 engines of a model folder are built with.

Writes ``quantisation.json`` beside the weights. ``mdacl train`` does the same as its last step.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mdacl_ros.network.model_folder import find_model
from mdacl_ros.small_file import user_path
from mdacl_tools.util.progress import progress_bar

if TYPE_CHECKING:
    from mdacl_tools.learning.samples import Sample


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("model", nargs="?", default="small", help="shipped name or model folder")
    parser.add_argument(
        "--data",
        type=Path,
        default=None,
        help="labelled or unlabelled data set; of a folder only the training split is used "
        "(default: msrs in the data folder)",
    )


def run(args: argparse.Namespace) -> int:
    """Measure and write."""
    from mdacl_ros.network.model_yaml import read_model_yaml
    from mdacl_tools.learning.ranges import PAIRS
    from mdacl_tools.learning.samples import load_sample
    from mdacl_tools.learning.training_data import learnt_from
    from mdacl_tools.recordings.datasets.data_folder import data_folder

    model = find_model(args.model, "argument MODEL")
    data = user_path(args.data) if args.data else data_folder() / "msrs"
    labels = read_model_yaml(model)["detector"]["labels"]
    records = learnt_from(data, None)
    chosen = records[:: max(1, len(records) // PAIRS)]
    samples = [load_sample(record, len(labels)) for record in chosen]
    print(f"wrote {write_ranges(model, samples, f'{data.name}, training split')}")
    return 0


def write_ranges(model: Path, samples: Sequence[Sample], data: str) -> Path:
    """Measure the ranges of a model folder on training pairs and write them beside the weights."""
    from mdacl_ros.runtime.quantisation import QUANTISATION, write_quantisation
    from mdacl_tools.learning.ranges import measure_ranges

    with progress_bar("measuring ranges for INT8", len(samples)) as advance:

        def watched() -> Iterator[Sample]:
            for sample in samples:
                yield sample
                advance(1)

        write_quantisation(model, measure_ranges(model, watched(), data))
    return model / QUANTISATION
