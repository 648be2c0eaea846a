"""Perception: a frame pair in, detections and modality dominance out. The same for all users.

The robot's node, the replay of a bag, the tests and the training set-up run this very class.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mdacl_ros.dominance_reading import read_dominance
from mdacl_ros.errors import CalibrationError, MdaclError
from mdacl_ros.runtime import load_engine
from mdacl_ros.runtime.engine import STRIDE, Engine, Progress
from mdacl_ros.sensing.letterbox import Letterbox, present_cells
from mdacl_ros.sensing.registration import Registration
from mdacl_ros.sensing.rig import RigCalibration, load_rig
from mdacl_ros.sensing.thermal import ThermalNormalizer
from mdacl_ros.types import (
    ByteArray,
    Detections,
    FloatArray,
    Frame,
    FramePair,
    PerceptionResult,
    Predictions,
    ThermalImage,
)

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PerceptionConfig:
    """What may change while perception runs.

    Attributes:
        score_threshold: Least score of a reported detection, in [0, 1].
        max_detections: Most detections per frame.
        kelvin_scale: Kelvin per count of 16UC1 thermal images.
        reference_distance: Metres at which thermal is laid over RGB; ``None``: the rig's own.
    """

    score_threshold: float = 0.3
    max_detections: int = 100
    kelvin_scale: float = 0.01
    reference_distance: float | None = None


class Perception:
    """Runs one detector on pairs; not thread-safe, one instance per inference thread.

    Args:
        engine: A built detector.
        rig: Calibration of the two cameras; ``None`` assumes the same view where both images have
            one aspect ratio.
        config: Thresholds; assign :attr:`config` anew to change them live.

    Attributes:
        config: Taken over at the next pair.
        warnings: What is being assumed or done without, for the diagnostics.
    """

    def __init__(
        self, engine: Engine, rig: RigCalibration | None, config: PerceptionConfig
    ) -> None:
        self.engine, self.rig, self.config = engine, rig, config
        self.warnings: tuple[str, ...] = ()
        width, height = engine.input_size
        self._rgb = np.zeros((1, 3, height, width), np.float32)
        self._thermal = np.zeros((1, 1, height, width), np.float32)
        self._present = np.zeros((1, 2, height // STRIDE, width // STRIDE), np.float32)
        self._normalizer = ThermalNormalizer(config.kelvin_scale)
        self._kelvin_scale = config.kelvin_scale
        self._rgb_size: Size | None = rig.rgb.size if rig is not None else None
        self._letterbox: Letterbox | None = None
        self._registration: Registration | None = None
        self._registration_key: tuple[object, ...] = ()
        self._registration_error: CalibrationError | None = None
        self._last_thermal: tuple[Frame, ThermalImage] | None = None

    def process(
        self, pair: FramePair, *, probe: bool = False, registered_preview: bool = False
    ) -> PerceptionResult:
        """Detect in one pair.

        Args:
            pair: At least one frame is not ``None``.
            probe: Also compute the exact gradient index.
            registered_preview: Also warp the thermal preview into the RGB image.

        Raises:
            MdaclError: Nothing in the pair can be used (for example a wrong image type, or thermal
                alone whose place in the RGB image is unknown).
        """
        started = time.perf_counter()
        config = self.config
        letterbox, thermal = self._prepare(pair, config)
        if not self._present.any():
            raise self._registration_error or MdaclError("perception: got a pair without frames")
        prepared = time.perf_counter()
        raw = self.engine.infer(self._rgb, self._thermal, self._present, probe=probe)
        inferred = time.perf_counter()
        preview = None
        if registered_preview and thermal is not None and self._registration is not None:
            preview = self._registration.warp_to_rgb(thermal.preview)
        present = (bool(self._present[0, 0].any()), bool(self._present[0, 1].any()))
        detections = select_detections(raw, letterbox, config)
        dominance = read_dominance(raw, present, self.engine.estimate)
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
        )

    def reset(self) -> None:
        """Forget the past of the thermal normalisation: the next pair is judged by itself."""
        self._normalizer.reset()
        self._last_thermal = None

    def _prepare(
        self, pair: FramePair, config: PerceptionConfig
    ) -> tuple[Letterbox, ThermalImage | None]:
        """Fill the input tensors; returns the RGB letterbox and the normalised thermal image."""
        if pair.rgb is not None:
            self._rgb_size = _size(pair.rgb)
        if pair.thermal is not None:
            self._register(_size(pair.thermal), config)
        letterbox = self._current_letterbox()
        self._present[:] = 0.0
        if pair.rgb is not None:
            to_tensor(letterbox.apply(pair.rgb.image), self._rgb[0])
            self._present[0, 0] = present_cells(letterbox.coverage(), STRIDE)
        else:
            self._rgb[:] = 0.0
        thermal = self._place_thermal(pair.thermal, config)
        return letterbox, thermal

    def _place_thermal(self, frame: Frame | None, config: PerceptionConfig) -> ThermalImage | None:
        """Warp the thermal frame into the input tensor, or leave it absent."""
        if frame is None or self._registration is None:
            self._thermal[:] = 0.0
            self._last_thermal = None
            return None
        thermal = self._normalize(frame, config)
        self._thermal[0, 0] = self._registration.warp(thermal.normalized)
        self._present[0, 1] = self._registration.present_cells(STRIDE)
        return thermal

    def _normalize(self, frame: Frame, config: PerceptionConfig) -> ThermalImage:
        """Normalise a thermal frame once, also when it serves several RGB frames."""
        if config.kelvin_scale != self._kelvin_scale:
            self._normalizer = ThermalNormalizer(config.kelvin_scale)
            self._kelvin_scale, self._last_thermal = config.kelvin_scale, None
        if self._last_thermal is None or self._last_thermal[0] is not frame:
            image = self._normalizer(frame.image, frame.encoding, frame.stamp_ns)
            self._last_thermal = (frame, image)
        return self._last_thermal[1]

    def _register(self, thermal_size: Size, config: PerceptionConfig) -> None:
        """Build the registration when a size or the distance changed."""
        rgb_size = self._rgb_size or thermal_size
        key = (rgb_size, thermal_size, config.reference_distance)
        if key == self._registration_key:
            return
        self._registration_key = key
        self._registration, self._registration_error = None, None
        try:
            self._registration = Registration(
                self.rig, rgb_size, thermal_size, self.engine.input_size, config.reference_distance
            )
            assumed = self._registration.assumed_identity
            self.warnings = (
                ("no rig calibration: thermal is taken to show the same view as RGB",)
                if assumed
                else ()
            )
        except CalibrationError as error:
            self._registration_error = error
            self.warnings = (f"thermal is not used: {error}",)

    def _current_letterbox(self) -> Letterbox:
        size = self._rgb_size
        if size is None and self._registration is not None:
            return self._registration.letterbox
        if self._letterbox is None or (size and self._letterbox.source_size != size):
            self._letterbox = Letterbox(size or self.engine.input_size, self.engine.input_size)
        return self._letterbox


def to_tensor(image: ByteArray, out: FloatArray) -> None:
    """Write ``(H, W, 3)`` uint8 into ``(3, H, W)`` float32 in [0, 1], without a temporary copy."""
    for channel in range(3):
        plane = cv2.extractChannel(image, channel)
        np.multiply(plane, np.float32(1 / 255), out=out[channel])


def select_detections(
    raw: Predictions, letterbox: Letterbox, config: PerceptionConfig
) -> Detections:
    """Apply the threshold and map boxes back to the original RGB image."""
    keep = raw.scores[0] >= config.score_threshold
    keep[config.max_detections :] = False
    width, height = letterbox.source_size
    boxes = letterbox.inverse(raw.boxes[0][keep])
    limit = np.array([width, height, width, height], np.float32)
    return Detections(
        boxes=np.clip(boxes, 0, limit),
        scores=raw.scores[0][keep],
        labels=raw.labels[0][keep],
        image_size=(width, height),
    )


def build_perception(
    model: Path,
    engine: str = "openvino",
    precision: str = "float32",
    input_size: Size = (640, 480),
    calibration: Path | None = None,
    config: PerceptionConfig | None = None,
    progress: Progress | None = None,
) -> Perception:
    """Load model, engine and calibration in one call.

    Raises:
        MdaclError: A file is missing or unreadable, or the engine cannot run here.
    """
    rig = load_rig(calibration) if calibration is not None else None
    built = load_engine(
        model, engine=engine, precision=precision, input_size=input_size, progress=progress
    )
    return Perception(built, rig, config or PerceptionConfig())


def _size(frame: Frame) -> Size:
    return (frame.image.shape[1], frame.image.shape[0])
