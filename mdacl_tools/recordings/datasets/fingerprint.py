"""Telling pictures that are the same, or nearly: a digest, and a 64-bit difference hash a camera.

The difference hash (dHash, N. Krawetz, hackerfactor.com, 2013) says of a picture shrunk to 9x8
whether it gets brighter from each pixel to its right neighbour. It is ours in ten lines: the
``imagehash`` package would bring SciPy and PyWavelets, and OpenCV has it in its contrib build only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_ros.types import Array, BoolArray

HASH_BITS = 64
"""Bits of one picture."""

_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a pair looks like.

    Attributes:
        digest: Equal for equal pixels only.
        bits: ``(64 * cameras,)`` bool, difference hashes of its pictures.
    """

    digest: bytes
    bits: BoolArray


def fingerprint(images: Sequence[Array]) -> Fingerprint:
    """Take the fingerprint of the pictures of one pair (8-bit colour, or grey of any depth)."""
    digest = hashlib.blake2b(digest_size=16)
    for image in images:
        digest.update(str(image.shape).encode())
        digest.update(np.ascontiguousarray(image).tobytes())
    bits = np.concatenate([difference_hash(image) for image in images])
    return Fingerprint(digest.digest(), bits)


def difference_hash(image: Array) -> BoolArray:
    """The 64 bits of one picture, ``(64,)`` bool."""
    if image.ndim == 3:
        image = np.asarray(cv2.cvtColor(np.asarray(image, np.uint8), cv2.COLOR_RGB2GRAY))
    small = np.asarray(cv2.resize(image.astype(np.float32), (9, 8), interpolation=cv2.INTER_AREA))
    return np.asarray(small[:, 1:] > small[:, :-1]).ravel()


def near_pairs(bits: BoolArray, most: int) -> Iterator[tuple[int, int, int]]:
    """Find all rows that differ in few bits.

    Args:
        bits: ``(N, K)`` bool.
        most: Largest number of differing bits.

    Yields:
        First row, second row (greater), differing bits; in the order of the first row.
    """
    signs = np.where(bits, 1, -1).astype(np.float32)  # (N, K)
    for start in range(0, len(bits), _BLOCK):
        product = signs[start : start + _BLOCK] @ signs[start:].T  # equal minus differing bits
        distance = (bits.shape[1] - product) / 2
        for i, j in zip(*np.nonzero(distance <= most), strict=True):
            if j > i:
                yield start + int(i), start + int(j), int(distance[i, j])
