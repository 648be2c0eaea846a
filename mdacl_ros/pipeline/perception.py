"""Perception: a frame pair in, detections and modality dominance out. The same for all users.

The robot's node, the replay of a bag, the tests and the training set-up run this very class.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mdacl_ros.config.pipeline_config import PipelineConfig
from mdacl_ros.errors import EngineError, ImageError
from mdacl_ros.pipeline.dominance_reading import read_dominance, rgb_shares
from mdacl_ros.pipeline.duplicates import without_duplicates
from mdacl_ros.pipeline.pair_input import PairInput
from mdacl_ros.pipeline.reliance import HeldReliance, Reliance, hold_s, measure_reliance
from mdacl_ros.runtime import load_engine
from mdacl_ros.runtime.engine import Engine, Progress
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


class Perception:
    """Runs one detector on pairs; not thread-safe, one instance per inference thread.

    Args:
        engine: A built detector.
        rig: Calibration of the two cameras; ``None`` assumes the same view where both images have
            one aspect ratio.
        config: All settings; assign :attr:`config` again to change them live.
        background: Take another ``reference_distance`` over as soon as its map was built in a
            thread of its own, instead of keeping the next pair waiting for it.

    Attributes:
        config: Taken over at the next pair.
    """

    def __init__(
        self,
        engine: Engine,
        rig: RigCalibration | None,
        config: PipelineConfig,
        *,
        background: bool = False,
    ) -> None:
        self.engine, self.rig, self.config = engine, rig, config
        self._input = PairInput(
            rig, engine.input_size, config.kelvin_per_count, background=background
        )
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
        given.fill(pair, config.kelvin_per_count, config.reference_distance or None)
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
        value = self._reliance.update(
            measured, present, stamp_ns, hold_s(self.config.reliance_rate)
        )
        evidence = None if measured is None else measured.evidence
        return replace(reading, reliance=value, evidence=evidence)


def select_detections(
    raw: Predictions,
    letterbox: Letterbox,
    config: PipelineConfig,
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


def build_pipeline(config: PipelineConfig, progress: Progress | None = None) -> Perception:
    """Load model, engine and calibration in one call.

    Args:
        config: Which ones, and all settings.
        progress: Told what is being done while an engine is built.

    Raises:
        MdaclError: A file is missing or unreadable, or the engine cannot run here.
    """
    path = config.calibration_path
    rig = load_rig(path) if path is not None else None
    engine = load_engine(
        config.model_folder(),
        engine=config.engine,
        precision=config.precision,
        device=config.device,
        input_size=config.input_size,
        progress=progress,
    )
    return Perception(engine, rig, config)
