"""Pairs in which one camera misleads: it shows something, but not what is there now.

Unlike a corruption, which leaves less to see, a misleading image is plausible by itself; only the
other camera can say so. Ours. Which kinds a training sees is in its configuration, so that others
can be held out by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from mdacl_ros.types import FloatArray, Modality
from mdacl_tools.learning.patch import paste_patch


@dataclass(frozen=True, slots=True)
class LabelledScene:
    """Another pair, of which a misleading camera shows something.

    Attributes:
        rgb: ``(H, W, 3)`` uint8.
        thermal: ``(H, W)`` float32 in [0, 1].
        boxes: ``(N, 4)`` xyxy of its objects.
    """

    rgb: np.ndarray
    thermal: np.ndarray
    boxes: FloatArray


@dataclass(frozen=True, slots=True)
class Misleading:
    """One way to mislead.

    Attributes:
        camera: Which camera it is.
        function: Maps its image, the same camera's image of another scene, that scene's boxes and a
            generator to the misleading image, of the same size and type.
        blinds: Whether the camera no longer shows the objects that are there.
    """

    camera: Modality
    function: Callable[[np.ndarray, np.ndarray, FloatArray, np.random.Generator], np.ndarray]
    blinds: bool


def mislead(
    kind: str, image: np.ndarray, scene: LabelledScene, rng: np.random.Generator
) -> np.ndarray:
    """The image of a misleading camera; the input is left as it is.

    Args:
        kind: Key of :data:`MISLEADING`.
        image: Of its camera: rgb ``(H, W, 3)`` uint8, thermal ``(H, W)`` float32 in [0, 1].
        scene: Another pair, of any size.
        rng: The only source of chance.
    """
    chosen = MISLEADING[kind]
    other = scene.rgb if chosen.camera == "rgb" else scene.thermal
    return chosen.function(image, other, scene.boxes, rng)


def _other_scene(
    image: np.ndarray, other: np.ndarray, _boxes: FloatArray, _rng: np.random.Generator
) -> np.ndarray:
    """A recording that plays the wrong file, or a driver that holds an old frame for minutes."""
    return cv2.resize(other, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _stale(
    image: np.ndarray, _other: np.ndarray, _boxes: FloatArray, rng: np.random.Generator
) -> np.ndarray:
    """The view of some seconds ago: the robot stood elsewhere and looked a little elsewhere."""
    h, w = image.shape[:2]
    zoom, turn = rng.uniform(0.8, 0.95), rng.choice((-1, 1)) * rng.uniform(0.08, 0.25)
    matrix = np.array([[1 / zoom, 0, w * turn], [0, 1 / zoom, 0]], np.float64)
    matrix[:, 2] += np.array([w, h]) * (1 - 1 / zoom) / 2
    return cv2.warpAffine(image, matrix, (w, h), borderMode=cv2.BORDER_REFLECT)


def _blank(
    image: np.ndarray, _other: np.ndarray, _boxes: FloatArray, rng: np.random.Generator
) -> np.ndarray:
    """A cap on the lens, or a driver that sends one level; with the grain of a sensor."""
    most = _most(image)
    level = rng.choice((0.0, rng.random(), 1.0)) * most
    grain = rng.standard_normal(image.shape, np.float32) * most * rng.uniform(0, 0.02)
    return (level + grain).clip(0, most).astype(image.dtype)


def _saturated(
    image: np.ndarray, _other: np.ndarray, _boxes: FloatArray, rng: np.random.Generator
) -> np.ndarray:
    """An exposure, or a gain, that is far too high."""
    gain = rng.uniform(3, 8)
    return (image.astype(np.float32) * gain).clip(0, _most(image)).astype(image.dtype)


def _decoys(
    image: np.ndarray, other: np.ndarray, boxes: FloatArray, rng: np.random.Generator
) -> np.ndarray:
    """One to three objects of another scene that only this camera shows: posters, hot ghosts."""
    result = image.copy()
    h, w = image.shape[:2]
    sides = boxes[:, 2:] - boxes[:, :2]
    usable = boxes[(sides.min(1) >= 6) & (sides[:, 0] < 0.6 * w) & (sides[:, 1] < 0.8 * h)]
    for index in rng.permutation(len(usable))[: int(rng.integers(1, 4))]:
        side = usable[index, 2:] - usable[index, :2]
        corner = rng.random(2) * (np.array([w, h]) - side)
        place = np.concatenate([corner, corner + side]).astype(np.float32)
        paste_patch(result, other, usable[index], place, bool(rng.random() < 0.5))
    return result


def _reflection(
    image: np.ndarray, other: np.ndarray, _boxes: FloatArray, rng: np.random.Generator
) -> np.ndarray:
    """A pane in front of the camera that mirrors another scene into a part of the image."""
    h, w = image.shape[:2]
    ghost = cv2.resize(other, (w, h), interpolation=cv2.INTER_LINEAR)[:, ::-1].astype(np.float32)
    x = np.arange(w, dtype=np.float32) / w
    pane = (np.abs(x - rng.uniform(0.2, 0.8)) < rng.uniform(0.15, 0.4)).astype(np.float32)
    weight = cv2.GaussianBlur(pane[None], (0, 0), 3.0) * np.float32(rng.uniform(0.35, 0.65))
    weight = weight.reshape(1, w, *[1] * (image.ndim - 2))
    mixed = image.astype(np.float32) * (1 - weight) + ghost * weight
    return mixed.clip(0, _most(image)).astype(image.dtype)


def _inverted(
    image: np.ndarray, _other: np.ndarray, _boxes: FloatArray, _rng: np.random.Generator
) -> np.ndarray:
    """Black-hot polarity."""
    return (1 - image).astype(image.dtype)


def _clipped(
    image: np.ndarray, _other: np.ndarray, _boxes: FloatArray, rng: np.random.Generator
) -> np.ndarray:
    """A gain control that a hot thing has taken over: the scene is crushed into dark grey."""
    low, high = np.quantile(image, (0.5, 0.98))
    unit = (image - low) / max(float(high - low), 0.05)
    return (unit * rng.uniform(0.05, 0.15)).clip(0, 1).astype(image.dtype)


def _equalised(
    image: np.ndarray, _other: np.ndarray, _boxes: FloatArray, _rng: np.random.Generator
) -> np.ndarray:
    """A camera that equalises its histogram: noise and sky are as strong as people."""
    levels = cv2.equalizeHist((image * 255).astype(np.uint8))
    return (levels.astype(np.float32) / 255).astype(image.dtype)


def _coarse(
    image: np.ndarray, _other: np.ndarray, _boxes: FloatArray, rng: np.random.Generator
) -> np.ndarray:
    """A sensor of 80x60 for a view of 640x480."""
    size = max(2, round(image.shape[1] / 8)), max(2, round(image.shape[0] / 8))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    small = small + rng.standard_normal(small.shape, np.float32) * np.float32(0.01)
    return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR).clip(0, 1)


def _misaligned(
    image: np.ndarray, _other: np.ndarray, _boxes: FloatArray, rng: np.random.Generator
) -> np.ndarray:
    """A rig that was hit: the image lies 6 to 16 pixels off."""
    angle, step = rng.uniform(0, 2 * np.pi), rng.uniform(6, 16)
    matrix = np.array([[1, 0, step * np.cos(angle)], [0, 1, step * np.sin(angle)]], np.float64)
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def _most(image: np.ndarray) -> float:
    return 255.0 if image.dtype == np.uint8 else 1.0


MISLEADING: dict[str, Misleading] = {
    "rgb_other_scene": Misleading("rgb", _other_scene, True),
    "rgb_stale": Misleading("rgb", _stale, True),
    "rgb_blank": Misleading("rgb", _blank, True),
    "rgb_saturated": Misleading("rgb", _saturated, False),
    "rgb_decoys": Misleading("rgb", _decoys, False),
    "rgb_reflection": Misleading("rgb", _reflection, False),
    "thermal_other_scene": Misleading("thermal", _other_scene, True),
    "thermal_stale": Misleading("thermal", _stale, True),
    "thermal_blank": Misleading("thermal", _blank, True),
    "thermal_saturated": Misleading("thermal", _saturated, False),
    "thermal_decoys": Misleading("thermal", _decoys, False),
    "thermal_reflection": Misleading("thermal", _reflection, False),
    "thermal_inverted": Misleading("thermal", _inverted, False),
    "thermal_clipped": Misleading("thermal", _clipped, False),
    "thermal_equalised": Misleading("thermal", _equalised, False),
    "thermal_coarse": Misleading("thermal", _coarse, False),
    "thermal_misaligned": Misleading("thermal", _misaligned, False),
}
"""Every way to mislead, by name, the camera first."""
