"""Where the ground truth of a recording comes from: what it brings, or a COCO json beside it.

An image of the json belongs to an RGB frame by the first of these that it has: ``stamp_ns``;
``frame`` (``frame_index``, ``frame_number``, ``frame_id``: RGB frames counted from 0); the number
at the end of its ``file_name`` (of its ``rgb`` path): a stamp in nanoseconds from a second up, else
a frame number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import GroundTruth
from mdacl_tools.recordings.coco_truth import ground_truth
from mdacl_tools.recordings.datasets.coco import boxes_by_image, load_coco
from mdacl_tools.recordings.datasets.record import Pair, make_record
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.scoring.pair_scoring import part_finder

FRAME_FIELDS = ("frame", "frame_index", "frame_number", "frame_id")
FIRST_STAMP = 1_000_000_000
"""A number in a file name from here on is a stamp: a frame number would mean a year of video."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Ground truth of a frame and the part of the recording that it belongs to."""

    truth: GroundTruth
    part: str | None


class RecordingTruth:
    """The ground truth that a recording brings.

    Args:
        recording: The recording.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        recording.truth(-1)  # a bag reads its labels at the first call: now, not amid its images
        self._part_of = part_finder(recording)

    def of(self, stamp_ns: int, number: int | None) -> Labelled | None:
        """What is there in a frame.

        Args:
            stamp_ns: Stamp of the RGB frame.
            number: Its number among all RGB frames of the recording; ``None`` without one.
        """
        truth = self._recording.truth(stamp_ns) if self._recording.has_truth else None
        return None if truth is None else Labelled(truth, self._part_of(stamp_ns))

    def part(self, stamp_ns: int) -> str | None:
        """Part of the recording that a stamp lies in."""
        return self._part_of(stamp_ns)


class LabelFile:
    """Ground truth of a COCO json; see above for how its images are found.

    Args:
        path: The file.

    Attributes:
        source: Its name.
        images: Number of images with labels.

    Raises:
        RecordingError: It is unreadable, or an image says in no way which frame it is of.
    """

    def __init__(self, path: Path) -> None:
        coco = load_coco(path)
        objects = boxes_by_image(coco, path)
        self.source, self.images = path.name, len(coco["images"])
        self._by_stamp: dict[int, Labelled] = {}
        self._by_number: dict[int, Labelled] = {}
        for image in coco["images"]:
            pair = Pair(0, path, path, "")
            labelled = Labelled(ground_truth(make_record(pair, objects[image["id"]])), _part(image))
            keys, key = self._place(path, image)
            keys[key] = labelled

    def of(self, stamp_ns: int, number: int | None) -> Labelled | None:
        """What is there in a frame; see :meth:`RecordingTruth.of`."""
        found = self._by_stamp.get(stamp_ns)
        return found if found is not None or number is None else self._by_number.get(number)

    def part(self, stamp_ns: int) -> str | None:
        """Only labelled frames belong to parts."""
        found = self._by_stamp.get(stamp_ns)
        return found.part if found is not None else None

    def mismatch(self, name: str, stamps: tuple[int, int] | None, count: int) -> str:
        """Why no image of the file is one of a recording's frames.

        Args:
            name: The recording.
            stamps: First and last stamp of its RGB frames.
            count: Number of its RGB frames.
        """
        says = []
        if self._by_stamp:
            says.append(f"stamps {min(self._by_stamp)} to {max(self._by_stamp)}")
        if self._by_number:
            says.append(f"frame numbers {min(self._by_number)} to {max(self._by_number)}")
        has = f"stamps {stamps[0]} to {stamps[1]}" if stamps else "none with a stamp"
        return (
            f"labels {self.source}: none of its {self.images} images matches a frame of {name}; "
            f"got {' and '.join(says) or 'no image'}, the recording has {count} RGB frames, {has}; "
            "give images stamp_ns (header stamp) or frame (from 0)"
        )

    def _place(self, path: Path, image: dict[str, Any]) -> tuple[dict[int, Labelled], int]:
        """The table that an image goes into and its key there."""
        try:
            if "stamp_ns" in image:
                return self._by_stamp, int(image["stamp_ns"])
            for field in FRAME_FIELDS:
                if field in image:
                    return self._by_number, int(image[field])
        except (TypeError, ValueError) as error:
            raise RecordingError(
                f"labels {path}: image {image.get('id')}: stamp_ns or frame is no number ({error})"
            ) from error
        file = str(image.get("rgb") or image.get("file_name") or "")
        digits = re.search(r"(\d+)\D*$", Path(file).stem)
        if digits is None:
            raise RecordingError(
                f"labels {path}: image {image.get('id')} ({file or 'no file_name'}) does not say "
                "which frame it is of; give it stamp_ns, frame, or a file_name with a number"
            )
        number = int(digits[1])
        return (self._by_stamp if number >= FIRST_STAMP else self._by_number), number


Truth = RecordingTruth | LabelFile


def open_truth(recording: Recording, labels: Path | None) -> Truth:
    """The ground truth of a recording: a file's where one is given."""
    return LabelFile(labels) if labels is not None else RecordingTruth(recording)


def _part(image: dict[str, Any]) -> str | None:
    """``smoke``, else what is said of the time of day."""
    return "smoke" if image.get("smoke") else image.get("time")
