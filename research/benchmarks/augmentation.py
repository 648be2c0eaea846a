"""What one augmented training item costs, option by option, on one thread.

    OMP_NUM_THREADS=1 .venv/bin/python research/benchmarks/augmentation.py [--data ../shared/data]

Over msrs/train: milliseconds of CPU time, medians and means over the same items. The options take
turns, so that all meet the same machine; other work on its caches and memory still shows.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mdacl_ros.types import LABELS
from mdacl_tools.learning.augmentation import AugmentationConfig
from mdacl_tools.learning.batches import TrainingPairs
from mdacl_tools.learning.samples import load_sample, read_pairs
from mdacl_tools.recordings.datasets.data_folder import data_folder

PLAIN = AugmentationConfig(size=(320, 256), corrupt=0.0)
OPTIONS: dict[str, AugmentationConfig] = {
    "geometry and tones": PLAIN,
    "corrupt 1": replace(PLAIN, corrupt=1.0),
    "mosaic 1": replace(PLAIN, mosaic=1.0),
    "copy_paste 1": replace(PLAIN, copy_paste=1.0),
    "thermal_tone 0.5": replace(PLAIN, thermal_tone=0.5),
    "erase 1": replace(PLAIN, erase=1.0),
    "defaults": AugmentationConfig(size=(320, 256)),
    "typical: all at 0.5": replace(
        PLAIN, corrupt=0.5, mosaic=0.5, copy_paste=0.5, thermal_tone=0.5, erase=0.5
    ),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--items", type=int, default=200)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    records = read_pairs((args.data or data_folder()) / "msrs/train.json")[::6]
    pairs = [load_sample(r, len(LABELS)) for r in records]
    streams = {name: TrainingPairs(pairs, [], 0.0, c, 0) for name, c in OPTIONS.items()}
    spent: dict[str, list[float]] = {name: [] for name in OPTIONS}
    for index in range(args.items):
        for name, stream in streams.items():
            start = time.process_time()
            stream[index]
            spent[name].append((time.process_time() - start) * 1e3)
    print(f"{args.items} items of {PLAIN.size[0]}x{PLAIN.size[1]}, ms CPU   median   mean    p95")
    for name, times in spent.items():
        numbers = (np.median(times), np.mean(times), np.percentile(times, 95))
        print(f"  {name:<36}" + "".join(f"{n:8.2f}" for n in numbers))


if __name__ == "__main__":
    main()
