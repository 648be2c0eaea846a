"""How well a rig calibration lays a recording's thermal images over its RGB images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mdacl_ros.config.pipeline_config import PipelineConfig
from mdacl_ros.errors import CalibrationError, RecordingError
from mdacl_ros.pipeline.pair_input import PairInput
from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer
from mdacl_ros.sensing.registration.aligned_pair import align
from mdacl_ros.sensing.registration.residual import Residual, ResidualEstimator
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_ros.sensing.registration.warp_plausibility import Plausibility, implausible_warp
from mdacl_ros.types import BoolArray, ByteArray, FramePair
from mdacl_tools.calibrate.swapped_cameras import EXCHANGED, exchange_told
from mdacl_tools.recordings.recording import Recording

MAX_SKEW = 0.05
"""Seconds between the images of a pair at most: less than the node allows, as motion would look
like an error of the calibration."""

_NEVER_NS = 1 << 62  # a slide show of single images has no rate


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the images say about a calibration.

    Attributes:
        before: Residual without the calibration: thermal stretched over the RGB image.
        after: Residual with it.
        rgb: ``(H, W, 3)`` uint8, the pair in the middle.
        thermal_before: ``(H, W)`` uint8, its thermal image stretched over it.
        thermal_after: ``(H, W)`` uint8, its thermal image registered.
        covered: ``(H, W)`` bool, true where thermal reaches.
        implausible: Evidence that the calibration has the wrong size, if any.
        grey: RGB carries no colour: perhaps the topics are swapped.
    """

    before: Residual
    after: Residual
    rgb: ByteArray
    thermal_before: ByteArray
    thermal_after: ByteArray
    covered: BoolArray
    implausible: Plausibility | None
    grey: bool


def check_rig(
    rig: RigCalibration,
    recording: Recording,
    count: int,
    config: PipelineConfig,
) -> CheckResult:
    """Measure a calibration on a recording.

    Args:
        rig: The calibration.
        recording: With both cameras; played once.
        count: Most pairs to use, spread evenly.
        config: How frames are paired and prepared; its calibration is not used.

    Raises:
        CalibrationError: The calibration is for other sizes, its cameras share no view, or an image
            cannot be used.
        RecordingError: There is no pair, or the recording is damaged.
    """
    with exchange_told(recording):
        pairs = list(spread_pairs(recording, count, config))
    if not pairs:
        raise RecordingError(
            f"recording {recording.name}: got {dict(recording.frames)} frames but no pair of them"
            f" near enough in time, wanted RGB and thermal within {config.max_skew:g} s; give"
            " --thermal-clock-offset (mdacl calibrate clock measures it) or a larger --max-skew"
        )
    plain = RigCalibration("identity", CameraModel(rig.rgb.size), CameraModel(rig.thermal.size))
    shown = len(pairs) // 2
    before, thermal_before, *_ = _registered(plain, pairs, shown, recording.name, config)
    after, thermal_after, covered, implausible = _registered(
        rig, pairs, shown, recording.name, config
    )
    rgb = pairs[shown].rgb
    assert rgb is not None
    colour = np.asarray(rgb.image, np.uint8)
    return CheckResult(
        before=before,
        after=after,
        rgb=colour,
        thermal_before=thermal_before,
        thermal_after=thermal_after,
        covered=covered,
        implausible=implausible,
        grey=_is_grey(colour),
    )


def spread_pairs(recording: Recording, count: int, config: PipelineConfig) -> Iterator[FramePair]:
    """Pairs as the node makes them, at most ``count``, evenly spread; no camera counts as dead."""
    for camera in ("rgb", "thermal"):
        if not recording.frames.get(camera):
            raise RecordingError(
                f"recording {recording.name}: has no {camera} images, wanted both cameras; name"
                f" the topic with --{camera}-topic"
            )
    synchronizer = PairSynchronizer(replace(config.sync_config(), partner_timeout_ns=_NEVER_NS))
    every = max(1, min(recording.frames.values()) // count)
    number = taken = 0
    for event in recording:
        pair = synchronizer.push(event.camera, event.frame, event.time_ns)
        while pair is not None:
            if pair.rgb is not None and pair.thermal is not None:
                if number % every == 0 and taken < count:
                    taken += 1
                    yield pair
                number += 1
            pair = synchronizer.poll(event.time_ns)


def _registered(
    rig: RigCalibration, pairs: list[FramePair], shown: int, name: str, config: PipelineConfig
) -> tuple[Residual, ByteArray, BoolArray, Plausibility | None]:
    """Residual of all pairs; thermal over one RGB image, where it reaches; a wrong size."""
    given = PairInput(rig, config.input_size, config.kelvin_per_count)
    given.radiometric_counts = config.radiometric_counts
    estimator = ResidualEstimator(len(pairs))
    picture = covered = None
    taken = []
    for number, pair in enumerate(pairs):
        given.fill(pair, config.kelvin_per_count, config.reference_distance or None)
        if given.source.error is not None:
            raise _with_hint(given.source.error, rig, pair)
        registration = given.source.current
        if registration is None or given.unused:
            raise RecordingError(f"recording {name}: {'; '.join(given.warnings)}")
        # Also of an image that shows nothing and so counts as absent: it lowers the confidence.
        taken.append(align(given.rgb[0], given.thermal[0, 0], registration))
        estimator.add(taken[-1])
        if number == shown:
            picture = given.thermal_in_rgb()
            white = np.full(rig.thermal.size[::-1], 255, np.uint8)
            covered = np.asarray(registration.warp_to_rgb(white), np.uint8) > 127
    residual = estimator.estimate()
    assert residual is not None
    assert picture is not None
    assert covered is not None
    return residual, picture, covered, implausible_warp(residual, taken)


def _with_hint(error: CalibrationError, rig: RigCalibration, pair: FramePair) -> CalibrationError:
    """Say so where the two cameras' images look exchanged."""
    assert pair.rgb is not None
    assert pair.thermal is not None
    sizes = [(f.image.shape[1], f.image.shape[0]) for f in (pair.rgb, pair.thermal)]
    if sizes == [rig.thermal.size, rig.rgb.size] and sizes[0] != sizes[1]:
        return CalibrationError(f"{error}; {EXCHANGED}")
    return error


def _is_grey(image: ByteArray) -> bool:
    """Whether all channels are one, nearly everywhere."""
    spread = image.max(axis=2).astype(np.int16) - image.min(axis=2)
    return bool(np.percentile(spread, 99) < 3)
