"""Everything the table says about one trained model, measured through Perception."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.network.weights import count_parameters, load_detector
from mdacl_ros.pipeline import Perception, PipelineConfig
from mdacl_ros.runtime.cache import EngineCache
from mdacl_ros.runtime.engine_build import build_engine
from mdacl_ros.runtime.engine_kind import FLOAT32
from mdacl_ros.runtime.model_facts import read_model_facts
from mdacl_ros.runtime.openvino_engine import OpenVinoEngine
from mdacl_ros.runtime.openvino_kind import OpenVinoKind
from mdacl_ros.types import MODALITIES
from mdacl_tools.cli.info import count_operations
from mdacl_tools.scoring.corruption_retention import CorruptionTable, corruption_retention
from mdacl_tools.scoring.in_memory import MemoryRecording
from mdacl_tools.scoring.pair_scoring import SCORE_FLOOR, Evaluation, evaluate
from research.ablation.plan import AblationScoring
from research.analysis.misleading import misleading_scores


@contextmanager
def perception_of(model: Path, size: tuple[int, int], threads: int) -> Iterator[Perception]:
    """A model on OpenVINO, built for this one use and removed afterwards.

    Args:
        model: Model folder.
        size: Width and height of the network input.
        threads: CPU threads; 0 leaves it to OpenVINO.
    """
    with EngineCache().scratch() as folder:
        build_engine(OpenVinoKind(), model, size, FLOAT32, folder, lambda _share, _what: None)
        engine = OpenVinoEngine(folder, read_model_facts(model), size, threads=threads)
        try:
            yield Perception(engine, None, PipelineConfig(score_threshold=SCORE_FLOOR))
        finally:
            engine.close()


def score_model(
    model: Path, recording: MemoryRecording, settings: AblationScoring, threads: int = 1
) -> dict[str, Any]:
    """Score one model folder.

    Args:
        model: Model folder.
        recording: Labelled pairs.
        settings: Input size and corruptions.
        threads: CPU threads.

    Returns:
        JSON-ready values: ``cameras``, ``params``, ``gflops``, ``scores``, ``day``, ``night``,
        ``mdi`` and ``mdi_magnitude`` (exact probe), ``rgb_absent`` and ``thermal_absent`` (fused
        models), ``corruption``, and ``misleading`` (fused models, where the plan names kinds).
    """
    detector = load_detector(model)
    cameras = detector.config.modalities
    values: dict[str, Any] = {
        "cameras": list(cameras),
        "params": count_parameters(detector),
        "gflops": round(count_operations(detector, settings.size)["total"], 3),
    }
    del detector
    with perception_of(model, settings.size, threads) as perception:
        values |= _clean_values(evaluate(perception, recording, probe=True))
        for camera in MODALITIES if len(cameras) > 1 else ():
            alone = evaluate(perception, recording, camera)
            values[f"{camera}_absent"] = alone.scores.to_json()
        images = -(-recording.frames["rgb"] // settings.corruption_stride)
        table = corruption_retention(perception, recording, images, mixed=True)
        values["corruption"] = _corruption_values(table, cameras)
        if settings.misleading and len(cameras) > 1:
            values["misleading"] = misleading_scores(
                perception, MemoryRecording(recording, images), settings.misleading
            )
    return values


def _clean_values(clean: Evaluation) -> dict[str, Any]:
    """Scores of the unchanged pairs, all and by part, and the exact index."""
    readings = np.array(clean.exact_readings)
    return {
        "scores": clean.scores.to_json(),
        **{name: part.scores.to_json() for name, part in sorted(clean.parts.items())},
        "mdi": round(float(readings.mean()), 4),
        "mdi_magnitude": round(float(np.abs(readings).mean()), 4),
    }


def _corruption_values(table: CorruptionTable, cameras: tuple[str, ...]) -> dict[str, Any]:
    """mAP50 by kind; kinds that change a camera the model does not see are left out."""
    scores = table.clean.scores
    return {
        "images": scores.images,
        "clean_map50": round(scores.map50, 4),
        "map50": {row.kind: round(row.map50, 4) for row in table.rows if row.camera in cameras},
    }
