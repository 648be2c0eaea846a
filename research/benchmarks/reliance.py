"""How far reliance and MDI can be trusted: against labels, against each other, day, night, smoke.

    .venv/bin/python research/benchmarks/reliance.py [--data ../shared/data] [--every N]

msrs/test pairs, as they are and with one camera damaged; m3svd clips. Reliance is compared with
what the labels say: the same two-player share with true detections (score >= 0.3, IoU >= 0.5) in
place of evidence. MDI and the shares of single detections are compared with exact reliance.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from blank import clip

from mdacl_ros.boxes import iou_matrix
from mdacl_ros.health.dominance_watch import ALARM_EVIDENCE
from mdacl_ros.pipeline.dominance_reading import read_dominance, rgb_shares
from mdacl_ros.pipeline.duplicates import without_duplicates
from mdacl_ros.pipeline.reliance import SAME_OBJECT, measure_reliance
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime import load_engine
from mdacl_ros.runtime.engine import Engine
from mdacl_ros.types import Predictions
from mdacl_tools.corruption.named import corrupt
from mdacl_tools.learning.dominance_fit import network_input
from mdacl_tools.learning.samples import Sample, load_sample, read_pairs
from mdacl_tools.recordings.datasets.data_folder import data_folder
from research.analysis.rank_correlation import spearman

BOTH, DUPLICATE_IOU, THRESHOLD = (True, True), 0.7, 0.3
DAMAGES = ("rgb_dark", "rgb_fog", "rgb_blur", "thermal_blur", "thermal_noise")
CLIPS = ("0111_1716", "0117_1605", "0117_1620")
CLIP_EVERY = 30
WARN = 0.8  # as in config/detector.yaml


@dataclass(frozen=True)
class Row:
    """What one frame says; ``labels`` are true detections with both cameras, rgb, thermal."""

    part: str
    condition: str
    evidence: tuple[float, float, float]
    reliance: float
    mdi: float
    exact_mdi: float
    labels: tuple[int, int, int] | None
    boxes: tuple[tuple[float, float], ...]


def pair_correlation(pairs: list[tuple[float, float]]) -> float:
    """Rank correlation, NaN for fewer than five pairs."""
    if len(pairs) < 5:
        return float("nan")
    ours, theirs = np.array(pairs).T
    return spearman(ours, theirs)


def true_detections(raw: Predictions, sample: Sample) -> tuple[int, int, int]:
    """Labelled objects found with both cameras, with rgb alone, with thermal alone."""
    assert raw.alone_boxes is not None
    assert raw.alone_scores is not None
    assert raw.alone_labels is not None
    real = ~sample.ignore
    truth, names = sample.boxes[real], sample.labels[real]
    modes = [(raw.boxes[0], raw.scores[0], raw.labels[0])]
    modes += list(zip(raw.alone_boxes[0], raw.alone_scores[0], raw.alone_labels[0], strict=True))
    counts = []
    for boxes, scores, labels in modes:
        right = (iou_matrix(truth, boxes) >= SAME_OBJECT) & (names[:, None] == labels)
        counts.append(int((right & (scores >= THRESHOLD)).any(1).sum()))
    return counts[0], counts[1], counts[2]


def measure(engine: Engine, rgb: np.ndarray, thermal: np.ndarray) -> tuple[Predictions, Row]:
    """Probe one pair."""
    raw = engine.infer(*network_input(rgb, thermal, engine.input_size), probe=True)
    measured = measure_reliance(raw, BOTH, DUPLICATE_IOU)
    reading = read_dominance(raw, BOTH, engine.estimate)
    assert measured is not None
    assert reading.exact_mdi is not None
    kept = raw.scores[0] >= THRESHOLD
    kept = without_duplicates(raw.boxes[0], raw.scores[0], raw.labels[0], kept, DUPLICATE_IOU)
    exact, estimate = rgb_shares(raw, BOTH), rgb_shares(replace(raw, alone_scores=None), BOTH)
    assert exact is not None
    assert estimate is not None
    boxes = tuple(zip(estimate[kept].tolist(), exact[kept].tolist(), strict=True))
    value = float("nan") if measured.value is None else measured.value
    row = Row("", "", measured.evidence, value, reading.mdi, reading.exact_mdi, None, boxes)
    return raw, row


def stills(engine: Engine, data: Path, every: int) -> Iterator[Row]:
    """msrs/test as it is, and with each damage at strength 3 and 5 in turn."""
    rng = np.random.default_rng(0)
    for number, record in enumerate(read_pairs(data / "msrs/test.json")[::every]):
        sample = load_sample(record, len(engine.labels))
        part = "night" if sample.name.split(".")[0].endswith("N") else "day"
        for condition in ("as it is", *DAMAGES):
            rgb, thermal = sample.rgb, sample.thermal
            strength = 3 + 2 * (number % 2)
            if condition.startswith("rgb"):
                rgb = corrupt(condition, rgb, strength, rng)
            elif condition in DAMAGES:
                thermal = corrupt(condition, thermal, strength, rng).clip(0, 1)
            raw, row = measure(engine, rgb, thermal)
            labels = true_detections(raw, sample)
            yield replace(row, part=part, condition=condition, labels=labels)


def clips(engine: Engine, data: Path) -> Iterator[Row]:
    """Frames of the clips."""
    for name in CLIPS:
        for images in clip(data, f"{name}.mp4", CLIP_EVERY):
            rgb = np.ascontiguousarray(images["rgb"][..., ::-1])
            yield replace(measure(engine, rgb, images["thermal"])[1], part=name)


def against_labels(rows: list[Row]) -> None:
    """Reliance against the same share of true detections."""
    print(f"\n{'reliance against labels':<26}{'frames':>8}{'Spearman':>10}{'mean error':>12}")
    for part in ("day", "night", "all"):
        pairs = [
            (row.reliance, float(np.clip((row.labels[1] - row.labels[2]) / row.labels[0], -1, 1)))
            for row in rows
            if row.labels is not None and row.labels[0] and part in (row.part, "all")
            if not np.isnan(row.reliance)
        ]
        error = np.mean([abs(a - b) for a, b in pairs])
        print(f"{part:<26}{len(pairs):>8}{pair_correlation(pairs):>10.2f}{error:>12.2f}")


def against_reliance(rows: list[Row]) -> None:
    """MDI and its estimate against exact reliance."""
    seen = [row for row in rows if not np.isnan(row.reliance)]
    groups = {
        "all": seen,
        "day": [r for r in seen if r.part == "day"],
        "night": [r for r in seen if r.part == "night"],
        "smoke": [r for r in seen if r.part.startswith("0117")],
        "undamaged day": [r for r in seen if (r.part, r.condition) == ("day", "as it is")],
        "undamaged night": [r for r in seen if (r.part, r.condition) == ("night", "as it is")],
    }
    print(f"\n{'MDI against reliance':<26}{'frames':>8}{'exact MDI':>18}{'estimated MDI':>18}")
    print(f"{'':<34}" + f"{'Spearman':>10}{'error':>8}" * 2)
    for name, group in groups.items():
        cells = ""
        for pairs in (
            [(r.exact_mdi, r.reliance) for r in group],
            [(r.mdi, r.reliance) for r in group],
        ):
            error = np.mean([abs(a - b) for a, b in pairs]) if pairs else float("nan")
            cells += f"{pair_correlation(pairs):>10.2f}{error:>8.2f}"
        print(f"{name:<26}{len(group):>8}{cells}")
    low, high = np.percentile([r.exact_mdi for r in seen], (1, 99))
    print(f"exact MDI, 1st to 99th percentile: {low:+.2f} to {high:+.2f}")


def recordings(rows: list[Row]) -> None:
    """Reliance of whole parts, averaged by evidence."""
    print(f"\n{'part':<26}{'frames':>8}{'reliance':>10}{'nothing seen':>14}{'would warn':>12}")
    for part in ("day", "night", *CLIPS):
        group = [r for r in rows if r.part == part and r.condition in ("", "as it is")]
        if not group:
            continue
        both, rgb, thermal = np.sum([r.evidence for r in group], axis=0)
        blind = sum(np.isnan(r.reliance) for r in group)
        value = np.clip((rgb - thermal) / both, -1, 1)
        warn = sum(abs(r.reliance) >= WARN and r.evidence[0] >= ALARM_EVIDENCE for r in group)
        print(f"{part:<26}{len(group):>8}{value:>+10.2f}{blind:>14}{warn:>12}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--engine", default="openvino")
    parser.add_argument("--every", type=int, default=1, help="only every n-th msrs pair")
    args = parser.parse_args()
    data = args.data or data_folder()
    engine = load_engine(args.model or find_resource("models/small"), engine=args.engine)
    rows = [*stills(engine, data, args.every), *clips(engine, data)]
    against_labels(rows)
    against_reliance(rows)
    recordings(rows)
    boxes = [pair for row in rows for pair in row.boxes]
    error = np.mean([abs(a - b) for a, b in boxes])
    print(f"\nRGB share of {len(boxes)} detections, estimate against exact: ", end="")
    print(f"Spearman {pair_correlation(boxes):.2f}, mean error {error:.2f}")


if __name__ == "__main__":
    main()
