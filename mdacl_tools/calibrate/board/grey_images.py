"""Camera frames as a detector of boards wants them: one channel, and 8 bit for OpenCV."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from mdacl_ros.errors import ImageKindError
from mdacl_ros.sensing.thermal.raw_levels import subsample, to_levels
from mdacl_ros.sensing.thermal.tone_curve import Samples
from mdacl_ros.types import Array, ByteArray, Frame, Modality

_TAILS = (0.2, 99.8)  # percentiles that become black and white
_COLOURFUL = 4.0  # mean difference of channels in grey levels; JPEG noise on grey stays below


def grey_of(frame: Frame, camera: Modality) -> Array:
    """One channel of a frame in the camera's own unit, linear.

    Args:
        frame: As a recording delivers it.
        camera: Which camera it is from.

    Returns:
        ``(H, W)`` uint8 or uint16.

    Raises:
        ImageError: The image does not fit its encoding.
    """
    if camera == "thermal":
        return to_levels(frame.image, frame.encoding)
    image = np.asarray(frame.image, np.uint8)
    if image.ndim != 3 or image.shape[2] != 3:
        raise ImageKindError(
            f"rgb image: got shape {image.shape}, wanted (H, W, 3); check the topic"
        )
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def is_colourful(image: ByteArray) -> bool:
    """Whether the channels of an ``(H, W, 3)`` image differ: no thermal picture."""
    sample = image[::4, ::4].astype(np.int16)
    return float(np.ptp(sample, axis=2).mean()) > _COLOURFUL


def eight_bit(image: Array) -> ByteArray:
    """Stretch linearly to ``(H, W)`` uint8; the few coldest and hottest pixels saturate."""
    low, high = np.percentile(subsample(cast(Samples, image)), _TAILS)
    scale = 255.0 / max(float(high - low), 1e-6)
    return np.asarray(np.clip((image.astype(np.float32) - low) * scale, 0, 255), np.uint8)
