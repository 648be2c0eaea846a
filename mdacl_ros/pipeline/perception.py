"""Perception: a frame pair in, detections and modality dominance out. The same for all users.

The robot's node, the replay of a bag, the tests and the training set-up run this very class.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mdacl_ros.errors import EngineError, ImageError, ParameterError
from mdacl_ros.pipeline.dominance_reading import read_dominance, rgb_shares
from mdacl_ros.pipeline.duplicates import without_duplicates
from mdacl_ros.pipeline.pair_input import PairInput
from mdacl_ros.pipeline.reliance import HeldReliance, Reliance, measure_reliance
from mdacl_ros.runtime import load_engine
from mdacl_ros.runtime.engine import Engine, Progress
from mdacl_ros.runtime.engine_kind import AUTO
from mdacl_ros.sensing.letterbox import Letterbox
from mdacl_ros.sensing.registration.aligned_pair import AlignedPair
from mdacl_ros.sensing.registration.registration_source import RegistrationSource
from mdacl_ros.sensing.registration.rig import RigCalibration, load_rig
from mdacl_ros.types import (
    Detections,
    DominanceReading,
    FloatArray,
    FramePair,
    Modality,
    PerceptionResult,
    Predictions,
)

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PerceptionConfig:
    """What may change while perception runs.

    Attributes:
        score_threshold: Least score of a reported detection, in [0, 1].
        max_detections: Most detections per frame.
        duplicate_iou: A box that overlaps a better one of its class by more than this (IoU) is
            taken for the same object; 1: none is.
        kelvin_scale: Kelvin per count of 16UC1 thermal images.
        radiometric_counts: ``mono16`` thermal images have that unit too.
        reference_distance: Metres at which thermal is laid over RGB; ``None``: the rig's own.

    Raises:
        ParameterError: A value is out of its range.
    """

    score_threshold: float = 0.3
    max_detections: int = 100
    duplicate_iou: float = 0.7
    kelvin_scale: float = 0.01
    radiometric_counts: bool = False
    reference_distance: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.score_threshold <= 1.0:
            raise ParameterError(
                f"score_threshold: got {self.score_threshold}, wanted a number from 0 to 1"
            )
        if not 0.0 < self.duplicate_iou <= 1.0:
            raise ParameterError(
                f"duplicate_iou: got {self.duplicate_iou}, wanted more than 0, at most 1"
            )
        if self.max_detections < 1:
            raise ParameterError(f"max_detections: got {self.max_detections}, wanted 1 or more")
        if not (math.isfinite(self.kelvin_scale) and self.kelvin_scale > 0):
            raise ParameterError(
                f"kelvin_scale: got {self.kelvin_scale}, wanted kelvin per count, e.g. 0.01"
            )


class Perception:
    """Runs one detector on pairs; not thread-safe, one instance per inference thread.

    Args:
        engine: A built detector.
        rig: Calibration of the two cameras; ``None`` assumes the same view where both images have
            one aspect ratio.
        config: Thresholds; assign :attr:`config` anew to change them live.
        background: Take another ``reference_distance`` over as soon as its map was built in a
            thread of its own, instead of keeping the next pair waiting for it.

    Attributes:
        config: Taken over at the next pair.
    """

    def __init__(
        self,
        engine: Engine,
        rig: RigCalibration | None,
        config: PerceptionConfig,
        *,
        background: bool = False,
    ) -> None:
        self.engine, self.rig, self.config = engine, rig, config
        self._input = PairInput(rig, engine.input_size, config.kelvin_scale, background=background)
        self._input.radiometric_counts = config.radiometric_counts
        self._reliance = HeldReliance()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is being assumed or done without, for the diagnostics."""
        return self._input.warnings

    @property
    def registration(self) -> RegistrationSource:
        """How thermal is laid over RGB at the moment; to be read only."""
        return self._input.source

    def aligned_pair(self) -> AlignedPair | None:
        """Both images of the newest pair on one small grid, to see how well they lie on each other.

        ``None`` unless both cameras took part.
        """
        return self._input.aligned_pair()

    @property
    def unused(self) -> Mapping[Modality, ImageError]:
        """Why frames of the newest pair were left out, by camera."""
        return self._input.unused

    def expect_rgb_size(self, size: Size) -> None:
        """Say how large the RGB images are, for pairs that come before or without one.

        Boxes lie in the RGB image also while thermal works alone: its size then comes from here,
        from the newest RGB image, from the rig, or, failing all, is thermal's own.

        Args:
            size: ``(width, height)`` in pixels; an RGB image of another size overrules it.

        Raises:
            ImageError: A side is not positive.
        """
        self._input.expect_rgb_size(size)

    def reset(self) -> None:
        """Forget all pairs so far, the RGB size seen included: the next is judged by itself."""
        self._input.reset()
        self._reliance = HeldReliance()

    def process(
        self, pair: FramePair, *, probe: bool = False, registered_preview: bool = False
    ) -> PerceptionResult:
        """Detect in one pair.

        Args:
            pair: At least one frame is not ``None``.
            probe: Also measure reliance and the exact gradient index.
            registered_preview: Also warp the thermal preview into the RGB image.

        Raises:
            EngineError: The network answers with NaN or inf.
            MdaclError: Nothing in the pair can be used (for example thermal alone whose place in
                the RGB image is unknown). One bad frame of two is left out instead, see
                :attr:`warnings`.
        """
        started = time.perf_counter()
        config = self.config
        given = self._input
        given.fill(pair, config.kelvin_scale, config.reference_distance)
        prepared = time.perf_counter()
        raw = self.engine.infer(given.rgb, given.thermal, given.present, probe=probe)
        inferred = time.perf_counter()
        if wrong := raw.not_finite():
            raise EngineError(
                f"engine: {self.engine.name} {self.engine.precision} returned {wrong} "
                "with NaN or Inf: damaged weights, or too narrow a precision; take "
                "float32, or other weights"
            )
        present = (bool(given.present[0, 0].any()), bool(given.present[0, 1].any()))
        shares = rgb_shares(raw, present)
        detections = select_detections(raw, given.letterbox, config, shares)
        reliance = measure_reliance(raw, present, config.duplicate_iou)
        dominance = self._with_reliance(
            read_dominance(raw, present, self.engine.estimate), reliance, present, pair.stamp_ns
        )
        preview = given.thermal_in_rgb() if registered_preview else None
        return PerceptionResult(
            stamp_ns=pair.stamp_ns,
            detections=detections,
            dominance=dominance,
            present=present,
            thermal_registered=preview,
            timings_ms={
                "preprocess": (prepared - started) * 1e3,
                "infer": (inferred - prepared) * 1e3,
                "postprocess": (time.perf_counter() - inferred) * 1e3,
            },
            blank=given.blank,
        )

    def _with_reliance(
        self,
        reading: DominanceReading,
        measured: Reliance | None,
        present: tuple[bool, bool],
        stamp_ns: int,
    ) -> DominanceReading:
        """Add the reliance of this frame, or the newest one measured."""
        value = self._reliance.update(measured, present, stamp_ns)
        evidence = None if measured is None else measured.evidence
        return replace(reading, reliance=value, evidence=evidence)


