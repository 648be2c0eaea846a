"""With what a recording is evaluated: plain data, the same in every process of a fleet."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mdacl_ros import __version__
from mdacl_ros.config.pipeline_config import PipelineConfig
from mdacl_ros.errors import ParameterError
from mdacl_ros.network.model_yaml import WEIGHTS
from mdacl_ros.pipeline import Perception, build_pipeline
from mdacl_ros.runtime.cache import file_digest
from mdacl_ros.types import Modality
from mdacl_tools.corruption import CORRUPTIONS
from mdacl_tools.scoring.pair_scoring import SCORE_FLOOR
from mdacl_tools.util.pipeline_options import progress_printer

FUSED = "fused"
ABSENT = ("rgb absent", "thermal absent")
CORRUPTED = "corrupted "
"""Prefix of the modes in which one camera is corrupted; the kind follows."""


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """What may be chosen; everything here may change the numbers.

    Attributes:
        pipeline: As on the robot; ``score_threshold`` is the score of a shown detection.
        fit_timeout: Raise ``partner_timeout`` to three periods of the slower camera.
        rgb_topic: Image topic of the colour camera, where it is not clear.
        thermal_topic: Image topic of the thermal camera.
        clip: Which clip of a folder with several.
        split: Which split of a data set.
        camera: Camera of a COCO json that names one image each.
        labels: COCO json with the ground truth; ``None``: what the recording brings.
        ablation: Also score with either camera removed, where there is ground truth.
        corruptions: Kinds of :data:`mdacl_tools.corruption.CORRUPTIONS` to score as well.
        stills: Judge every pair without a past, as single images; ``None``: only data sets.
        simulated_latency_ms: Drop pairs as a detector that takes so long would; ``None``: none.
    """

    pipeline: PipelineConfig
    fit_timeout: bool = True
    rgb_topic: str | None = None
    thermal_topic: str | None = None
    clip: str | None = None
    split: str | None = None
    camera: Modality | None = None
    labels: Path | None = None
    ablation: bool = True
    corruptions: tuple[str, ...] = ()
    stills: bool | None = None
    simulated_latency_ms: float | None = None

    def __post_init__(self) -> None:
        latency = self.simulated_latency_ms
        if latency is not None and not 0.0 <= latency < math.inf:
            raise ParameterError(f"simulated_latency_ms: got {latency}, wanted a number, 0 or more")
        for kind in self.corruptions:
            if kind not in CORRUPTIONS:
                raise ParameterError(
                    f"corruption {kind!r} is unknown, wanted one of {', '.join(CORRUPTIONS)}"
                )

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that are scored where there is ground truth."""
        absent = ABSENT if self.ablation else ()
        return (FUSED, *absent, *(CORRUPTED + kind for kind in self.corruptions))


Build = Callable[[EvaluationSettings], Perception]
"""Makes the perception of one process; a module's function, so that it can be sent to another."""


def build(settings: EvaluationSettings) -> Perception:
    """Load model, engine and calibration."""
    return build_pipeline(scoring_config(settings.pipeline), progress_printer())


def resolved(settings: EvaluationSettings) -> EvaluationSettings:
    """The same settings with what ``auto`` means here: every process of a fleet runs that.

    Raises:
        EngineError: They cannot run here together.
    """
    choice = settings.pipeline.choose_engine()
    pipeline = replace(
        settings.pipeline, engine=choice.engine, precision=choice.precision, device=choice.device
    )
    return replace(settings, pipeline=pipeline)


def scoring_config(config: PipelineConfig, score_floor: float = SCORE_FLOOR) -> PipelineConfig:
    """The same pipeline with another least score: averages need the whole curve."""
    return replace(config, score_threshold=score_floor)


def facts(settings: EvaluationSettings, labels: tuple[str, ...]) -> dict[str, Any]:
    """The part of a report's ``settings`` that is known before the recording is read.

    Args:
        settings: With what it is evaluated, offline or live.
        labels: Class names of the model.
    """
    config, calibration = settings.pipeline, settings.pipeline.calibration_path
    model = config.model_folder()
    return {
        "model": model.name,
        "model_sha256": digest(model / WEIGHTS),
        "input_size": list(config.input_size),
        "calibration": calibration.name if calibration else None,
        "calibration_sha256": digest(calibration),
        "labels": list(labels),
        "threshold": config.score_threshold,
        "max_detections": config.max_detections,
        "duplicate_iou": config.duplicate_iou,
        "kelvin_scale": config.kelvin_scale,
        "thermal_format": config.thermal_format,
        "reference_distance": config.reference_distance,
        "max_skew_s": config.max_skew,
        "thermal_clock_offset_s": config.thermal_clock_offset,
        "reuse_partner": config.reuse_partner,
        "frozen_after": config.frozen_after,
        "thermal_shutter_s": config.thermal_shutter,
        "simulated_latency_ms": settings.simulated_latency_ms,
        "reliance_rate": config.reliance_rate,
        "version": __version__,
    }


def digest(path: Path | None) -> str | None:
    """SHA-256 of a file; ``None`` if there is none."""
    return file_digest(path) if path is not None and path.is_file() else None


def truth_facts(settings: EvaluationSettings, has_truth: bool) -> dict[str, Any] | None:
    """Where the ground truth came from; ``None`` if there is none."""
    if settings.labels is not None:
        return {"source": settings.labels.name, "sha256": file_digest(settings.labels)}
    return {"source": "recording", "sha256": None} if has_truth else None
