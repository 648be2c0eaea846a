"""``mdacl train CONFIG``: train a detector and write its model folder."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mdacl_ros.errors import RecordingError
from mdacl_tools.learning.allocator import restart_with_allocator_settings
from mdacl_tools.recordings.datasets.data_folder import data_folder
from mdacl_tools.util.progress import progress_bar

if TYPE_CHECKING:
    from mdacl_tools.learning.dominance_fit import EstimateFit
    from mdacl_tools.learning.samples import Sample

FIT_IMAGES = 40
"""About how many training images the dominance estimate is fitted on, three variations each."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("config", type=Path, help="training YAML, e.g. config/train_small.yaml")
    parser.add_argument(
        "--keys", action=_PrintKeys, nargs=0, help="print the keys of the YAML and their defaults"
    )
    parser.add_argument(
        "--data", type=Path, default=None, help="data folder (default ../shared/data)"
    )
    parser.add_argument(
        "--run", type=Path, default=None, help="run folder; an interrupted run there is resumed"
    )
    parser.add_argument(
        "--device", default="auto", help="auto (a GPU where there is one), cpu or cuda"
    )
    parser.add_argument(
        "--out", type=Path, default=None, help="model folder to write (default RUN/model)"
    )


class _PrintKeys(argparse.Action):
    """Like ``--help``: prints and ends, whatever else is given."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from mdacl_tools.learning.config_keys import keys_table

        print(keys_table())
        parser.exit()


def run(args: argparse.Namespace) -> int:
    """Train, or continue, and write the model folder."""
    restart_with_allocator_settings()
    import torch

    from mdacl_ros.network.weights import save_detector
    from mdacl_tools.learning.devices import training_fabric
    from mdacl_tools.learning.interrupt import TrainingInterrupted
    from mdacl_tools.learning.quantise_command import write_ranges
    from mdacl_tools.learning.ranges import PAIRS
    from mdacl_tools.learning.start import origin, read_start
    from mdacl_tools.learning.train_config import load_train_config
    from mdacl_tools.learning.trainer import Trainer, make_run_folder
    from mdacl_tools.learning.training_data import TrainingData

    config = load_train_config(args.config)
    if config.threads:
        torch.set_num_threads(config.threads)
    fabric = training_fabric(config, args.device)
    folder = args.run or Path("runs") / args.config.stem
    out = args.out or folder / "model"
    make_run_folder(folder)  # what is wrong is told before anything long begins
    make_run_folder(out.parent, "folder of the model", "--out")
    if config.start:
        read_start(Path(config.start))
    data = TrainingData(args.data or data_folder(), folder.parent / "simulated", _track)
    with fabric.rank_zero_first():  # scenes are rendered once and kept
        pairs = data.pairs(config)
    fabric.print(told_objects(pairs.real, config.detector_config().labels))
    if config.batch_size > len(pairs.real):
        fabric.print(
            f"note: batch_size is {config.batch_size}, more than the {len(pairs.real)} labelled "
            "pairs: each batch holds some of them more than once"
        )
    try:
        detector = Trainer(config, pairs, folder, fabric).run()
    except TrainingInterrupted as stop:
        fabric.print(
            f"interrupted after step {stop.step} of {config.steps}; the same command goes on "
            f"from there ({folder})"
        )
        raise
    if not fabric.is_global_zero:
        return 0
    made: dict[str, Any] = {
        "config": args.config.name,
        "steps": config.steps,
        "seed": config.seed,
    }
    if config.start:
        made["start"] = origin(Path(config.start))
    record = {"training": made}
    save_detector(detector, out, record)
    told = ""
    if len(detector.cameras) > 1:
        real = data.real(config)
        try:
            fit = _fit_estimate(out, real[:: max(1, len(real) // FIT_IMAGES)])
        except KeyboardInterrupt:
            print(f"interrupted: {out} lacks its dominance estimate yet; the same command fits it")
            raise
        save_detector(detector, out, record | {"dominance_estimate": asdict(fit)})
        seen = real[:: max(1, len(real) // PAIRS)]
        write_ranges(out, seen, f"{args.config.name}, training pairs")
        told = (
            f"; its dominance estimate follows the exact gradient with correlation "
            f"{fit.correlation:.2f} on {fit.images} training images"
        )
    print(f"wrote {out}{told}")
    return 0


def told_objects(samples: Sequence[Sample], labels: Sequence[str]) -> str:
    """One line that says how many objects of each class there are to learn.

    Raises:
        RecordingError: There is none.
    """
    counts = Counter(
        labels[label] for sample in samples for label in sample.labels[~sample.ignore].tolist()
    )
    ignored = sum(int(sample.ignore.sum()) for sample in samples)
    if not counts:
        raise RecordingError(
            f"training: not one object in {len(samples)} labelled pairs ({ignored} regions to "
            "ignore); mdacl data check says why"
        )
    told = ", ".join(f"{counts[label]} {label}" for label in labels)
    return f"learns from {len(samples)} labelled pairs: {told}; {ignored} regions to ignore"


def _track(samples: Iterable[Sample], count: int, what: str) -> Iterator[Sample]:
    with progress_bar(f"reading {what}", count) as advance:
        for sample in samples:
            yield sample
            advance(1)


def _fit_estimate(model: Path, samples: Sequence[Sample]) -> EstimateFit:
    """Fit the per-frame dominance estimate on training images, brought to the first one's size."""
    from tqdm import tqdm

    from mdacl_ros.runtime import load_engine
    from mdacl_ros.runtime.engine import STRIDE
    from mdacl_ros.runtime.engine_kind import CPU
    from mdacl_ros.runtime.torch_kind import TorchKind
    from mdacl_tools.learning.dominance_fit import fit_estimate, probed
    from mdacl_tools.learning.samples import resized

    height, width = (max(STRIDE, side // STRIDE * STRIDE) for side in samples[0].rgb.shape[:2])
    engine = load_engine(model, engine=TorchKind.name, device=CPU, input_size=(width, height))
    alike = [resized(sample, (width, height)) for sample in samples]
    return fit_estimate(probed(engine, tqdm(alike, desc="fitting the dominance estimate")))