def select_detections(
    raw: Predictions,
    letterbox: Letterbox,
    config: PerceptionConfig,
    shares: FloatArray | None = None,
) -> Detections:
    """Apply the threshold and map boxes back to the original RGB image, clipped to it.

    Boxes that lie wholly in the padding of the network input are left out.

    Args:
        raw: Predictions of one pair (batch 1).
        letterbox: How the RGB image lies in the network input.
        config: Thresholds.
        shares: ``(N,)`` how much each candidate rests on RGB, where known.
    """
    width, height = letterbox.source_size
    limit = np.array([width, height, width, height], np.float32)
    boxes = np.clip(letterbox.inverse(raw.boxes[0]), 0, limit)
    keep = (raw.scores[0] >= config.score_threshold) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    keep &= without_duplicates(boxes, raw.scores[0], raw.labels[0], keep, config.duplicate_iou)
    keep &= np.cumsum(keep) <= config.max_detections
    return Detections(
        boxes=boxes[keep],
        scores=raw.scores[0][keep],
        labels=raw.labels[0][keep],
        image_size=(width, height),
        rgb_shares=None if shares is None else shares[keep],
        shares_exact=raw.alone_scores is not None,
    )


def build_perception(
    model: Path,
    engine: str = AUTO,
    precision: str = AUTO,
    input_size: Size = (640, 480),
    calibration: Path | None = None,
    config: PerceptionConfig | None = None,
    progress: Progress | None = None,
    device: str = AUTO,
) -> Perception:
    """Load model, engine and calibration in one call.

    Raises:
        MdaclError: A file is missing or unreadable, or the engine cannot run here.
    """
    rig = load_rig(calibration) if calibration is not None else None
    built = load_engine(
        model,
        engine=engine,
        precision=precision,
        device=device,
        input_size=input_size,
        progress=progress,
    )
    return Perception(built, rig, config or PerceptionConfig())
