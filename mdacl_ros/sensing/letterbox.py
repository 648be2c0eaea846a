"""The one place that knows how an image is fitted into the network input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from mdacl_ros.errors import ImageError
from mdacl_ros.types import Array, FloatArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Aspect-preserving fit of a source image into the top left of a target.

    The padding lies to the right and at the bottom, so that the mapping is a mere scale and the
    cells of the network's grid start at the image's corner. Coordinates are those of boxes: (0, 0)
    is the top left corner of the image, pixel ``i`` covers [i, i + 1].

    Attributes:
        source_size: ``(width, height)`` of the image in pixels.
        target_size: ``(width, height)`` of the network input in pixels.
    """

    source_size: tuple[int, int]
    target_size: tuple[int, int]

    def __post_init__(self) -> None:
        for name, size in (("source_size", self.source_size), ("target_size", self.target_size)):
            if len(size) != 2 or min(size) < 1:
                raise ValueError(f"letterbox {name}: got {size}, wanted (width, height) of >= 1")

    @property
    def content_size(self) -> tuple[int, int]:
        """``(width, height)`` in target pixels of the scaled image, without the padding."""
        ratio = min(t / s for s, t in zip(self.source_size, self.target_size, strict=True))
        width, height = (
            min(t, max(1, round(s * ratio)))
            for s, t in zip(self.source_size, self.target_size, strict=True)
        )
        return width, height

    @property
    def scale(self) -> tuple[float, float]:
        """Target pixels per source pixel, (x, y); they differ by rounding to whole pixels."""
        (width, height), (source_width, source_height) = self.content_size, self.source_size
        return width / source_width, height / source_height

    def forward(self, boxes: FloatArray) -> FloatArray:
        """Map boxes or points from the source image to the target.

        Args:
            boxes: ``(..., 4)`` xyxy or ``(..., 2)`` xy, in source pixels.

        Returns:
            The same shape, float32, in target pixels.
        """
        return (boxes * self._factors(boxes.shape[-1])).astype(np.float32)

    def inverse(self, boxes: FloatArray) -> FloatArray:
        """Map boxes or points from the target back to the source image.

        Args:
            boxes: ``(..., 4)`` xyxy or ``(..., 2)`` xy, in target pixels.

        Returns:
            The same shape, float32, in source pixels, not clipped.
        """
        return (boxes / self._factors(boxes.shape[-1])).astype(np.float32)

    def apply(self, image: Array) -> Array:
        """Scale an image into the target and pad with zeros.

        Args:
            image: ``(source height, source width)`` or ``(..., C)``, uint8 or float32.

        Returns:
            ``(target height, target width[, C])`` of the same type.

        Raises:
            ImageError: The image is not of ``source_size``.
        """
        self._check(image)
        if self.source_size == self.target_size:
            return image
        canvas = np.empty((*self.target_size[::-1], *image.shape[2:]), image.dtype)
        fit(image, self.content_size, canvas)
        return canvas

    def write(self, image: Array, out: Array) -> None:
        """As :meth:`apply`, into a buffer.

        Args:
            image: As for :meth:`apply`.
            out: ``(target height, target width[, C])`` of the same type.

        Raises:
            ImageError: The image is not of ``source_size``.
        """
        self._check(image)
        fit(image, self.content_size, out)

    def present_cells(self, stride: int = 32, least: float = 0.5) -> FloatArray:
        """What :func:`present_cells` makes of :meth:`coverage`, without the mask."""
        shares = [
            np.clip(content - np.arange(0, target, stride), 0, stride) / stride
            for content, target in zip(self.content_size, self.target_size, strict=True)
        ]
        return (np.outer(shares[1], shares[0]) >= least).astype(np.float32)

    def coverage(self) -> BoolArray:
        """``(target height, target width)`` bool, true where the source image lies."""
        mask = np.zeros(self.target_size[::-1], np.bool_)
        width, height = self.content_size
        mask[:height, :width] = True
        return mask

    def _check(self, image: Array) -> None:
        if (image.shape[1], image.shape[0]) != self.source_size:
            raise ImageError(
                f"letterbox: got an image of {image.shape[1]}x{image.shape[0]}, wanted"
                f" {self.source_size[0]}x{self.source_size[1]}; the camera changed its resolution:"
                " rebuild the registration"
            )

    def _factors(self, coordinates: int) -> npt.NDArray[np.float64]:
        """Scale repeated for xy or xyxy."""
        return np.tile(np.asarray(self.scale, np.float64), coordinates // 2)


def fit(image: Array, content: tuple[int, int], out: Array) -> None:
    """Scale an image into the top left of a buffer and make the rest of it zero.

    Args:
        image: ``(H, W[, C])`` uint8 or float32.
        content: ``(width, height)`` to scale to.
        out: ``(target height, target width[, C])`` of the same type.
    """
    width, height = content
    inside = out[:height, :width]
    if inside.shape == image.shape:
        np.copyto(inside, image)
    else:
        # Averaging instead of sampling where pixels are lost: small people must not alias.
        method = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_LINEAR
        cv2.resize(cast(Any, image), content, dst=cast(Any, inside), interpolation=method)
    out[:, width:] = 0
    out[height:, :width] = 0


def present_cells(coverage: BoolArray, stride: int = 32, least: float = 0.5) -> FloatArray:
    """Reduce a coverage mask to the cells of the network's ``present`` input.

    Args:
        coverage: ``(H, W)`` bool, H and W multiples of ``stride``.
        stride: Side of a cell in pixels.
        least: Share of a cell's pixels that must be covered, in (0, 1].

    Returns:
        ``(H / stride, W / stride)`` float32, 1 where covered, else 0.

    Raises:
        ValueError: H or W is not a multiple of ``stride``.
    """
    height, width = coverage.shape
    if height % stride or width % stride:
        raise ValueError(f"coverage: got {width}x{height}, wanted multiples of {stride}")
    cells = coverage.reshape(height // stride, stride, width // stride, stride)
    return (cells.mean(axis=(1, 3)) >= least).astype(np.float32)
