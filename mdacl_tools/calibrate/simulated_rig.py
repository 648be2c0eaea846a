"""A simulated RGB-thermal rig in front of a board: known truth for tests and benchmarks.

Images are the ideal board seen through the exact inverse of the lens, averaged over each pixel,
blurred, then noisy. In thermal the board is heated: what is black on it is hot, so bright.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_ros.types import MODALITIES, Array, Modality
from mdacl_tools.calibrate.board.board import Board, Points
from mdacl_tools.calibrate.board.optics import lens_of, projected, rotation_of
from mdacl_tools.calibrate.board.patterns import outline
from mdacl_tools.calibrate.board_render import BoardRenderer

Size = tuple[int, int]

RGB_SIZE: Size = (1280, 720)
LARGE_THERMAL: Size = (640, 512)
SMALL_THERMAL: Size = (160, 120)

_KELVIN = 295.0, 18.0  # of the room; what a warm board is above it
_TRIES = 400


@dataclass(frozen=True, slots=True)
class Optics:
    """How far a camera's picture is from the ideal one.

    Attributes:
        blur: Standard deviation of the point spread in pixels, pixel area not counted.
        noise: Standard deviation, as a share of the board's contrast.
    """

    blur: float
    noise: float


@dataclass(frozen=True, slots=True)
class SimulatedRig:
    """Two cameras, their truth, and what they deliver of a board.

    Attributes:
        truth: Intrinsics and extrinsics, exact.
        board: The target.
        optics: Blur and noise of each camera.
    """

    truth: RigCalibration
    board: Board
    optics: dict[Modality, Optics] = field(
        default_factory=lambda: {"rgb": Optics(0.6, 0.03), "thermal": Optics(0.7, 0.04)}
    )

    def poses(self, count: int, rng: np.random.Generator) -> list[Points]:
        """Positions of the board as somebody moves it: over the image, near and far, tilted.

        Args:
            count: How many.
            rng: Source of chance.

        Returns:
            ``(4, 4)`` board -> RGB optical frame each; the whole board is in both images.
        """
        cells = [(column, row) for row in range(3) for column in range(4)]
        return [self._pose(cells[i % len(cells)], rng) for i in range(count)]

    def images(self, pose: Points, rng: np.random.Generator) -> dict[Modality, Array]:
        """Both cameras' pictures of the board.

        Args:
            pose: ``(4, 4)`` board -> RGB optical frame.
            rng: Source of noise.

        Returns:
            ``rgb``: ``(H, W, 3)`` uint8; ``thermal``: ``(H, W)`` uint16 centikelvin.
        """
        poses = {"rgb": pose, "thermal": self.to_thermal(pose)}
        pictures: dict[Modality, Array] = {}
        for camera in MODALITIES:
            optics = self.optics[camera]
            renderer = BoardRenderer.of(getattr(self.truth, camera), self.board)
            ideal = renderer.render(poses[camera], optics.blur, heated=camera == "thermal")
            ideal += rng.normal(0.0, optics.noise, ideal.shape).astype(np.float32)
            if camera == "rgb":
                grey = np.clip(40 + 170 * ideal, 0, 255).astype(np.uint8)
                pictures["rgb"] = np.repeat(grey[:, :, None], 3, axis=2)
            else:
                kelvin = _KELVIN[0] + _KELVIN[1] * ideal
                pictures["thermal"] = np.round(100 * kelvin).astype(np.uint16)
        return pictures

    def to_thermal(self, pose: Points) -> Points:
        """``(4, 4)`` board -> RGB frame to board -> thermal frame."""
        return np.asarray(np.linalg.inv(self._thermal_to_rgb()) @ pose, np.float64)

    def _thermal_to_rgb(self) -> Points:
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = self.truth.rotation, self.truth.translation
        return matrix

    def _pose(self, cell: tuple[int, int], rng: np.random.Generator) -> Points:
        """A pose near one of 4x3 places of the image at which both cameras see the whole board."""
        for attempt in range(_TRIES):
            pull = 1 - attempt / _TRIES  # a place that cannot be is given up towards the centre
            place = (np.add(cell, rng.uniform(0.1, 0.9, 2)) / (4, 3) - 0.5) * pull
            pose = self._pose_at(place, rng)
            if self._is_seen(pose):
                return pose
        raise ValueError("no pose at which both cameras see the whole board; turn them together")

    def _pose_at(self, place: Points, rng: np.random.Generator) -> Points:
        corners = outline(self.board)
        extent = float(np.ptp(corners[:, 0]))
        camera = self.truth.thermal
        focal, width = float(np.asarray(camera.matrix)[0, 0]), camera.size[0]
        distance = extent * focal / (width * rng.uniform(0.4, 0.75))
        tilt, roll = math.radians(rng.uniform(5, 42)), math.radians(rng.normal(0, 12))
        direction = rng.uniform(0, 2 * math.pi)
        axis = np.array([math.cos(direction), math.sin(direction), 0.0]) * tilt
        turned = rotation_of(axis) @ rotation_of(np.array([0.0, 0.0, roll]))
        centre = np.append(place * (width, camera.size[1]) / focal, 1.0) * distance
        pose = np.eye(4)
        pose[:3, :3] = turned
        pose[:3, 3] = centre - turned @ np.append(corners.mean(axis=0), 0.0)
        return self._thermal_to_rgb() @ pose

    def _is_seen(self, pose: Points) -> bool:
        points = self.board.points
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        reach = 0.9 * self.board.neighbour_distance
        border = [(low - reach), (high[0] + reach, low[1] - reach), (high + reach)]
        border.append((low[0] - reach, high[1] + reach))
        corners = np.column_stack((np.array(border), np.zeros(4)))
        for camera, matrix in (
            (self.truth.rgb, pose),
            (self.truth.thermal, self.to_thermal(pose)),
        ):
            inside = corners @ matrix[:3, :3].T + matrix[:3, 3]
            if (inside[:, 2] < 0.1).any():
                return False
            lens = lens_of(np.asarray(camera.matrix, np.float64), camera.distortion)
            pixels, _ = projected(inside, lens, np.zeros(6))
            if (pixels < 1).any() or (pixels > np.array(camera.size) - 2).any():
                return False
        return True


def random_rig(
    rng: np.random.Generator, thermal_size: Size, rgb_size: Size = RGB_SIZE
) -> RigCalibration:
    """A rig as robots carry them: lenses with distortion, 4 to 12 cm apart, not quite parallel.

    Args:
        rng: Source of chance.
        thermal_size: Width and height of the thermal image in pixels.
        rgb_size: The same of the colour image.
    """
    rotation = rotation_of(np.radians(rng.normal(0, 1.5, 3)))
    side = math.copysign(rng.uniform(0.04, 0.12), rng.uniform(-1, 1))
    translation = np.array([side, rng.normal(0, 0.015), rng.normal(0, 0.01)])
    return RigCalibration(
        "extrinsics",
        _camera(rng, rgb_size, rng.uniform(0.68, 0.85), 0.1),
        _camera(rng, thermal_size, rng.uniform(0.9, 1.25), 0.28),
        rotation=rotation,
        translation=translation,
        date="2026-11-25",
        source="simulated",
    )


def _camera(rng: np.random.Generator, size: Size, focal: float, barrel: float) -> CameraModel:
    """Intrinsics: focal length in image widths; strength of the lens's barrel distortion."""
    width, height = size
    length = focal * width
    matrix = np.array(
        [
            [length, 0.0, (width - 1) / 2 + rng.normal(0, 0.015) * width],
            [
                0.0,
                length * (1 + rng.normal(0, 0.001)),
                (height - 1) / 2 + rng.normal(0, 0.015) * height,
            ],
            [0.0, 0.0, 1.0],
        ]
    )
    k1 = -barrel * rng.uniform(0.6, 1.2)
    lens = (k1, 0.5 * k1 * k1 + rng.normal(0, 0.01), *rng.normal(0, 0.0008, 2), 0.0)
    return CameraModel(size, matrix, tuple(float(value) for value in lens))
