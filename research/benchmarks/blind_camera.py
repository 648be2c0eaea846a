"""A camera that shows nothing, whole or in half of its image: fused scores and reliance.

    .venv/bin/python research/benchmarks/blind_camera.py [--data ../shared/data] [--images N]

Pairs of msrs/test. Every pair is scored as it is, without RGB, without thermal, and with what a
blind camera delivers: whole, and in the left half of the image; the kinds of
:func:`research.benchmarks.blank.blanks` take turns. Reliance of the half is that of the detections
that lie in it, weighted by score, from their published shares.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from blank import blanks

from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime import load_engine
from mdacl_ros.types import MODALITIES, Detections, Frame, FramePair, Modality
from mdacl_tools.recordings.datasets.data_folder import data_folder
from mdacl_tools.recordings.open_recording import open_recording
from mdacl_tools.scoring.coco_metrics import CocoMetrics
from mdacl_tools.scoring.in_memory import MemoryRecording
from mdacl_tools.scoring.pair_scoring import (
    SCORE_FLOOR,
    judge,
    labelled_pairs,
    renumbered,
    without,
)

SEEN = 0.3
"""Score from which a detection counts for the reliance of a half."""


def blind(pair: FramePair, camera: Modality, image: np.ndarray, half: bool) -> FramePair:
    """The pair with ``image`` in place of a camera's, or in place of its left half."""
    frame = pair.rgb if camera == "rgb" else pair.thermal
    assert frame is not None
    if half:
        image = np.concatenate([image[:, : image.shape[1] // 2], _right_half(frame.image)], 1)
    changed: Frame = replace(frame, image=image)
    return replace(pair, rgb=changed) if camera == "rgb" else replace(pair, thermal=changed)


def _right_half(image: np.ndarray) -> np.ndarray:
    return image[:, image.shape[1] // 2 :]


def left_shares(found: Detections) -> list[tuple[float, float]]:
    """Score and RGB share of each detection that lies in the left half."""
    assert found.rgb_shares is not None
    inside = (found.boxes[:, 2] <= found.image_size[0] / 2) & (found.scores >= SEEN)
    return list(zip(found.scores[inside].tolist(), found.rgb_shares[inside].tolist(), strict=True))


def main() -> None:
    """Print the scores by what was shown, then reliance by kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--images", type=int, default=None, help="pairs, spread evenly (all)")
    args = parser.parse_args()
    engine = load_engine(args.model or find_resource("models/small"), engine="openvino")
    perception = Perception(engine, None, PipelineConfig(score_threshold=SCORE_FLOOR))
    source = open_recording((args.data or data_folder()) / "msrs/test.json")
    recording, rng = MemoryRecording(source, args.images), np.random.default_rng(0)
    tallies: dict[str, CocoMetrics] = {}
    whole: dict[str, list[float]] = {}
    halves: dict[str, list[tuple[float, float]]] = {}
    for number, (pair, truth) in enumerate(labelled_pairs(recording)):
        known, _ = renumbered(truth, engine.labels)
        shown = {"both": pair} | {f"{c} dropped": without(c)(number, pair) for c in MODALITIES}
        kinds = {}
        for camera in MODALITIES:
            frame = pair.rgb if camera == "rgb" else pair.thermal
            assert frame is not None
            every = list(blanks(frame.image, rng))
            kind, image = every[number % len(every)]
            for where in ("blank", "half blank"):
                name = f"{camera} {where}"
                shown[name] = blind(pair, camera, image, where != "blank")
                kinds[name] = f"{camera} {kind}"
        for name, changed in shown.items():
            result = judge(perception, pair, changed, probe="half" in name)
            metrics = tallies.setdefault(name, CocoMetrics(engine.labels))
            metrics.add(number + 1, result.detections, known)
            if "half" in name:
                halves.setdefault(kinds[name], []).extend(left_shares(result.detections))
            elif "blank" in name and result.dominance.reliance is not None:
                whole.setdefault(kinds[name], []).append(result.dominance.reliance)
    print(f"{'shown':<22}{'mAP50':>8}")
    for name, metrics in tallies.items():
        print(f"{name:<22}{100 * metrics.summarize().map50:>8.1f}")
    print(f"\n{'reliance':<22}{'whole':>10}{'pairs':>8}{'half':>10}{'detections':>12}")
    for kind in whole | halves:
        values, found = whole.get(kind, []), np.array(halves.get(kind, [])).reshape(-1, 2)
        scores, shares = found.T
        half = 2 * float((scores * shares).sum() / scores.sum()) - 1 if len(found) else np.nan
        mean = np.mean(values) if values else np.nan
        print(f"{kind:<22}{mean:>+10.2f}{len(values):>8}{half:>+10.2f}{len(found):>12}")


if __name__ == "__main__":
    main()
