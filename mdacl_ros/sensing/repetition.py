"""Whether a camera repeats one picture while the other camera's pictures change.

A camera that hangs sends the same pixels with new stamps; so does a simulated camera without noise
that looks at a still scene. The other camera tells them apart: where it changes meanwhile, this one
is frozen. This rule is ours.
"""

from __future__ import annotations

import zlib

import cv2
import numpy as np

from mdacl_ros.types import Array

_STRIDE = 16  # pixels; 40 x 30 samples of a 640 x 480 image
_OTHER_CHANGES = 2  # one may have been on its way when both scenes came to rest


class Repetition:
    """The pictures of one camera, as they come.

    Attributes:
        count: Pictures in a row that equal the one before them, pixel by pixel.
        changes: Pictures so far that differed from the one before.
        frozen: What :meth:`look` said last.
    """

    __slots__ = (
        "_file_is_flat",
        "_fingerprint",
        "_image",
        "_other_changes",
        "changes",
        "count",
        "frozen",
    )

    def __init__(self) -> None:
        self.count = self.changes = 0
        self.frozen = False
        self._fingerprint = 0
        self._image: Array | None = None
        self._other_changes = 0
        self._file_is_flat: bool | None = None

    def look(self, image: Array, other: Repetition, limit: int) -> bool:
        """Take note of the newest picture.

        Args:
            image: Pixels, or the bytes of a file not yet decoded: the same bytes are the same
                picture. Kept until the next one comes.
            other: The other camera's pictures.
            limit: Repetitions from which the camera may be frozen, at least 1.

        Returns:
            Whether it is frozen. Never for a picture without detail (a covered lens, night without
            sensor noise), which cannot be told from a repeated one.
        """
        sample = image[(slice(None, None, _STRIDE),) * min(image.ndim, 2)]
        fingerprint = zlib.crc32(sample.tobytes())
        same = fingerprint == self._fingerprint and _equal(image, self._image)
        self._fingerprint, self._image = fingerprint, image
        if not same:
            self._file_is_flat = None
        if same and not self._flat(image, sample):
            self.count += 1
        else:
            self.changes += not same
            self.count, self._other_changes = 0, other.changes
        changed = other.changes - self._other_changes
        self.frozen = self.count >= limit and changed >= _OTHER_CHANGES
        return self.frozen

    def _flat(self, image: Array, sample: Array) -> bool:
        """Whether a repeated picture has no detail; a file is decoded once, at an eighth."""
        if image.ndim > 1:
            return is_flat(sample)
        if self._file_is_flat is None:
            try:
                small = cv2.imdecode(image.view(np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
            except cv2.error:
                small = None
            self._file_is_flat = small is not None and is_flat(small)
        return self._file_is_flat


def _equal(image: Array, before: Array | None) -> bool:
    """Whether all pixels are equal; NaN equals NaN."""
    if before is None or image.dtype != before.dtype:
        return False
    return np.array_equal(image, before, equal_nan=image.dtype.kind == "f")


def is_flat(sample: Array) -> bool:
    """Whether all samples are equal: such a picture cannot be told from a repeated one."""
    return sample.size == 0 or bool((sample == sample.flat[0]).all())
