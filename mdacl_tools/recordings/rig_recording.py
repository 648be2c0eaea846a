"""A recording of one view as two cameras of a rig would deliver it: known truth for calibrations.

from mdacl_tools.recordings.rig_recording import RigRecording
from mdacl_ros.sensing.registration.rig import load_rig

recording = RigRecording(same_view, load_rig("calibration/example_rig.yaml"), distance=12.0)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, cast

import cv2
import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.sensing.registration.geometry import rgb_from_thermal
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_ros.types import GroundTruth, Modality
from mdacl_tools.recordings.recording import Event, Recording


class RigRecording:
    """Thermal seen through a rig's thermal camera, RGB as it is; see :class:`.recording.Recording`.

    The scene is taken for a plane: everything stands at one distance, nothing shows parallax.

    Args:
        source: Both cameras see the same view, RGB in the rig's resolution.
        rig: Where the thermal camera really is.
        distance: Metres at which the plane stands.
    """

    def __init__(self, source: Recording, rig: RigCalibration, distance: float) -> None:
        self.name, self.fps, self.frames = source.name, source.fps, source.frames
        self.duration_ns, self.phases = source.duration_ns, source.phases
        self.has_truth = source.has_truth
        self._source, self._rig = source, rig
        width, height = rig.thermal.size
        x, y = np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float))
        points = np.column_stack((x.ravel(), y.ravel()))
        self._in_rgb = rgb_from_thermal(rig, points, distance).reshape(height, width, 2)

    def __iter__(self) -> Iterator[Event]:
        """The source's events.

        Raises:
            RecordingError: RGB has another size than the rig's.
        """
        for event in self._source:
            image = event.frame.image
            if event.camera == "rgb":
                size = (image.shape[1], image.shape[0])
                if size != self._rig.rgb.size:
                    raise RecordingError(
                        f"recording {self.name}: RGB is {size[0]}x{size[1]}, but the rig's is"
                        f" {self._rig.rgb.size[0]}x{self._rig.rgb.size[1]}; render that size"
                    )
                yield event
                continue
            scale = np.asarray(image.shape[1::-1]) / np.asarray(self._rig.rgb.size)
            at = ((self._in_rgb + 0.5) * scale - 0.5).astype(np.float32)
            seen = cv2.remap(
                cast(Any, image), at, cast(Any, None), cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE
            )
            yield dataclasses.replace(event, frame=dataclasses.replace(event.frame, image=seen))

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        """Boxes of the source: they lie in RGB."""
        return self._source.truth(stamp_ns)

    def camera_model(self, camera: Modality) -> CameraModel | None:
        """The rig's cameras."""
        return self._rig.rgb if camera == "rgb" else self._rig.thermal

    def close(self) -> None:
        """Close the source."""
        self._source.close()
