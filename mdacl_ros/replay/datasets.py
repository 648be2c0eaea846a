"""Data sets of single RGB-thermal image pairs, played as a slide show with ground truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from mdacl_ros.errors import RecordingError
from mdacl_ros.replay.recording import FIRST_STAMP_NS, Event, Phase, single
from mdacl_ros.replay.truth import load_coco, truth_by_image
from mdacl_ros.sensing.rig_types import CameraModel
from mdacl_ros.types import Frame, GroundTruth, Modality

DEFAULT_FPS = 2.0
"""Slides a second unless told otherwise: slow enough to look at."""

THERMAL_ENCODINGS = {"uint8": "mono8", "uint16": "mono16"}


class DatasetRecording:
    """A folder with a COCO json whose images have ``rgb`` and ``thermal`` paths.

    See :class:`.recording.Recording`. The json file may be given instead of the folder.

    Args:
        path: Folder (its ``test.json``, else its only json of this kind) or json file.
        sequence: Only images of this ``sequence``, where the json names them.
        fps: Image pairs a second.

    Raises:
        RecordingError: If the json cannot be used or no image of ``sequence`` is in it.
    """

    def __init__(
        self, path: Path, *, sequence: str | None = None, fps: float | None = None
    ) -> None:
        self._json = find_json(path)
        coco = load_coco(self._json)
        self._images = _select(coco["images"], sequence, self._json)
        truth = truth_by_image(coco)
        rate = DEFAULT_FPS if fps is None else fps
        self._period = 1_000_000_000 / rate
        self._truth = {self._stamp(i): truth[im["id"]] for i, im in enumerate(self._images)}
        self.name = sequence or f"{self._json.parent.name}_{self._json.stem}"
        self.fps: dict[Modality, float] = {"rgb": rate, "thermal": rate}
        count = len(self._images)
        self.frames: dict[Modality, int] = {"rgb": count, "thermal": count}
        self.duration_ns = self._stamp(count - 1) - FIRST_STAMP_NS
        self.phases = self._find_phases()
        self.has_truth = True

    def __iter__(self) -> Iterator[Event]:
        """Both images of each pair carry one stamp, RGB first."""
        for index, image in enumerate(self._images):
            stamp = self._stamp(index)
            rgb = cv2.cvtColor(self._read(image, "rgb", cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            yield Event("rgb", stamp, Frame(rgb, stamp, "rgb_optical_frame", "rgb8"))
            thermal = self._read(image, "thermal", cv2.IMREAD_ANYDEPTH)
            encoding = THERMAL_ENCODINGS[str(thermal.dtype)]
            yield Event("thermal", stamp, Frame(thermal, stamp, "thermal_optical_frame", encoding))

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        """Boxes of the pair with this stamp."""
        return self._truth.get(stamp_ns)

    def camera_model(self, camera: Modality) -> CameraModel | None:
        """Data sets give no intrinsics, and their images may differ in size."""
        return None

    def close(self) -> None:
        """Nothing is open between two frames."""

    def _stamp(self, index: int) -> int:
        return FIRST_STAMP_NS + round(index * self._period)

    def _read(self, image: dict[str, Any], camera: Modality, flags: int) -> Any:
        path = self._json.parent / image[camera]
        pixels = cv2.imread(str(path), flags)
        if pixels is None:
            raise RecordingError(f"image {path} of {self._json}: missing or not readable")
        return pixels

    def _find_phases(self) -> tuple[Phase, ...]:
        """Runs of images with the same ``time`` (day, night) and smoke."""
        phases: list[Phase] = []
        for index, image in enumerate(self._images):
            name = "smoke" if image.get("smoke") else image.get("time")
            if name is None:
                return ()
            start, end = self._stamp(index), self._stamp(index + 1)
            if phases and phases[-1].name == name:
                phases[-1] = Phase(name, phases[-1].start_ns, end)
            else:
                phases.append(Phase(name, start, end))
        return tuple(phases)


def _select(images: list[Any], sequence: str | None, path: Path) -> list[dict[str, Any]]:
    sequences = sorted({image["sequence"] for image in images if "sequence" in image})
    if sequence is not None:
        images = [image for image in images if image.get("sequence") == sequence]
    if not images:
        wanted = ", ".join(sequences) or "no clip name: its images belong to no sequence"
        raise RecordingError(f"data set {path}: got clip {sequence!r}, wanted {wanted}")
    return images


def find_json(path: Path) -> Path:
    """The COCO json of a data-set folder: ``test.json``, else the only one with image pairs.

    Raises:
        RecordingError: If there are none or several.
    """
    if path.is_file():
        return path
    if _has_pairs(path / "test.json"):
        return path / "test.json"
    return single([p for p in sorted(path.glob("*.json")) if _has_pairs(p)], path)


def is_dataset(path: Path) -> bool:
    """Whether this folder or json file is a data set of RGB-thermal pairs."""
    files = [path] if path.is_file() else sorted(path.glob("*.json"))
    return any(_has_pairs(file) for file in files)


def _has_pairs(path: Path) -> bool:
    if path.suffix != ".json" or not path.is_file():
        return False
    try:
        coco = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return False
    images = coco.get("images") if isinstance(coco, dict) else None
    return (
        isinstance(images, list)
        and bool(images)
        and all("rgb" in image and "thermal" in image for image in images)
    )
