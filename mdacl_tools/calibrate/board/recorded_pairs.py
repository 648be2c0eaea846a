"""Pairs of a recording: near in time, still, evenly spread."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from mdacl_ros.errors import CalibrationError
from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer, SyncConfig
from mdacl_ros.types import MODALITIES, Array, FloatArray, FramePair, Modality
from mdacl_tools.calibrate.board.grey_images import grey_of
from mdacl_tools.calibrate.board.pair_types import ImagePair, PairSource
from mdacl_tools.calibrate.swapped_cameras import exchange_told
from mdacl_tools.recordings.input_options import opened
from mdacl_tools.recordings.recording import Recording

_NEVER_NS = 1 << 62
_SMALL = (64, 48)  # pixels of the picture that motion is judged by
_PATIENCE_NS = 1_000_000_000  # a frame may wait this long for its partner


def recorded_pairs(source: PairSource) -> Iterator[ImagePair]:
    """Read the stillest pair of each of ``most`` equal parts of a recording.

    Raises:
        RecordingError: It cannot be read.
        CalibrationError: A camera is missing, or the cameras are exchanged.
    """
    with opened(
        source.path, source.options, offset_s=source.clock_offset, max_skew_s=source.max_skew
    ) as recording:
        missing = [c for c in MODALITIES if not recording.frames.get(c)]
        if missing:
            raise CalibrationError(
                f"{source.path}: got no {missing[0]} images, wanted both cameras; name the topics"
                " with --rgb-topic and --thermal-topic"
            )
        slots = max(1, -(-min(recording.frames.values()) // source.most))
        with exchange_told(recording):
            yield from _stillest(_pairs(recording, source), slots)


def _pairs(recording: Recording, source: PairSource) -> Iterator[FramePair]:
    """Pairs of frames near in time, each frame once."""
    synchronizer = PairSynchronizer(
        SyncConfig(
            max_skew_ns=round(1e9 * source.max_skew),
            thermal_clock_offset_ns=round(1e9 * source.clock_offset),
            partner_timeout_ns=_NEVER_NS,
            max_wait_ns=_PATIENCE_NS,
            reuse_partner=False,
        )
    )
    for event in recording:
        pair = synchronizer.push(event.camera, event.frame, event.time_ns)
        while pair is not None:
            yield pair
            pair = synchronizer.poll(event.time_ns)


def _stillest(pairs: Iterator[FramePair], slots: int) -> Iterator[ImagePair]:
    """Of every ``slots`` pairs the one that moved least since the pair before."""
    before: dict[Modality, FloatArray] = {}
    best: tuple[float, FramePair] | None = None
    start_ns: int | None = None
    for count, pair in enumerate(pairs, start=1):
        start_ns = pair.stamp_ns if start_ns is None else start_ns
        motion = _motion(pair, before)
        if best is None or motion < best[0]:
            best = (motion, pair)
        if count % slots == 0:
            yield _images(best[1], start_ns)
            best = None
    if best is not None and start_ns is not None:
        yield _images(best[1], start_ns)


def _motion(pair: FramePair, before: dict[Modality, FloatArray]) -> float:
    """Largest change of the cameras' small pictures, in standard deviations of them."""
    motion = 0.0
    for camera in MODALITIES:
        frame = pair.rgb if camera == "rgb" else pair.thermal
        assert frame is not None
        image = np.nan_to_num(np.asarray(frame.image, np.float32))
        small = np.asarray(cv2.resize(image, _SMALL, interpolation=cv2.INTER_AREA), np.float32)
        if camera in before:
            change = float(np.abs(small - before[camera]).mean())
            motion = max(motion, change / (float(small.std()) + 1e-6))
        before[camera] = small
    return motion


def _images(pair: FramePair, start_ns: int) -> ImagePair:
    assert pair.rgb is not None
    assert pair.thermal is not None
    images: dict[Modality, Array] = {
        "rgb": grey_of(pair.rgb, "rgb"),
        "thermal": grey_of(pair.thermal, "thermal"),
    }
    return ImagePair(f"{(pair.stamp_ns - start_ns) / 1e9:.2f} s", images)
