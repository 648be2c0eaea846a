"""With what a recording is evaluated: plain data, the same in every process of a fleet."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mdacl_ros import __version__
from mdacl_ros.errors import ParameterError
from mdacl_ros.network.model_yaml import WEIGHTS
from mdacl_ros.pipeline.perception import Perception, PerceptionConfig, build_perception
from mdacl_ros.runtime.cache import file_digest
from mdacl_ros.runtime.choice import choose_for
from mdacl_ros.runtime.engine_kind import AUTO
from mdacl_ros.sensing.pairing.synchronizer import SyncConfig
from mdacl_ros.types import Modality
from mdacl_tools.corruption import CORRUPTIONS
from mdacl_tools.scoring.pair_scoring import SCORE_FLOOR
from mdacl_tools.util.engine_options import progress_printer

FUSED = "fused"
ABSENT = ("rgb absent", "thermal absent")
CORRUPTED = "corrupted "
"""Prefix of the modes in which one camera is corrupted; the kind follows."""


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """What may be chosen; everything here may change the numbers.

    Attributes:
        model: Model folder.
        engine: As the node's parameter.
        precision: As the node's parameter.
        device: As the node's parameter.
        input_size: Network input ``(width, height)``.
        calibration: Rig calibration; ``None`` assumes the same view.
        threshold: Score from which a detection counts as shown.
        rgb_topic: Image topic of the colour camera, where it is not clear.
        thermal_topic: Image topic of the thermal camera.
        clip: Which clip of a folder with several.
        split: Which split of a data set.
        camera: Camera of a COCO json that names one image each.
        labels: COCO json with the ground truth; ``None``: what the recording brings.
        ablation: Also score with either camera removed, where there is ground truth.
        corruptions: Kinds of :data:`mdacl_tools.corruption.CORRUPTIONS` to score as well.
        stills: Judge every pair without a past, as single images; ``None``: only data sets.
        max_skew_s: As the node's parameter.
        partner_timeout_s: As the node's; ``None``: 0.5 s, or three periods of the slower camera.
        thermal_clock_offset_s: As the node's parameter.
        reuse_partner: As the node's parameter.
        simulated_latency_ms: Drop pairs as a detector that takes so long would; ``None``: none.
        reliance_rate: Reliance and exact index so often a second of the recording; 0: never.
    """

    model: Path
    engine: str = AUTO
    precision: str = AUTO
    device: str = AUTO
    input_size: tuple[int, int] = (640, 480)
    calibration: Path | None = None
    threshold: float = 0.3
    rgb_topic: str | None = None
    thermal_topic: str | None = None
    clip: str | None = None
    split: str | None = None
    camera: Modality | None = None
    labels: Path | None = None
    ablation: bool = True
    corruptions: tuple[str, ...] = ()
    stills: bool | None = None
    max_skew_s: float = 0.12
    partner_timeout_s: float | None = None
    thermal_clock_offset_s: float = 0.0
    reuse_partner: bool = True
    simulated_latency_ms: float | None = None
    reliance_rate: float = 2.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise ParameterError(f"threshold: got {self.threshold}, wanted 0 to 1")
        for name in ("max_skew_s", "partner_timeout_s", "simulated_latency_ms", "reliance_rate"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value < math.inf:
                raise ParameterError(f"{name}: got {value}, wanted a number of 0 or more")
        if not math.isfinite(self.thermal_clock_offset_s):
            value = self.thermal_clock_offset_s
            raise ParameterError(f"thermal_clock_offset_s: got {value}, wanted a number of seconds")
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

    def sync_config(self, partner_timeout_s: float) -> SyncConfig:
        """How frames become pairs."""
        return SyncConfig(
            max_skew_ns=round(self.max_skew_s * 1e9),
            partner_timeout_ns=max(1, round(partner_timeout_s * 1e9)),
            thermal_clock_offset_ns=round(self.thermal_clock_offset_s * 1e9),
            reuse_partner=self.reuse_partner,
        )


Build = Callable[[EvaluationSettings], Perception]
"""Makes the perception of one process; a module's function, so that it can be sent to another."""


def build(settings: EvaluationSettings) -> Perception:
    """Load model, engine and calibration."""
    return build_perception(
        settings.model,
        settings.engine,
        settings.precision,
        settings.input_size,
        settings.calibration,
        PerceptionConfig(score_threshold=SCORE_FLOOR),
        progress_printer(),
        settings.device,
    )


def resolved(settings: EvaluationSettings) -> EvaluationSettings:
    """The same settings with what ``auto`` means here: every process of a fleet runs that.

    Raises:
        EngineError: They cannot run here together.
    """
    choice = choose_for(settings.model, settings.engine, settings.precision, settings.device)
    return replace(settings, engine=choice.engine, precision=choice.precision, device=choice.device)


def scoring_config(perception: Perception, score_floor: float) -> PerceptionConfig:
    """The perception's own settings with another least score."""
    return replace(perception.config, score_threshold=score_floor)


def facts(settings: EvaluationSettings, perception: Perception) -> dict[str, Any]:
    """The part of a report's ``settings`` that does not depend on the recording."""
    calibration = settings.calibration
    return {
        "model": settings.model.name,
        "model_sha256": digest(settings.model / WEIGHTS),
        "engine": perception.engine.name,
        "precision": perception.engine.precision,
        "device": perception.engine.device,
        "input_size": list(perception.engine.input_size),
        "calibration": calibration.name if calibration else None,
        "calibration_sha256": digest(calibration),
        "labels": list(perception.engine.labels),
        "threshold": settings.threshold,
        "duplicate_iou": perception.config.duplicate_iou,
        "max_skew_s": settings.max_skew_s,
        "thermal_clock_offset_s": settings.thermal_clock_offset_s,
        "reuse_partner": settings.reuse_partner,
        "simulated_latency_ms": settings.simulated_latency_ms,
        "reliance_rate": settings.reliance_rate,
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
