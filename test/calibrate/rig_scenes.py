"""A still recording of clutter, and the rig that saw it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_ros.types import Frame
from mdacl_tools.recordings.recording import FIRST_STAMP_NS, Event

RGB, THERMAL = (640, 360), (320, 256)
STEP_NS = 100_000_000


def rig(**changes) -> RigCalibration:
    """Cameras side by side, different lenses."""
    rgb = np.array([[455.0, 0, 320], [0, 455, 180], [0, 0, 1]])
    thermal = np.array([[280.0, 0, 160], [0, 280, 128], [0, 0, 1]])
    made = RigCalibration(
        "extrinsics",
        CameraModel(RGB, rgb, (-0.05, 0.06, 0.0, 0.0, 0.0)),
        CameraModel(THERMAL, thermal, (-0.28, 0.1, 0.0, 0.0, 0.0)),
        reference_distance=12.0,
        rotation=np.eye(3),
        translation=np.array([0.06, 0.0, 0.0]),
        date="2026-11-01",
        source="test",
    )
    return replace(made, **changes)


def turned(pan: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """Rotation about the y axis, then about the z axis, degrees."""
    about_y, about_z = (
        cv2.Rodrigues(np.radians(v))[0] for v in ((0.0, pan, 0.0), (0.0, 0.0, roll))
    )
    return about_z @ about_y


class Still:
    """Pairs of one view with noise; thermal is the negative. A :class:`Recording`."""

    name, has_truth, phases = "still", False, ()

    def __init__(self, pairs: int = 4, size: tuple[int, int] = RGB, dark: bool = False) -> None:
        self.fps = {"rgb": 10.0, "thermal": 10.0}
        self.frames = {"rgb": pairs, "thermal": pairs}
        self.duration_ns = pairs * STEP_NS
        rng = np.random.default_rng(7)
        image = np.full((size[1], size[0], 3), 90, np.uint8)
        for _ in range(500):
            centre, half = rng.integers(0, size), rng.integers(6, 50)
            points = (rng.integers(-half, half, (4, 2)) + centre).astype(np.int32)
            cv2.fillConvexPoly(image, points, [int(c) for c in rng.integers(20, 230, 3)])
        self.thermal = 255 - cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        self.rgb = 0 * image if dark else image

    def __iter__(self) -> Iterator[Event]:
        rng = np.random.default_rng(1)
        for number in range(self.frames["rgb"]):
            stamp = FIRST_STAMP_NS + number * STEP_NS
            noise = rng.normal(0, 2, self.rgb.shape)
            rgb = (self.rgb + noise).clip(0, 255).astype(np.uint8)
            thermal = (self.thermal + noise[..., 0]).clip(0, 255).astype(np.uint8)
            yield Event("rgb", stamp, Frame(rgb, stamp, "rgb", "rgb8"))
            yield Event("thermal", stamp, Frame(thermal, stamp, "thermal", "mono8"))

    def truth(self, stamp_ns: int) -> None:
        return None

    def camera_model(self, camera: str) -> None:
        return None

    def close(self) -> None:
        pass
