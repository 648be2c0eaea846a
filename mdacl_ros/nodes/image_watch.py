"""What is wrong with the pictures themselves: dark, blown out, saturated, frozen.

A look costs microseconds: a few hundred pixels of each new frame tell whether it repeats the last
one; once per second a few thousand tell how it is exposed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from mdacl_ros.nodes.status_part import Part, judged
from mdacl_ros.sensing.repetition import is_flat
from mdacl_ros.types import MODALITIES, Array, Frame, Modality

PERIOD = 1.0
"""Seconds between two looks at the exposure."""

STALE = 2.0
"""Seconds without a frame after which nothing is said of a camera's pictures."""

SAMPLES = 48
"""Rows, about, that are looked at; columns alike."""

BLACK, WHITE = 16, 250
"""8-bit levels up to which a pixel is black, and from which it is white."""

DARK_SHARE, WHITE_SHARE, SATURATED_SHARE = 0.9, 0.4, 0.2
"""Shares of the pixels from which RGB is dark, RGB is blown out, and thermal is saturated."""

FREEZE_S, LONG_FREEZE_S = 0.3, 3.0
"""Seconds of one repeated image: from the first it is a freeze, from the second more than the
shutter of a thermal camera (non-uniformity correction, NUC: half a second to two)."""


@dataclass(frozen=True, slots=True)
class CameraPictures:
    """What is known of one camera's pictures.

    Attributes:
        stamp_ns: Of the newest frame.
        seen: Monotonic seconds when it was looked at.
        fingerprint: Of its pixels.
        frozen_since_ns: Stamp of the first of the images that are all the same.
        measured: Monotonic seconds of the newest exposure.
        exposure: Shares by name.
        flat: Whether all pixels looked at are equal: such an image cannot be told from a repeat.
        freezes: How often the image was frozen so far.
    """

    stamp_ns: int = -1
    seen: float = 0.0
    fingerprint: int | None = None
    frozen_since_ns: int = -1
    measured: float = -math.inf
    exposure: dict[str, float] = field(default_factory=dict)
    flat: bool = False
    freezes: int = 0

    @property
    def frozen_s(self) -> float:
        """Seconds for which the image repeats itself, by its stamps."""
        return 0.0 if self.flat else max(0.0, (self.stamp_ns - self.frozen_since_ns) / 1e9)


_NEVER = CameraPictures()
"""Of a camera that was never seen."""


class ImageWatch:
    """Looks at the frames of both cameras; read from any thread."""

    def __init__(self) -> None:
        self._cameras: dict[Modality, CameraPictures] = {}

    def look(self, camera: Modality, frame: Frame, now: float) -> None:
        """Take note of a frame with pixels; the same frame again costs nothing.

        Args:
            camera: Whose it is.
            frame: Decoded.
            now: Monotonic seconds.
        """
        before = self._cameras.get(camera, _NEVER)
        if frame.stamp_ns == before.stamp_ns:
            return
        sample = subsample(frame.image)
        fingerprint = hash(sample[::2, ::2].tobytes())
        repeats = fingerprint == before.fingerprint and frame.stamp_ns > before.stamp_ns
        after = replace(
            before,
            stamp_ns=frame.stamp_ns,
            seen=now,
            fingerprint=fingerprint,
            frozen_since_ns=before.frozen_since_ns if repeats else frame.stamp_ns,
        )
        if now - before.measured >= PERIOD:
            after = replace(
                after, measured=now, exposure=exposure(camera, sample), flat=is_flat(sample)
            )
        if before.frozen_s < FREEZE_S <= after.frozen_s:
            after = replace(after, freezes=before.freezes + 1)
        self._cameras[camera] = after

    def part(self, now: float) -> Part:
        """The status of the pictures, seen from monotonic second ``now``."""
        values: dict[str, object] = {}
        warnings: list[str] = []
        errors: list[str] = []
        for camera in MODALITIES:
            pictures = self._cameras.get(camera)
            if pictures is None:
                continue
            values |= {f"{name}_{camera}": share for name, share in pictures.exposure.items()}
            values[f"freezes_{camera}"] = pictures.freezes
            if now - pictures.seen > STALE:
                continue
            values[f"frozen_{camera}_s"] = pictures.frozen_s
            warnings += _exposure_remarks(camera, pictures.exposure)
            (errors if pictures.frozen_s >= LONG_FREEZE_S else warnings).extend(
                _freeze_remarks(camera, pictures.frozen_s)
            )
        return judged(warnings, errors, "pictures are well exposed" if values else "", values)


def subsample(image: Array) -> Array:
    """Every n-th pixel of every n-th row, about :data:`SAMPLES` each way."""
    step = max(1, min(image.shape[:2]) // SAMPLES)
    return np.ascontiguousarray(image[::step, ::step])


def exposure(camera: Modality, sample: Array) -> dict[str, float]:
    """Shares of badly exposed pixels in [0, 1], by name.

    Args:
        camera: ``rgb``: ``dark`` and ``white``; ``thermal``: ``saturated``, the share of pixels at
            the image's own highest value (a sensor that clips leaves a plateau there).
        sample: Of :func:`subsample`; RGB uint8, thermal of any type.
    """
    if camera == "rgb":
        red, green, blue = sample[..., 0], sample[..., 1], sample[..., 2]
        brightest = np.maximum(np.maximum(red, green), blue)  # axis=-1 would be ten times slower
        darkest = np.minimum(np.minimum(red, green), blue)
        return {
            "dark": float((brightest <= BLACK).mean()),
            "white": float((darkest >= WHITE).mean()),
        }
    finite = sample[np.isfinite(sample)] if sample.dtype.kind == "f" else sample
    if finite.size == 0:
        return {"saturated": 1.0}
    return {"saturated": float((finite == finite.max()).sum() / sample.size)}


def _exposure_remarks(camera: Modality, shares: dict[str, float]) -> list[str]:
    """What is wrong with the exposure, and what to do."""
    remarks = []
    if shares.get("dark", 0.0) >= DARK_SHARE:
        remarks.append(f"RGB is dark ({shares['dark']:.0%} black pixels): night, or a covered lens")
    if shares.get("white", 0.0) >= WHITE_SHARE:
        remarks.append(
            f"RGB is blown out ({shares['white']:.0%} white pixels): glare, or too long an exposure"
        )
    if shares.get("saturated", 0.0) >= SATURATED_SHARE:
        remarks.append(
            f"thermal is saturated ({shares['saturated']:.0%} of the pixels at the highest value): "
            "set the camera to a wider temperature range"
        )
    return remarks


def _freeze_remarks(camera: Modality, seconds: float) -> list[str]:
    """What a repeated image means."""
    if seconds < FREEZE_S:
        return []
    what = f"{camera} repeats one image for {seconds:.1f} s"
    if camera == "thermal" and seconds < LONG_FREEZE_S:
        return [f"{what}: shutter (NUC), over in a moment"]
    return [f"{what}: frozen, restart its driver"]
