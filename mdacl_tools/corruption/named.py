"""Named corruptions of one camera at five strengths, for robustness tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mdacl_ros.errors import ImageError, ParameterError
from mdacl_ros.types import FloatArray, Modality
from mdacl_tools.corruption import rgb, thermal

STRENGTHS = (1, 2, 3, 4, 5)
"""1 is barely visible, 5 severe; the steps are even to the eye, not in numbers."""


@dataclass(frozen=True)
class Corruption:
    """One thing that goes wrong with one camera.

    Attributes:
        name: Key in :data:`CORRUPTIONS`, camera first.
        camera: Which image it changes.
        function: Maps float image, strength and generator to the changed float image; rgb in
            [0, 1], thermal in units of its own 1st to 99th percentile.
    """

    name: str
    camera: Modality
    function: Callable[[FloatArray, int, np.random.Generator], FloatArray]


CORRUPTIONS: dict[str, Corruption] = {
    c.name: c
    for c in (
        Corruption("rgb_noise", "rgb", rgb.noise),
        Corruption("rgb_blur", "rgb", rgb.blur),
        Corruption("rgb_fog", "rgb", rgb.fog),
        Corruption("rgb_glare", "rgb", rgb.glare),
        Corruption("rgb_dark", "rgb", rgb.dark),
        Corruption("thermal_noise", "thermal", thermal.noise),
        Corruption("thermal_blur", "thermal", rgb.blur),
        Corruption("thermal_drift", "thermal", thermal.drift),
        Corruption("thermal_nuc_ghost", "thermal", thermal.nuc_ghost),
        Corruption("thermal_shift", "thermal", thermal.shift),
    )
}
"""Every named corruption, in the order of tables."""


def corrupt(name: str, image: np.ndarray, strength: int, rng: np.random.Generator) -> np.ndarray:
    """Corrupt one image; the input is left as it is.

    Args:
        name: Key of :data:`CORRUPTIONS`.
        image: rgb ``(H, W, 3)`` uint8; thermal ``(H, W)`` uint8, uint16 or float32 in any unit, as
            amplitudes are relative to the image's own 1st to 99th percentile.
        strength: One of :data:`STRENGTHS`.
        rng: The only source of chance: equal states give equal images.

    Returns:
        Same shape and dtype. Integer images keep to their range: rgb is clipped, thermal is first
        fitted by gain control. float32 is not clipped.

    Raises:
        ParameterError: Unknown name or strength.
        ImageError: Shape or dtype does not fit the camera.
    """
    if name not in CORRUPTIONS:
        raise ParameterError(f"corruption {name!r} is unknown, wanted one of {list(CORRUPTIONS)}")
    if strength not in STRENGTHS:
        raise ParameterError(f"corruption {name}: strength is {strength!r}, wanted 1 to 5")
    chosen = CORRUPTIONS[name]
    _check_image(chosen, image)
    low, high = (0.0, 255.0) if chosen.camera == "rgb" else _own_range(image)
    span = np.float32(high - low)
    unit = (image.astype(np.float32) - np.float32(low)) / span
    changed = chosen.function(unit, int(strength), rng) * span + np.float32(low)
    if image.dtype == np.float32:
        return changed
    if chosen.camera == "thermal":
        changed = _gain_control(changed, np.iinfo(image.dtype).max)
    return np.rint(changed).clip(0, np.iinfo(image.dtype).max).astype(image.dtype)


def _check_image(corruption: Corruption, image: np.ndarray) -> None:
    if corruption.camera == "rgb":
        fits = image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8
        wanted = "(H, W, 3) uint8"
    else:
        fits = image.ndim == 2 and image.dtype in (np.uint8, np.uint16, np.float32)
        wanted = "(H, W) uint8, uint16 or float32"
    if not fits:
        raise ImageError(
            f"corruption {corruption.name}: image is {image.shape} {image.dtype}, wanted {wanted}; "
            f"pass the {corruption.camera} image"
        )


def _own_range(image: np.ndarray) -> tuple[float, float]:
    """1st and 99th percentile, kept apart for a uniform image."""
    low, high = np.percentile(image[::2, ::2], (1, 99))
    return float(low), max(float(high), float(low) + 1e-3)


def _gain_control(image: FloatArray, most: int) -> FloatArray:
    """Fit what left 0 .. ``most`` back in, as a camera's own gain control does before it clips."""
    low, high = np.percentile(image[::2, ::2], (1, 99))
    low, high = min(float(low), 0.0), max(float(high), float(most))
    return (image - np.float32(low)) * np.float32(most / (high - low))
