"""Pairs of frames out of a recording, spread over its length and checked."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_ros.errors import CalibrationError
from mdacl_ros.pipeline.pair_input import rgb_pixels
from mdacl_ros.sensing.thermal.normalizer import normalize_once
from mdacl_ros.sensing.thermal.raw_levels import to_levels
from mdacl_ros.types import ByteArray, Frame
from mdacl_tools.calibrate.constant_resolution import OneSize
from mdacl_tools.calibrate.scene.pyramid import ScenePairs
from mdacl_tools.calibrate.scene.structure import picture_mask
from mdacl_tools.calibrate.swapped_cameras import exchange_told
from mdacl_tools.recordings.recording import Recording

CANVAS = 640
"""Longer side in pixels of the working image; larger RGB images are shrunk to it."""

_REMEMBERED = 32  # thermal frames that may have arrived before the RGB frame they belong to


@dataclass(frozen=True, slots=True)
class SceneFrames:
    """What a calibration is made from.

    Attributes:
        pairs: The frames, ready for matching.
        colours: ``(H, W, 3)`` uint8 each, the RGB frames at canvas size, for the picture.
        digest: SHA-256 of stamps and pixels of all frames used.
        skews_ns: Thermal stamp (offset added) minus RGB stamp of each pair.
    """

    pairs: ScenePairs
    colours: tuple[ByteArray, ...]
    digest: str
    skews_ns: tuple[int, ...]


@dataclass(slots=True)
class _Chosen:
    """An RGB frame and the nearest thermal frame so far."""

    rgb: Frame
    thermal: Frame | None = None
    skew_ns: int = 1 << 62

    def offer(self, thermal: Frame, offset_ns: int) -> None:
        skew = thermal.stamp_ns + offset_ns - self.rgb.stamp_ns
        if abs(skew) < abs(self.skew_ns):
            self.thermal, self.skew_ns = thermal, skew


def collect_frames(
    recording: Recording, count: int, max_skew_ns: int, clock_offset_ns: int = 0
) -> SceneFrames:
    """Take pairs at even distances from a recording.

    Args:
        recording: Where from; played once.
        count: Pairs wanted.
        max_skew_ns: Largest |thermal stamp + offset - RGB stamp|; what lies further apart is left
            out.
        clock_offset_ns: Added to thermal stamps.

    Returns:
        The pairs, as many as ``count`` or as there are.

    Raises:
        CalibrationError: A camera is missing, no pair is near enough in time, or an image is of
            another size than those before, or is not what its topic should carry.
    """
    for camera in ("rgb", "thermal"):
        if not recording.frames.get(camera):
            raise CalibrationError(
                f"recording {recording.name}: has no {camera} frames, wanted both cameras; name"
                f" the topic with --{camera}-topic"
            )
    with exchange_told(recording):
        chosen = _choose(recording, count, clock_offset_ns)
    near = [c for c in chosen if c.thermal is not None and abs(c.skew_ns) <= max_skew_ns]
    if not near:
        skew = min((abs(c.skew_ns) for c in chosen if c.thermal is not None), default=1 << 62)
        raise CalibrationError(
            f"recording {recording.name}: the nearest RGB and thermal frames are"
            f" {skew / 1e9:.3f} s apart, wanted {max_skew_ns / 1e9:.3f} s or less; give"
            " --thermal-clock-offset (mdacl calibrate clock measures it) or a larger --max-skew"
        )
    with exchange_told(recording):
        return _prepare(near)


def _choose(recording: Recording, count: int, offset_ns: int) -> list[_Chosen]:
    """RGB frames at even distances, each with its nearest thermal frame."""
    total = recording.frames["rgb"]
    wanted = {round(k) for k in np.linspace(0, total - 1, min(count, total))}
    sizes = OneSize(recording.name)
    recent: deque[Frame] = deque(maxlen=_REMEMBERED)
    chosen: list[_Chosen] = []
    index = -1
    for event in recording:
        sizes.check(event.camera, event.frame)
        if event.camera == "thermal":
            recent.append(event.frame)
            for pair in chosen:
                pair.offer(event.frame, offset_ns)
            continue
        index += 1
        if index in wanted:
            chosen.append(_Chosen(event.frame))
            for thermal in recent:
                chosen[-1].offer(thermal, offset_ns)
    return chosen


def _prepare(near: list[_Chosen]) -> SceneFrames:
    """Normalise, shrink and fingerprint the pairs."""
    digest = hashlib.sha256()
    colours, greys, thermals, levels = [], [], [], []
    for pair in near:
        assert pair.thermal is not None
        for frame in (pair.rgb, pair.thermal):
            digest.update(f"{frame.stamp_ns} {frame.encoding} {frame.image.shape}".encode())
            digest.update(np.ascontiguousarray(frame.image).tobytes())
        colours.append(_shrink(rgb_pixels(pair.rgb)))
        levels.append(to_levels(pair.thermal.image, pair.thermal.encoding))
        thermals.append(normalize_once(pair.thermal.image, pair.thermal.encoding))
        greys.append(cv2.cvtColor(colours[-1], cv2.COLOR_RGB2GRAY).astype(np.float32) / 255)
    rgb_size = (near[0].rgb.image.shape[1], near[0].rgb.image.shape[0])
    pairs = ScenePairs(np.stack(greys), np.stack(thermals), picture_mask(levels), rgb_size)
    skews = tuple(pair.skew_ns for pair in near)
    return SceneFrames(pairs, tuple(colours), digest.hexdigest(), skews)


def _shrink(image: ByteArray) -> ByteArray:
    height, width = image.shape[:2]
    scale = CANVAS / max(width, height)
    if scale >= 1:
        return image
    size = (round(width * scale), round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
