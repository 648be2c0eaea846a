"""Raw thermal frames -> network input and preview: robust, monotone, free of flicker.

Every encoding becomes unsigned levels (8 or 16 bit) and one lookup table maps them to [0, 1]. The
table, not the image, is smoothed over time, by the difference of the stamps: what a pixel shows
depends on its own temperature and on a slowly moving table, so nothing flickers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from mdacl_ros.sensing.thermal.raw_levels import CENTIKELVIN, subsample, to_levels
from mdacl_ros.sensing.thermal.thermal_format import (
    CENTIKELVIN_SCALE,
    COUNTS_SPAN,
    told_format,
    unit_remark,
)
from mdacl_ros.sensing.thermal.tone_curve import Samples, ToneLimits, tone_curve
from mdacl_ros.types import Array, ByteArray, FloatArray

_JUMP = 0.25  # mean change of the picture (of 1) beyond which the old table is of no use
_NS = 1e-9


@dataclass(frozen=True, slots=True)
class ThermalImage:
    """A thermal frame made ready for the network and, where somebody looks, for people.

    Attributes:
        normalized: ``(H, W)`` float32 in [0, 1], the network's input.
    """

    normalized: FloatArray

    @property
    def preview(self) -> ByteArray:
        """``(H, W)`` uint8, the same picture for display; made by every call."""
        return cast(ByteArray, cv2.convertScaleAbs(self.normalized, alpha=255.0))


class ThermalNormalizer:
    """Maps the frames of one thermal camera to [0, 1] with a temporally smoothed tone curve.

    Not thread-safe: one instance per camera, called in stamp order.

    Args:
        kelvin_scale: Kelvin per count of ``16UC1`` images. At 0.01 (centikelvin), counts that are
            no temperature of a scene are taken as :func:`.thermal_format.told_format` says.
        min_span_kelvin: Smallest temperature difference that may take the full output range, for
            radiometric images (``16UC1``, ``32FC1``).
        min_span_counts: The same in counts, for ``mono16``, whose unit is the camera's own.
        min_span_grey: The same in grey levels, for 8-bit images (the camera's gain control has
            already worked on those, so the table changes them little).
        time_constant: Seconds in which the table follows a change of the scene by 63 %.

    Attributes:
        remark: That the newest ``16UC1`` frame is not what ``kelvin_scale`` says; empty if it is.

    Raises:
        ValueError: A scale, span or time constant is not positive and finite.
    """

    def __init__(
        self,
        kelvin_scale: float = 0.01,
        min_span_kelvin: float = 10.0,
        min_span_counts: float = COUNTS_SPAN,
        min_span_grey: float = 160.0,
        time_constant: float = 0.5,
    ) -> None:
        values = {
            "kelvin_scale": kelvin_scale,
            "min_span_kelvin": min_span_kelvin,
            "min_span_counts": min_span_counts,
            "min_span_grey": min_span_grey,
            "time_constant": time_constant,
        }
        for name, value in values.items():
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name}: got {value}, wanted a positive finite number")
        self._told = kelvin_scale == CENTIKELVIN_SCALE
        self._span_kelvin, self._span_counts = min_span_kelvin, min_span_counts
        self._limits = {
            "16UC1": ToneLimits(min_span_kelvin / kelvin_scale),
            "32FC1": ToneLimits(min_span_kelvin / CENTIKELVIN),
            "mono16": ToneLimits(min_span_counts),
        }
        self._grey_limits = ToneLimits(min_span_grey)
        self._time_constant = time_constant
        self.reset()

    def reset(self) -> None:
        """Forget the scene: the next frame gets a fresh table."""
        self.remark = ""
        self._curve: FloatArray | None = None
        self._stamp_ns = 0
        self._source: tuple[str, tuple[int, ...]] = ("", ())

    def __call__(
        self, image: Array, encoding: str, stamp_ns: int | None, out: FloatArray | None = None
    ) -> ThermalImage:
        """Normalise one frame.

        Args:
            image: ``(H, W)`` uint8, uint16 or float32 as ``encoding`` says; colour encodings
                ``(H, W, 3)`` uint8 with three equal channels. NaN is shown as the coldest pixel,
                +inf as the hottest.
            encoding: ``mono8``, ``8UC1``, ``mono16``, ``16UC1``, ``32FC1``, ``rgb8``, ``bgr8``.
            stamp_ns: Acquisition time in nanoseconds; ``None``: no time known, this frame is
                mapped by its own table and leaves no trace in the smoothed one.
            out: ``(H, W)`` float32 buffer that the result is written to; ``None``: a new one.

        Returns:
            The image in [0, 1].

        Raises:
            ImageError: Unknown encoding, wrong type or shape, zero size, palette colours, or a
                float image without a finite pixel.
        """
        levels = to_levels(image, encoding)
        samples = subsample(levels)
        limits = self._limits.get(encoding, self._grey_limits)
        if encoding == "16UC1" and self._told:
            limits = self._limits_of(samples)
        fresh = tone_curve(samples, 1 << (8 * levels.itemsize), limits)
        if stamp_ns is not None:
            fresh = self._smoothed(fresh, samples, (encoding, image.shape), stamp_ns)
        normalized = np.empty(levels.shape, np.float32) if out is None else out
        if levels.dtype == np.uint8:
            cv2.LUT(levels, fresh, dst=normalized)
        else:
            np.take(fresh, levels, out=normalized, mode="clip")  # clip: no second buffer
        return ThermalImage(normalized)

    def _limits_of(self, samples: Samples) -> ToneLimits:
        """Limits of counts whose unit nobody gave, by what they can be."""
        median = float(np.median(samples[::8]))
        told = told_format(median)
        self.remark = unit_remark(told)
        scale = told.kelvin_per_count
        return ToneLimits(self._span_counts if scale is None else self._span_kelvin / scale)

    def _smoothed(
        self,
        fresh: FloatArray,
        samples: Samples,
        source: tuple[str, tuple[int, ...]],
        stamp_ns: int,
    ) -> FloatArray:
        """Move the held table towards the fresh one by the time that has passed."""
        elapsed_s = (stamp_ns - self._stamp_ns) * _NS
        held = self._curve
        if held is None or source != self._source or elapsed_s < 0 or _jumped(held, fresh, samples):
            self._curve = fresh
        else:
            share = -math.expm1(-elapsed_s / self._time_constant)
            cv2.addWeighted(held, 1.0 - share, fresh, share, 0.0, dst=held)
        self._source = source
        self._stamp_ns = stamp_ns
        assert self._curve is not None
        return self._curve


def normalize_once(image: Array, encoding: str) -> FloatArray:
    """Normalise a single image without a past, as for training on still images.

    Args:
        image: As for :meth:`ThermalNormalizer.__call__`.
        encoding: As for :meth:`ThermalNormalizer.__call__`.

    Returns:
        ``(H, W)`` float32 in [0, 1].

    Raises:
        ImageError: As for :meth:`ThermalNormalizer.__call__`.
    """
    return ThermalNormalizer()(image, encoding, None).normalized


def _jumped(held: FloatArray, fresh: FloatArray, samples: Samples) -> bool:
    """Whether the held table no longer fits: after a shutter (NUC) event or a cut."""
    if held.size != fresh.size:
        return True
    few = samples[::8]
    return float(np.mean(np.abs(held[few] - fresh[few]))) > _JUMP
