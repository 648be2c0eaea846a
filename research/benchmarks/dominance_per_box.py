"""How far the share of one detection can be trusted: against one backward pass per box.

    .venv/bin/python research/benchmarks/dominance_per_box.py [--data ../shared/data/msrs/test.json
    ...]

For each detection (score >= 0.3, duplicates left out) the true share is ``G_rgb / (G_rgb +
G_thermal)`` with ``G_m = sum |ds/dx~_m * x~_m|`` over all levels, s the logit of that detection's
class. It is compared with what the robot publishes (the pooled gradient map at the probe rate, the
pooled contribution map otherwise) and with the share of the whole frame.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from dominance import spearman

from mdacl_ros.network.detector import Detector
from mdacl_ros.network.image_input import float_planes
from mdacl_ros.network.probe import Probe, fold_norms
from mdacl_ros.network.weights import load_detector
from mdacl_ros.pipeline.dominance_reading import rgb_shares
from mdacl_ros.pipeline.perception import without_duplicates
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.torch_engine import to_predictions
from mdacl_tools.learning.dominance_fit import network_input
from mdacl_tools.learning.samples import load_sample, read_pairs
from mdacl_tools.recordings.datasets.data_folder import data_folder

SIZE = (640, 480)
THRESHOLD, DUPLICATE_IOU = 0.3, 0.7
COLUMNS = ("true", "probe", "estimate", "frame")


def true_share(logit: torch.Tensor, features: list[torch.Tensor]) -> float:
    """The definition, by one backward pass for this box alone."""
    gradients = torch.autograd.grad(logit, features, retain_graph=True)
    parts = [float((x.detach() * g).abs().sum()) for x, g in zip(features, gradients, strict=True)]
    rgb, thermal = sum(parts[0::2]), sum(parts[1::2])
    return rgb / (rgb + thermal)


def rows(detector: Detector, inputs: tuple[np.ndarray, ...]) -> Iterator[tuple[float, ...]]:
    """One row of :data:`COLUMNS` for each detection of a pair."""
    rgb, thermal, present = (torch.from_numpy(x) for x in inputs)
    tensors = (float_planes(rgb), thermal, present)
    raw = to_predictions(Probe(detector)(*tensors))
    assert raw.sensitivities is not None
    with torch.no_grad():
        encoded = detector.encode(*tensors)
    features = [x.clone().requires_grad_() for x in encoded.features]
    dense, _ = detector.decide(features, encoded.masks)
    scores, labels = dense.logits[0].sigmoid().max(-1)
    cells = scores.topk(raw.scores.shape[1]).indices
    kept = raw.scores[0] >= THRESHOLD
    kept = without_duplicates(raw.boxes[0], raw.scores[0], raw.labels[0], kept, DUPLICATE_IOU)
    probe = rgb_shares(raw, (True, True))
    estimate = rgb_shares(replace(raw, box_sensitivities=None), (True, True))
    assert probe is not None
    assert estimate is not None
    frame = float(raw.sensitivities[0, 0] / raw.sensitivities[0].sum())
    for row in np.flatnonzero(kept):
        cell = cells[row]
        logit = dense.logits[0, cell, labels[cell]]
        yield true_share(logit, features), float(probe[row]), float(estimate[row]), frame


def report(name: str, table: np.ndarray, pairs: int) -> None:
    """Print rank correlations and errors against the true share."""
    true = table[:, 0]
    low, high = np.percentile(true, (5, 95))
    print(f"{name}: {pairs} pairs, {len(true)} detections")
    print(f"  true RGB share: mean {true.mean():.3f}  p5 {low:.3f}  p95 {high:.3f}")
    print(f"  {'':<10}{'Spearman':>10}{'mean error':>12}{'p95 error':>11}{'same camera':>13}")
    for column, title in enumerate(COLUMNS[1:], 1):
        ours = table[:, column]
        error = np.abs(ours - true)
        side = np.mean((ours > 0.5) == (true > 0.5))
        print(
            f"  {title:<10}{spearman(ours, true):>10.3f}{error.mean():>12.3f}"
            f"{np.percentile(error, 95):>11.3f}{side:>12.0%}"
        )


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--data", type=Path, nargs="+", default=None, help="COCO json of pairs")
    parser.add_argument("--every", type=int, default=1, help="only every n-th pair")
    args = parser.parse_args()
    detector = fold_norms(load_detector(args.model or find_resource("models/small")))
    detector.requires_grad_(False)
    labels = len(detector.config.labels)
    for data in args.data or [data_folder() / "msrs/test.json", data_folder() / "m3svd/test.json"]:
        samples = [load_sample(pair, labels) for pair in read_pairs(data)[:: args.every]]
        table = [
            row
            for sample in samples
            for row in rows(detector, network_input(sample.rgb, sample.thermal, SIZE))
        ]
        report("/".join(data.parts[-2:]), np.array(table), len(samples))


if __name__ == "__main__":
    main()
