"""How far the live dominance can be trusted: rank correlations on labelled, held-out pairs.

    .venv/bin/python research/benchmarks/dominance.py [--model models/small] [--data ../shared/data]
        [--out dominance.json]    # docs/scores/<model>/shipped/dominance.json

Compares per image, over msrs/test: the per-frame estimate, the exact index of the detection
evidence (the live probe), and the loss-based index of training (gradient of the detection loss with
the labels).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from mdacl_ros.network.box_dominance import response_maps
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.dominance import dominance_shares, mdi
from mdacl_ros.network.weights import load_detector
from mdacl_ros.pipeline.dominance_reading import read_dominance
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime import load_engine
from mdacl_ros.runtime.engine_kind import AUTO
from mdacl_ros.runtime.registry import engine_names
from mdacl_tools.learning.augmentation import TrainingItem
from mdacl_tools.learning.batches import collate
from mdacl_tools.learning.dominance_fit import network_input
from mdacl_tools.learning.losses import detection_loss
from mdacl_tools.learning.samples import Sample, load_sample, read_pairs
from mdacl_tools.recordings.datasets.data_folder import data_folder
from mdacl_tools.util.provenance import provenance
from research.ablation.results import write_json
from research.ablation.scores import CORRELATIONS
from research.analysis.rank_correlation import spearman


def loss_mdi(detector: Detector, sample: Sample) -> float:
    """The training-time index of one labelled pair: gradient of the detection loss."""
    height, width = sample.thermal.shape
    everywhere = np.ones((2, height // 32, width // 32), np.float32)
    item = TrainingItem(
        sample.rgb,
        sample.thermal,
        everywhere,
        sample.boxes,
        sample.labels,
        sample.ignore,
        sample.exhaustive,
        everywhere,
    )
    batch = collate([item])
    with torch.no_grad():
        inputs = detector.encode(batch.rgb, batch.thermal, batch.present)
    features = [x.requires_grad_() for x in inputs.features]
    dense, _ = detector.decide(features, inputs.masks)
    detection_loss(dense, batch.truth, (width, height), 1).total.backward()
    with torch.no_grad():
        maps = response_maps(features, [-x.grad for x in features if x.grad is not None], 2)
        g = torch.stack([level.sum((2, 3)) for level in maps]).sum(0)  # (1, M)
        return float(mdi(dominance_shares(detector.entropies(features).mean(-1), g)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--engine", choices=engine_names(), default=AUTO)
    parser.add_argument("--out", type=Path, default=None, help="also write the correlations here")
    args = parser.parse_args()
    model = args.model or find_resource("models/small")
    data = args.data or data_folder()
    engine = load_engine(model, engine=args.engine)
    detector = load_detector(model).requires_grad_(False)
    samples = [load_sample(r, len(engine.labels)) for r in read_pairs(data / "msrs/test.json")]
    estimate, exact, loss = [], [], []
    for sample in samples:
        raw = engine.infer(
            *network_input(sample.rgb, sample.thermal, engine.input_size), probe=True
        )
        reading = read_dominance(raw, (True, True), engine.estimate)
        assert reading.exact_mdi is not None
        estimate.append(reading.mdi)
        exact.append(reading.exact_mdi)
        loss.append(loss_mdi(detector, sample))
    print(f"msrs/test, {len(samples)} pairs, engine {engine.name}")
    for name, values in (("estimate", estimate), ("exact", exact), ("loss", loss)):
        low, high = np.percentile(values, (5, 95))
        print(f"  MDI {name:<9} mean {np.mean(values):+.3f}  p5 {low:+.3f}  p95 {high:+.3f}")
    correlations = {
        "exact_loss": spearman(exact, loss),
        "estimate_exact": spearman(estimate, exact),
        "estimate_loss": spearman(estimate, loss),
    }
    for name, value in correlations.items():
        print(f"  Spearman, {CORRELATIONS[name]}: {value:.3f}")
    if args.out is not None:
        measured = provenance(model, engine)
        found = {"measured": measured, "pairs": len(samples), "spearman": correlations}
        write_json(args.out, found)


if __name__ == "__main__":
    main()
