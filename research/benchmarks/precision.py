"""What half precision and INT8 cost in accuracy, and in the dominance that is reported.

    .venv/bin/python research/benchmarks/precision.py [--model models/small] [--data ../shared/data]
        [--precisions float32 int8 fp16] [--every 1] [--out precision.json]

float32 and int8 are OpenVINO's, as a robot runs them; fp16 is emulated by eager PyTorch on the CPU
(slow). Each pair of msrs/test and m3svd/test goes through all precisions, fused and with each
camera absent: mAP50 and mAP; of fused pairs also the rank correlation of the index (estimate and
exact probe) with float32's and the mean difference of the share of each detection (score 0.3 or
more in float32, matched by IoU 0.5).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from mdacl_ros.boxes import iou_matrix
from mdacl_ros.network.image_input import ImageInput
from mdacl_ros.network.precision import half
from mdacl_ros.network.probe import Probe, fold_norms
from mdacl_ros.network.weights import load_detector
from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime import Engine, load_engine
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.types import Frame, FramePair, GroundTruth, PerceptionResult, Predictions
from mdacl_tools.learning.samples import read_pairs
from mdacl_tools.recordings.datasets.data_folder import data_folder
from mdacl_tools.recordings.datasets.images import read_rgb, read_thermal
from mdacl_tools.recordings.datasets.record import PairRecord
from mdacl_tools.scoring.coco_metrics import CocoMetrics
from mdacl_tools.scoring.pair_scoring import SCORE_FLOOR
from mdacl_tools.util.provenance import provenance
from research.ablation.results import write_json
from research.analysis.rank_correlation import spearman

MODES = ("fused", "rgb absent", "thermal absent")
SHOWN = 0.3  # score from which a node publishes a detection


class HalfEngine:
    """Eager PyTorch with half-precision convolutions; the probe's streams alone."""

    name, precision, device = "torch", "fp16", "cpu (emulated)"

    def __init__(self, model: Path) -> None:
        facts = read_model_facts(model)
        self.input_size, self.labels, self.estimate = (640, 480), facts.labels, facts.estimate
        folded = [fold_norms(load_detector(model)).requires_grad_(False) for _ in range(2)]
        self._detector = ImageInput(half(folded[0]))
        self._probe = ImageInput(Probe(half(folded[1], ("streams",))))

    def infer(self, rgb, thermal, present, *, probe: bool = False) -> Predictions:
        """As every engine."""
        inputs = [torch.from_numpy(x) for x in (rgb, thermal, present)]
        if probe:
            return Predictions(*(x.detach().numpy() for x in self._probe(*inputs)))
        with torch.inference_mode():
            return Predictions(*(x.numpy() for x in self._detector(*inputs)))

    def close(self) -> None:
        """Nothing to release."""


@dataclass
class Measured:
    """One precision on one set: scores by mode, and the dominance of each fused pair."""

    metrics: dict[str, CocoMetrics]
    mdi: list[float] = field(default_factory=list)
    exact: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    share_differences: list[float] = field(default_factory=list)


def frames(record: PairRecord, mode: str, number: int) -> FramePair:
    """A pair as the cameras give it, one of them removed."""
    rgb = None if mode == "rgb absent" else Frame(read_rgb(record.rgb), number)
    image, encoding = read_thermal(record.thermal)
    thermal = None if mode == "thermal absent" else Frame(image, number, encoding=encoding)
    return FramePair(rgb, thermal, number)


def share_differences(got: PerceptionResult, reference: PerceptionResult) -> list[float]:
    """Absolute difference of the RGB share of each shown detection that both found."""
    a, b = reference.detections, got.detections
    found = []
    for i in np.flatnonzero(a.scores >= SHOWN):
        overlap = iou_matrix(a.boxes[i : i + 1], b.boxes)[0]
        iou = np.where(b.labels == a.labels[i], overlap, 0.0)
        if len(iou) and iou.max() >= 0.5:
            found.append(abs(float(a.rgb_shares[i] - b.rgb_shares[iou.argmax()])))
    return found


def measure(
    engines: dict[str, Engine], records: list[PairRecord], modes: tuple[str, ...]
) -> dict[str, Measured]:
    """Run every pair through every engine."""
    config = PipelineConfig(score_threshold=SCORE_FLOOR)
    labels = next(iter(engines.values())).labels
    found = {n: Measured({m: CocoMetrics(labels) for m in modes}) for n in engines}
    for mode in modes:
        seen = {n: Perception(e, None, config) for n, e in engines.items()}
        for number, record in enumerate(records, 1):
            truth = GroundTruth(record.boxes, record.labels, record.ignore)
            pair, reference = frames(record, mode, number), None
            for name, perception in seen.items():
                perception.reset()
                result, of = perception.process(pair), found[name]
                of.metrics[mode].add(number, result.detections, truth)
                if mode == "fused":
                    reference = reference or result
                    of.mdi.append(result.dominance.mdi)
                    of.share_differences += share_differences(result, reference)
                    perception.reset()
                    of.exact.append(perception.process(pair, probe=True).dominance.exact_mdi)
    return found


def row(measured: Measured, reference: Measured) -> dict[str, object]:
    """Plain numbers of one precision."""
    scores = {m: metrics.summarize() for m, metrics in measured.metrics.items()}
    values: dict[str, object] = {
        mode: {"map50": round(100 * s.map50, 2), "map": round(100 * s.map, 2)}
        for mode, s in scores.items()
    }
    if measured.mdi:
        values |= {
            "spearman_estimate": round(spearman(measured.mdi, reference.mdi), 4),
            "spearman_exact": round(spearman(measured.exact, reference.exact), 4),
            "spearman_estimate_own_exact": round(spearman(measured.mdi, measured.exact), 4),
            "mdi_shift": round(float(np.mean(measured.mdi) - np.mean(reference.mdi)), 4),
            "mean_share_difference": round(float(np.mean(measured.share_differences)), 4),
            "shares": len(measured.share_differences),
        }
    return values


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=find_resource("models/small"))
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--precisions", nargs="+", default=["float32", "int8", "fp16"])
    parser.add_argument("--sets", nargs="+", default=["msrs", "m3svd"])
    parser.add_argument("--modes", nargs="+", default=MODES)
    parser.add_argument("--every", type=int, default=1, help="every n-th pair alone")
    parser.add_argument("--out", type=Path, default=None)
    args = parser.parse_args()
    engines: dict[str, Engine] = {
        name: HalfEngine(args.model)
        if name == "fp16"
        else load_engine(args.model, engine="openvino", precision=name)
        for name in args.precisions
    }
    table: dict[str, object] = {
        "measured": [provenance(args.model, engine) for engine in engines.values()]
    }
    for name in args.sets:
        test = (args.data or data_folder()) / name / "test.json"
        records = read_pairs(test)[:: args.every]
        found = measure(engines, records, tuple(args.modes))
        reference = found[args.precisions[0]]
        table[f"{name}/test"] = {p: row(m, reference) for p, m in found.items()}
        for precision, values in table[f"{name}/test"].items():
            print(f"{name}/test {len(records)} pairs, {precision}: {values}", flush=True)
    if args.out:
        write_json(args.out, table)
