"""One resolution a camera: what moves between two of them is no motion and no calibration."""

from __future__ import annotations

from mdacl_ros.errors import CalibrationError
from mdacl_ros.types import Frame, Modality

Size = tuple[int, int]


class OneSize:
    """Remembers the first image's size of each camera.

    Args:
        name: The recording, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._sizes: dict[Modality, Size] = {}

    def check(self, camera: Modality, frame: Frame) -> None:
        """Compare a frame with the camera's first.

        Raises:
            CalibrationError: It is of another size.
        """
        size = (frame.image.shape[1], frame.image.shape[0])
        first = self._sizes.setdefault(camera, size)
        if size != first:
            raise CalibrationError(
                f"recording {self._name}: {camera} images change from {first[0]}x{first[1]} to"
                f" {size[0]}x{size[1]} at {frame.stamp_ns} ns, wanted one resolution; record"
                " without changing the camera's mode"
            )
