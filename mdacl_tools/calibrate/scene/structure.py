"""What two kinds of camera see alike: where edges run, whichever side of them is the brighter.

An edge is a complex number: its length is the gradient's strength against that of its surroundings,
its angle twice the gradient's direction. Turning the contrast over turns the gradient by 180
degrees and the doubled angle by 360, so a warm person before a cold wall and a dark person before
a bright wall look the same (the double-angle vector of Granlund, 1978).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_ros.types import Array, ByteArray, FloatArray

Structure = npt.NDArray[np.complex64]

_SURROUNDINGS = 25  # pixels across which an edge's strength is compared with its neighbours'
_STRONGEST = 3.0  # times the surroundings' rms: one lamp is no more than an edge
_FLOOR = 1.0  # of the median edge energy: what is weaker counts as noise, not as texture
_LEAST_DEAD = 0.002  # of the image
_TINY = 1e-9


def structure(grey: FloatArray, blur: float, valid: FloatArray | None = None) -> Structure:
    """Describe the edges of an image, indifferent to gain, offset and sign of the contrast.

    Args:
        grey: ``(H, W)`` float32 in [0, 1].
        blur: Standard deviation in pixels of the smoothing before the gradient.
        valid: ``(H, W)`` float32, 1 where the image holds a picture and 0 elsewhere.

    Returns:
        ``(H, W)`` complex64, about 1 long on an ordinary edge, 3 at most, 0 where not valid.
    """
    smooth = cv2.GaussianBlur(grey, (0, 0), blur)
    x = np.asarray(cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 32), np.float32)
    y = np.asarray(cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 32), np.float32)
    if valid is not None:
        x, y = x * valid, y * valid
    energy = x * x + y * y
    some = energy[::2, ::2]
    if valid is not None:
        some = some[valid[::2, ::2] > 0]
    ordinary = float(np.median(some)) if some.size else 0.0
    local = cv2.blur(energy, (_SURROUNDINGS, _SURROUNDINGS)) + _FLOOR * ordinary + _TINY
    # (x + iy)^2 is as long as the energy; divided by |gradient| * rms it is |gradient| / rms.
    gain = 1 / np.sqrt(local * (energy + _TINY * _TINY))
    gain = np.minimum(gain, _STRONGEST / (energy + _TINY * _TINY))
    edges = np.empty(grey.shape, np.complex64)
    edges.real = (x * x - y * y) * gain
    edges.imag = 2 * x * y * gain
    return edges


def picture_mask(images: Sequence[Array]) -> ByteArray:
    """Find black bars and corners that some drivers leave around a rectified image.

    Args:
        images: ``(H, W)`` each, raw frames of one camera.

    Returns:
        ``(H, W)`` uint8, 0 on parts of the border that have one value in all frames, else 1.
    """
    first = images[0]
    rim = np.concatenate((first[0], first[-1], first[:, 0], first[:, -1]))
    values, counts = np.unique(rim, return_counts=True)
    fill = values[counts.argmax()]
    dead = np.ones(first.shape, np.bool_)
    for image in images:
        dead &= image == fill
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dead.astype(np.uint8), connectivity=4)
    rim = np.unique(np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1])))
    large = [k for k in rim if k and stats[k, cv2.CC_STAT_AREA] > _LEAST_DEAD * labels.size]
    bars = np.isin(labels, large).astype(np.uint8)
    return cast(ByteArray, 1 - cv2.dilate(bars, np.ones((5, 5), np.uint8)))
