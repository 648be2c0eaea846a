"""What is wrong with the images themselves: dark, blown out, saturated, blank, frozen.

Once per second a few thousand pixels of an answered frame tell how it is exposed; whether a
picture stands still is known to the synchronizer, which sees every frame, the dropped ones too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mdacl_ros.health.status_part import Part, judged
from mdacl_ros.health.synchronizer_state import SynchronizerState
from mdacl_ros.types import MODALITIES, Array, Frame, Modality

PERIOD = 1.0
"""Seconds between two looks at the exposure."""

STALE = 2.0
"""Seconds without a frame after which nothing is said of a camera's exposure."""

SAMPLES = 48
"""Rows, about, that are looked at; columns alike."""

BLACK, WHITE = 16, 250
"""8-bit levels up to which a pixel is black, and from which it is white."""

DARK_SHARE, WHITE_SHARE, SATURATED_SHARE = 0.9, 0.4, 0.2
"""Shares of the pixels from which RGB is dark, RGB is blown out, and thermal is saturated."""

LONG_FREEZE_S = 3.0
"""Seconds for which a picture stands still from which it is an error, if no shutter explains it."""

FROZEN: dict[Modality, str] = {
    "rgb": "frozen, restart its driver",
    "thermal": "frozen, restart its driver; a slower shutter (NUC) needs a larger thermal_shutter",
}
"""What a picture means that stands still for longer than a shutter takes, and what to do."""


@dataclass(frozen=True, slots=True)
class ExposureReading:
    """How one camera's picture was exposed.

    Attributes:
        time: Monotonic seconds.
        exposure: Shares by name.
    """

    time: float
    exposure: dict[str, float]


class ImageWatch:
    """Looks at the frames of both cameras; read from any thread."""

    def __init__(self) -> None:
        self._looks: dict[Modality, ExposureReading] = {}
        self._blank, self._blank_at = (0.0, 0.0), -math.inf

    def processed(self, blank: tuple[float, float], now: float) -> None:
        """Take note of how much of each image showed nothing.

        Args:
            blank: Shares of the images, (rgb, thermal), that counted as absent.
            now: Monotonic seconds.
        """
        self._blank, self._blank_at = blank, now

    def look(self, camera: Modality, frame: Frame, now: float) -> None:
        """Take note of a frame with pixels; within :data:`PERIOD` another one costs nothing.

        Args:
            camera: Whose it is.
            frame: Decoded.
            now: Monotonic seconds.
        """
        before = self._looks.get(camera)
        if before is None or now - before.time >= PERIOD:
            self._looks[camera] = ExposureReading(now, exposure(camera, subsample(frame.image)))

    def troubles(self, now: float) -> dict[Modality, str]:
        """What is wrong with the newest images, by camera, seen from monotonic second ``now``."""
        found: dict[Modality, str] = {}
        for camera, share in zip(MODALITIES, self._blank, strict=True):
            look = self._looks.get(camera)
            remarks = []
            if look is not None and now - look.time <= STALE:
                remarks = _exposure_remarks(camera, look.exposure)
            if now - self._blank_at <= STALE and share > 0:
                remarks.append(_shows_nothing(camera, share))
            if remarks:
                found[camera] = "; ".join(remarks)
        return found

    def part(self, now: float, state: SynchronizerState, shutter_s: float) -> Part:
        """The status of the pictures.

        Args:
            now: Monotonic seconds.
            state: Of the synchronizer: whose picture stands still.
            shutter_s: Longest time for which the thermal camera's shutter is closed.
        """
        values: dict[str, object] = {}
        warnings: list[str] = []
        errors: list[str] = []
        for camera in MODALITIES:
            look, still_s = self._looks.get(camera), state.still_s[camera]
            if look is not None:
                values |= {f"{name}_{camera}": share for name, share in look.exposure.items()}
                if now - look.time <= STALE:
                    warnings += _exposure_remarks(camera, look.exposure)
            if state.received[camera]:
                values[f"frozen_{camera}_s"] = still_s
                values[f"freezes_{camera}"] = state.freezes[camera]
            if camera == "thermal" and 0 < still_s < shutter_s:
                warnings.append(
                    f"{_repeats(camera, still_s)}: probably its shutter (NUC), over in a moment"
                )
            elif still_s:
                remarks = errors if still_s >= LONG_FREEZE_S else warnings
                remarks.append(f"{_repeats(camera, still_s)}: {FROZEN[camera]}")
        if now - self._blank_at <= STALE:
            values |= {f"blank_share_{c}": b for c, b in zip(MODALITIES, self._blank, strict=True)}
            remarks = errors if min(self._blank) >= 1.0 else warnings
            remarks += [
                _shows_nothing(camera, share)
                for camera, share in zip(MODALITIES, self._blank, strict=True)
                if share > 0
            ]
        fresh = any(now - look.time <= STALE for look in self._looks.values())
        fine = "images are well exposed" if fresh else "no recent images"
        return judged(warnings, errors, fine, values)


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


def _shows_nothing(camera: Modality, share: float) -> str:
    """That an image, or a part of it, is blank."""
    where = "the image" if share >= 1.0 else f"{share:.0%} of the image"
    return f"{camera} shows nothing in {where}, treated as absent: check lens, exposure and driver"


def _repeats(camera: Modality, seconds: float) -> str:
    """That a picture stands still."""
    return f"{camera} repeats one image for {seconds:.1f} s"
