"""The data that flows from the cameras to the topics: plain, typed, frozen, without logic.

Frames and units used everywhere:

- Image coordinates are pixels, x to the right, y down, (0, 0) the centre of the top left pixel's
  top left corner (a box that covers the whole image is ``[0, 0, width, height]``).
- Stamps are integer nanoseconds of the camera's ROS clock.
- Modalities are always ordered (rgb, thermal); see :data:`MODALITIES`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
ByteArray = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]

Modality = Literal["rgb", "thermal"]

MODALITIES: tuple[Modality, Modality] = ("rgb", "thermal")
"""The order of every per-modality axis and tuple in this package."""

LABELS: tuple[str, ...] = ("person", "car", "bicycle")
"""Class names of the shipped weights; label ``i`` of :class:`Detections` is ``LABELS[i]``.

COCO files of this project number their categories from 1, so ``category_id == label + 1``.
"""


def other_camera(camera: Modality) -> Modality:
    """The partner of a camera."""
    return "thermal" if camera == "rgb" else "rgb"


@dataclass(frozen=True, slots=True)
class Frame:
    """One image as a camera delivered it.

    Attributes:
        image: RGB cameras: ``(H, W, 3)`` uint8 in R, G, B order. Thermal cameras: ``(H, W)`` uint8,
            uint16 or float32 in the raw unit that ``encoding`` names. Treated as read-only.
        stamp_ns: Acquisition time in nanoseconds, exactly as received.
        frame_id: The tf frame of the optical axis, exactly as received.
        encoding: ROS image encoding of ``image`` (``rgb8``, ``mono8``, ``mono16``, ``16UC1``,
            ``32FC1``).
    """

    image: Array
    stamp_ns: int
    frame_id: str = ""
    encoding: str = "rgb8"


@dataclass(frozen=True, slots=True)
class FramePair:
    """What the detector looks at: both cameras' frames, or one where the other camera is dead.

    Attributes:
        rgb: The colour frame, or ``None`` while the colour camera is dead.
        thermal: The thermal frame, or ``None`` while the thermal camera is dead.
        stamp_ns: Stamp of the answer: the RGB stamp; without RGB the thermal stamp plus
            ``thermal_clock_offset``.
        skew_ns: Thermal stamp (offset added) minus RGB stamp; 0 for a single frame.
    """

    rgb: Frame | None
    thermal: Frame | None
    stamp_ns: int
    skew_ns: int = 0


@dataclass(frozen=True, slots=True)
class Detections:
    """Objects found in one image, best first.

    Attributes:
        boxes: ``(N, 4)`` float32, x_min, y_min, x_max, y_max in pixels of the original RGB image.
        scores: ``(N,)`` float32 in [0, 1], descending.
        labels: ``(N,)`` int64, index into :data:`LABELS` (or the model's own label list).
        image_size: ``(width, height)`` in pixels of the image the boxes lie in.
        rgb_shares: ``(N,)`` float32 in [0, 1], how much of each detection rests on RGB; the rest
            rests on thermal. ``None`` where it was not measured.
        shares_exact: Whether ``rgb_shares`` were measured by leaving out each camera; else they are
            the forward-only estimate.
    """

    boxes: FloatArray
    scores: FloatArray
    labels: IntArray
    image_size: tuple[int, int]
    rgb_shares: FloatArray | None = None
    shares_exact: bool = False


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """What really is in one image.

    Attributes:
        boxes: ``(N, 4)`` float32, x_min, y_min, x_max, y_max in pixels of the original RGB image.
        labels: ``(N,)`` int64, index into :data:`LABELS` (or the model's own label list).
        ignore: ``(N,)`` bool, regions that are neither object nor background (COCO ``iscrowd``).
    """

    boxes: FloatArray
    labels: IntArray
    ignore: BoolArray


@dataclass(frozen=True, slots=True)
class Predictions:
    """What an engine returns for a batch of one or more pairs, before any threshold.

    Attributes:
        boxes: ``(B, N, 4)`` float32 xyxy in pixels of the network input, best first.
        scores: ``(B, N)`` float32 in [0, 1].
        labels: ``(B, N)`` int64.
        gates: ``(B, M, L)`` float32 in (0, 4), mean modulation per modality and level; 0 where the
            modality is absent.
        entropies: ``(B, M, L)`` float32 in [0, 1], normalised channel-energy entropy of the
            calibrated features.
        energies: ``(B, M, L)`` float32 >= 0, mean magnitude of what each modality adds to the
            fusion where objects are seen.
        box_energies: ``(B, M, N)`` float32 >= 0, the same around each box; ``None`` from an engine
            that does not measure it.
        sensitivities: ``(B, M)`` float32 >= 0, what each camera's features add to the evidence by
            its gradient; ``None`` unless the exact probe ran on this batch.
        alone_boxes: ``(B, 2, N, 4)`` float32, the boxes with rgb alone and with thermal alone;
            ``None`` as above.
        alone_scores: ``(B, 2, N)`` float32, their scores, best first; ``None`` as above.
        alone_labels: ``(B, 2, N)`` int64, their labels; ``None`` as above.
    """

    boxes: FloatArray
    scores: FloatArray
    labels: IntArray
    gates: FloatArray
    entropies: FloatArray
    energies: FloatArray
    box_energies: FloatArray | None = None
    sensitivities: FloatArray | None = None
    alone_boxes: FloatArray | None = None
    alone_scores: FloatArray | None = None
    alone_labels: IntArray | None = None

    def not_finite(self) -> str:
        """Name of the first array that holds NaN or inf; empty if all are finite."""
        arrays = (
            ("scores", self.scores),
            ("boxes", self.boxes),
            ("gates", self.gates),
            ("entropies", self.entropies),
            ("energies", self.energies),
            ("box_energies", self.box_energies),
            ("sensitivities", self.sensitivities),
            ("alone_boxes", self.alone_boxes),
            ("alone_scores", self.alone_scores),
        )
        for name, array in arrays:
            if array is not None and not np.isfinite(array).all():
                return name
        return ""


@dataclass(frozen=True, slots=True)
class DominanceReading:
    """Which camera one frame's detections rest on. Tuples are in the order (rgb, thermal).

    Attributes:
        mdi: Modality Dominance Index in [-1, 1]: how features and gradients lean. The per-frame
            estimate.
        dominance: Shares that sum to 1 (0 for an absent camera).
        entropy: Representational diversity H in [0, 1], above that of an empty image, averaged over
            levels.
        sensitivity: Task-response share in [0, 1], sums to 1: estimated from the energies that
            enter the fusion.
        gates: Mean gate per modality over levels.
        exact_mdi: The index from the exact gradient of the detection evidence, on frames where the
            probe ran, else ``None``.
        reliance: Which camera the detections rest on, in [-1, 1]: +1 RGB alone, -1 thermal alone;
            ``None`` while nothing is seen, or not measured for a second.
        evidence: Detection evidence with both cameras, with rgb alone and with thermal alone, >= 0;
            ``None`` in frames where it was not measured: ``reliance`` is then an earlier one.
    """

    mdi: float
    dominance: tuple[float, float]
    entropy: tuple[float, float]
    sensitivity: tuple[float, float]
    gates: tuple[float, float]
    exact_mdi: float | None = None
    reliance: float | None = None
    evidence: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class PerceptionResult:
    """The answer for one pair.

    Attributes:
        stamp_ns: The pair's stamp (see :class:`FramePair`).
        detections: Objects in pixels of the original RGB image.
        dominance: Which camera the answer rests on.
        present: Which cameras took part, (rgb, thermal).
        thermal_registered: ``(H, W)`` uint8 preview of the thermal frame warped into the RGB image,
            or ``None`` without thermal or when not asked for.
        timings_ms: Milliseconds by stage (``preprocess``, ``infer``, ``postprocess``).
        blank: Share of each camera's image that shows nothing (uniform, saturated, black, blown
            out), (rgb, thermal) in [0, 1]; it counted as absent.
    """

    stamp_ns: int
    detections: Detections
    dominance: DominanceReading
    present: tuple[bool, bool]
    thermal_registered: ByteArray | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)
    blank: tuple[float, float] = (0.0, 0.0)
