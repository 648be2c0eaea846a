"""Whether another size or aspect ratio of thermal fits RGB much better than the calibration's.

The residual (:mod:`.residual`) measures a displacement. Where thermal has the wrong size, for
example stretched by an identity calibration though the two cameras' fields of view differ, there is
no common displacement and the residual stays without confidence, as it does in fog. This tells
the two apart: it tries other sizes and aspect ratios, and reports only where one of them agrees
clearly, against the present one and against mirrored images, which cannot fit. Own formulation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_ros.sensing.registration.aligned_pair import AlignedPair
from mdacl_ros.sensing.registration.edge_agreement import edges
from mdacl_ros.sensing.registration.residual import Residual
from mdacl_ros.types import BoolArray, FloatArray

LEAST_PAIRS = 6
"""Pairs looked at, and fewest from which something is reported."""

LEAST_GAIN = 1.15
"""Agreement of another size over that of the present one."""

LEAST_MARGIN = 1.4
"""Agreement of another size over the best of mirrored images."""

_SHRINK = 2  # the grid of an aligned pair is halved: sizes are tried, not pixels measured
_REACH = 0.125  # of the longer side: shifts tried
_SIZES = np.exp(np.arange(-4, 5) * 0.12)  # 0.62 to 1.62
_ASPECTS = np.exp(np.arange(-2, 3) * 0.17)  # 0.71 to 1.41, width over height
_SAME = 0.12  # log of width or height up to which a size counts as the present one
_RIM = 3  # cells beside what thermal does not see

Spectrum = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class Plausibility:
    """How well edges agree, as the calibration has it and otherwise; all in about [-1, 1].

    Attributes:
        present: Best agreement at about the present size, over all shifts.
        best: Best agreement at another size.
        chance: Best agreement with mirrored RGB images, over all sizes.
        size: (width, height) of the best other size over the present one.
    """

    present: float
    best: float
    chance: float
    size: tuple[float, float]

    @property
    def gain(self) -> float:
        """Agreement of the other size over that of the present one."""
        return self.best / max(self.present, 1e-6)

    @property
    def implausible(self) -> bool:
        """Whether the calibration cannot be right for these images."""
        return self.gain >= LEAST_GAIN and self.best >= LEAST_MARGIN * self.chance


def implausible_warp(
    residual: Residual | None, pairs: Sequence[AlignedPair]
) -> Plausibility | None:
    """Look for another size where the residual has no confidence.

    Args:
        residual: Of the pairs. While it is confident the size is about right: nothing is tried.
        pairs: Seconds apart; :data:`LEAST_PAIRS` of those like the newest are used.

    Returns:
        The evidence against the calibration; ``None`` where there is none, or too few pairs.
    """
    if residual is None or residual.confident or not pairs:
        return None
    newest = pairs[-1]
    like = [p for p in pairs if (p.grey.shape, p.cell) == (newest.grey.shape, newest.cell)]
    if len(like) < LEAST_PAIRS:
        return None
    picked = np.linspace(0, len(like) - 1, LEAST_PAIRS).round().astype(int)
    found = examine([like[k] for k in picked])
    return found if found.implausible else None


def implausible_text(found: Plausibility, calibrated: bool) -> str:
    """What to report.

    Args:
        found: The evidence.
        calibrated: There is a calibration file; else thermal is stretched over RGB.
    """
    width, height = found.size
    what = "calibration does not fit" if calibrated else "thermal stretched over RGB does not fit"
    return (
        f"{what} these images: edges agree {found.gain:.1f} times better with thermal at"
        f" {width:.2f} of its width and {height:.2f} of its height;"
        f" calibrate{' again' if calibrated else ''} (docs/calibration.md)"
    )


def examine(pairs: Sequence[AlignedPair]) -> Plausibility:
    """Try sizes and aspect ratios about the middle of the image.

    Args:
        pairs: One or more, all of one size; some 120 ms of CPU each.
    """
    height, width = (side // _SHRINK for side in pairs[0].grey.shape)
    reach = math.ceil(_REACH * max(width, height))
    padded = (
        cv2.getOptimalDFTSize(height + 2 * reach),
        cv2.getOptimalDFTSize(width + 2 * reach),
    )
    everywhere = np.ones((height, width), np.bool_)
    rgb = [_complex(_small(pair.grey, (width, height)), everywhere) for pair in pairs]
    energy = sum(float((np.abs(each) ** 2).sum()) for each in rgb)
    spectra = [np.fft.fft2(each, padded) for each in rgb]
    mirrored = [np.fft.fft2(np.conj(each[:, ::-1]), padded) for each in rgb]
    present = best = chance = 0.0
    size = (1.0, 1.0)
    for sx, sy in _sizes():
        cross = np.zeros(padded, np.complex128)
        against = np.zeros(padded, np.complex128)
        seen = 0.0
        for pair, one, other in zip(pairs, spectra, mirrored, strict=True):
            thermal = _scaled(pair, sx, sy, (width, height))
            seen += float((np.abs(thermal) ** 2).sum())
            spectrum = np.conj(np.fft.fft2(thermal, padded))
            cross += spectrum * one
            against += spectrum * other
        norm = math.sqrt(seen * energy) + 1e-9
        score, luck = (_peak(spectrum, reach) / norm for spectrum in (cross, against))
        chance = max(chance, luck)
        if abs(math.log(sx)) <= _SAME and abs(math.log(sy)) <= _SAME:
            present = max(present, score)
        elif score > best:
            best, size = score, (sx, sy)
    return Plausibility(present, best, chance, size)


def _sizes() -> Iterator[tuple[float, float]]:
    """(width, height) over the present one."""
    for size in _SIZES:
        for aspect in np.sqrt(_ASPECTS):
            yield float(size * aspect), float(size / aspect)


def _scaled(pair: AlignedPair, sx: float, sy: float, size: tuple[int, int]) -> Spectrum:
    """Edges of thermal, made larger or smaller about the middle."""
    full = pair.grey.shape[1], pair.grey.shape[0]
    x, y = (side / whole for side, whole in zip(size, full, strict=True))
    matrix = np.array(
        (
            (sx * x, 0, (size[0] - 1 - sx * x * (full[0] - 1)) / 2),
            (0, sy * y, (size[1] - 1 - sy * y * (full[1] - 1)) / 2),
        )
    )
    flags = cv2.INTER_AREA if max(sx, sy) < 1 else cv2.INTER_LINEAR

    def warped(image: Any) -> FloatArray:
        return cast(FloatArray, cv2.warpAffine(image, matrix, size, flags=flags))

    covered = warped(pair.covered.astype(np.float32)) > 0.999
    rim = np.ones((2 * _RIM + 1,) * 2, np.uint8)
    inside = cv2.erode(covered.astype(np.uint8), rim, borderValue=(0,))
    return _complex(warped(pair.thermal), inside > 0)


def _small(image: FloatArray, size: tuple[int, int]) -> FloatArray:
    return cast(FloatArray, cv2.resize(cast(Any, image), size, interpolation=cv2.INTER_AREA))


def _complex(image: FloatArray, seen: BoolArray) -> Spectrum:
    """Doubled-angle edges as complex numbers."""
    vectors = edges(image, seen)
    return cast(Spectrum, vectors[..., 0] + 1j * vectors[..., 1])


def _peak(cross: npt.NDArray[np.complex128], reach: int) -> float:
    """Largest correlation at shifts up to ``reach``."""
    surface = np.fft.ifft2(cross).real
    rows = np.concatenate((surface[-reach:], surface[: reach + 1]))
    return float(np.concatenate((rows[:, -reach:], rows[:, : reach + 1]), axis=1).max())
