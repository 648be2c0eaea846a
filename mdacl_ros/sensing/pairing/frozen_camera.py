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

STILL_REPEATS, STILL_NS = 3, 400_000_000
"""A picture that repeats so often and, by its stamps, so long stands still. A driver that doubles
the frames of a slow camera repeats each for its period only: 0.11 s at 9 Hz."""


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
        "_since_ns",
        "_stamp_ns",
        "changes",
        "count",
        "frozen",
    )

    def __init__(self) -> None:
        self.count = self.changes = 0
        self.frozen = False
        self._fingerprint = 0
        self._image: Array | None = None
        self._other_changes = self._since_ns = self._stamp_ns = 0
        self._file_is_flat: bool | None = None

    @property
    def still_ns(self) -> int:
        """How long the newest picture has stood still, by its stamps; 0 while it does not."""
        lasted_ns = self._stamp_ns - self._since_ns
        return lasted_ns if self.count >= STILL_REPEATS and lasted_ns >= STILL_NS else 0

    def look(
        self,
        image: Array,
        stamp_ns: int,
        other: Repetition,
        limit: int = 0,
        least_ns: int = STILL_NS,
    ) -> bool:
        """Take note of the newest picture.

        Args:
            image: Pixels, or the bytes of a file not yet decoded: the same bytes are the same
                picture. Kept until the next one comes.
            stamp_ns: Its stamp; one that goes back begins anew.
            other: The other camera's pictures.
            limit: Repetitions from which the camera may be frozen; 0: it never is.
            least_ns: Time, by the stamps, for which the picture has to have repeated as well.

        Returns:
            Whether it is frozen. Never for a picture without detail (a covered lens, night without
            sensor noise), which cannot be told from a repeated one.
        """
        sample = image[(slice(None, None, _STRIDE),) * min(image.ndim, 2)]
        fingerprint = zlib.crc32(sample.tobytes())
        same = fingerprint == self._fingerprint and _equal(image, self._image)
        same = same and stamp_ns >= self._stamp_ns
        self._fingerprint, self._image, self._stamp_ns = fingerprint, image, stamp_ns
        if not same:
            self._file_is_flat = None
        if same and not self._flat(image, sample):
            self.count += 1
        else:
            self.changes += not same
            self.count, self._since_ns, self._other_changes = 0, stamp_ns, other.changes
        self.frozen = (
            0 < limit <= self.count
            and stamp_ns - self._since_ns >= least_ns
            and other.changes - self._other_changes >= _OTHER_CHANGES
        )
        return self.frozen

    def _flat(self, image: Array, sample: Array) -> bool:
        """Whether a repeated picture has no detail; a file is decoded once, at an eighth."""
        if image.ndim > 1:
            return _is_flat(sample)
        if self._file_is_flat is None:
            try:
                small = cv2.imdecode(image.view(np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
            except cv2.error:
                small = None
            self._file_is_flat = small is not None and _is_flat(small)
        return self._file_is_flat


def _equal(image: Array, before: Array | None) -> bool:
    """Whether all pixels are equal; NaN equals NaN."""
    if before is None or image.dtype != before.dtype:
        return False
    return np.array_equal(image, before, equal_nan=image.dtype.kind == "f")


def _is_flat(sample: Array) -> bool:
    """Whether all samples that are numbers are equal, or none is one.

    Such a picture cannot be told from a repeated one; without numbers it is a bad image, no freeze.
    """
    if sample.dtype.kind == "f":
        sample = sample[np.isfinite(sample)]
    return sample.size == 0 or bool((sample == sample.flat[0]).all())
