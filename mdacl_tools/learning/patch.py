"""Move one object's pixels from an image into another, with a soft edge and fitting tones."""

from __future__ import annotations

import cv2
import numpy as np

from mdacl_ros.types import FloatArray
from mdacl_tools.learning.crop import of_pixel_centres

MARGIN = 0.12  # of the object's sides: beyond this the target stays as it is
ROUNDNESS = 3.0  # exponent of the superellipse inside the box; 2: ellipse, infinity: rectangle
FEATHER = 0.2  # of the half sides, centred near the edge of the box
GAINS = (0.6, 1.6)  # how far the brightness of a colour patch may be changed


def paste_patch(
    image: np.ndarray, donor: np.ndarray, source: FloatArray, place: FloatArray, mirrored: bool
) -> None:
    """Draw what lies in a box of the donor into a box of the image, in place.

    Thermal patches are moved in level, colour patches changed in gain, so that what surrounds the
    object fits what surrounds its new place.

    Args:
        image: ``(H, W, 3)`` uint8 or ``(H, W)`` float32 in [0, 1], written to.
        donor: The same type, of any size.
        source: ``(4,)`` xyxy in pixels of the donor.
        place: ``(4,)`` xyxy in pixels of the image, inside it.
        mirrored: Whether left and right are exchanged.
    """
    x0, y0, x1, y1 = _region(place, image.shape)
    patch = _moved(donor, source, place, mirrored, (x0, y0, x1 - x0, y1 - y0))
    mask = _soft_mask(place - np.array([x0, y0, x0, y0], np.float32), patch.shape)
    under = image[y0:y1, x0:x1].astype(np.float32)
    around = mask[::2, ::2] < 0.02
    old, new = (float(np.median(x[::2, ::2][around])) for x in (patch, under))
    if image.ndim == 3:
        patch = (patch * np.float32(np.clip((new + 8) / (old + 8), *GAINS))).clip(0, 255)
        mask = mask[..., None]
    else:
        patch = (patch + np.float32(new - old)).clip(0, 1)
    image[y0:y1, x0:x1] = (under + (patch - under) * mask).astype(image.dtype)


def _region(place: FloatArray, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Whole pixels that the patch may touch, margin and a rim of two pixels included."""
    margin = (place[2:] - place[:2]) * MARGIN + 2
    low = np.floor(place[:2] - margin).clip(0, None).astype(int)
    high = np.ceil(place[2:] + margin).clip(None, [shape[1], shape[0]]).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _moved(
    donor: np.ndarray,
    source: FloatArray,
    place: FloatArray,
    mirrored: bool,
    region: tuple[int, int, int, int],
) -> FloatArray:
    """The donor's pixels as seen in the region (x, y, width, height) of the target, float32."""
    x, y, width, height = region
    scale = (place[2:] - place[:2]) / (source[2:] - source[:2])
    left = place[2] + source[0] * scale[0] if mirrored else place[0] - source[0] * scale[0]
    matrix = np.array(
        [
            [-scale[0] if mirrored else scale[0], 0, left - x],
            [0, scale[1], place[1] - source[1] * scale[1] - y],
        ],
        np.float64,
    )
    moved: np.ndarray = cv2.warpAffine(
        donor,
        of_pixel_centres(matrix),
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return moved.astype(np.float32)


def _soft_mask(box: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """A superellipse that fills the box, 1 inside, falling to 0 around its edge, ``(H, W)``."""
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    x = np.abs((np.arange(shape[1], dtype=np.float32) + 0.5 - centre[0]) / half[0]) ** ROUNDNESS
    y = np.abs((np.arange(shape[0], dtype=np.float32) + 0.5 - centre[1]) / half[1]) ** ROUNDNESS
    radius = (x[None] + y[:, None]) ** (1 / ROUNDNESS)
    return ((1 + MARGIN - radius) / FEATHER).clip(0, 1).astype(np.float32)
