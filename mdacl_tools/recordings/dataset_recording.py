"""Data sets of single RGB-thermal image pairs, played as a slide show with ground truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import Frame, GroundTruth, Modality
from mdacl_tools.recordings.coco_truth import ground_truth
from mdacl_tools.recordings.datasets.images import orientation, read_rgb, read_thermal
from mdacl_tools.recordings.datasets.open_dataset import dataset_splits, default_split, open_dataset
from mdacl_tools.recordings.datasets.open_dataset import is_dataset as is_dataset
from mdacl_tools.recordings.datasets.record import PairRecord
from mdacl_tools.recordings.recording import FIRST_STAMP_NS, Event, RecordingPhase

DEFAULT_FPS = 2.0
"""Slides a second unless told otherwise: slow enough to look at."""

LEAST_FPS, MOST_FPS = 0.001, 1000.0
"""Stamps of more frames than any data set has still fit, and still differ."""


class DatasetRecording:
    """A data set of any layout that :mod:`mdacl_tools.recordings.datasets` knows.

    See :class:`.recording.Recording`.

    Args:
        path: Folder, or COCO json file.
        sequence: Only images of this ``sequence``, where the data set names them.
        fps: Image pairs a second.
        split: Part of the data set; the test part, else the only one, unless given.
        camera: Which camera a COCO json is of that names one image each.

    Attributes:
        notes: What was read other than as it stands there, with the number of images.

    Raises:
        RecordingError: If it cannot be read, has several parts and none is for testing, or no image
            of ``sequence``; or ``fps`` makes no sense.
    """

    def __init__(
        self,
        path: Path,
        *,
        sequence: str | None = None,
        fps: float | None = None,
        split: str | None = None,
        camera: Modality | None = None,
    ) -> None:
        fps = DEFAULT_FPS if fps is None else fps
        if not LEAST_FPS <= fps <= MOST_FPS:
            raise RecordingError(
                f"recording {path}: fps: got {fps}, wanted {LEAST_FPS:g} to {MOST_FPS:g}"
            )
        if path.is_dir() and split is None:
            split = default_split(dataset_splits(path), path)
        dataset = open_dataset(path, split, camera=camera)
        self._read_notes = [*dataset.notes]
        self._turned = 0
        self._records = _select(dataset.sound_records(), sequence, path)
        self._period = 1_000_000_000 / fps
        self._truth = {self._stamp(i): ground_truth(r) for i, r in enumerate(self._records)}
        part = self._records[0].split
        self.name = sequence or f"{(path.parent if path.is_file() else path).name}_{part}"
        rate = 1_000_000_000 / self._period
        cameras = _cameras(self._records)
        self.fps: dict[Modality, float] = dict.fromkeys(cameras, rate)
        count = len(self._records)
        self.frames: dict[Modality, int] = dict.fromkeys(cameras, count)
        self.duration_ns = self._stamp(count - 1) - FIRST_STAMP_NS
        self.phases = self._find_phases()
        self.has_truth = True

    def __iter__(self) -> Iterator[Event]:
        """Both images of each pair carry one stamp, RGB first."""
        self._turned = 0
        for index, record in enumerate(self._records):
            stamp = self._stamp(index)
            self._turned += any(orientation(file) != 1 for file in record.files)
            if record.rgb is not None:
                rgb = read_rgb(record.rgb)
                yield Event("rgb", stamp, Frame(rgb, stamp, "rgb_optical_frame", "rgb8"))
            if record.thermal is not None:
                thermal, encoding = read_thermal(record.thermal)
                frame = Frame(thermal, stamp, "thermal_optical_frame", encoding)
                yield Event("thermal", stamp, frame)

    @property
    def notes(self) -> list[str]:
        """What was read other than as it stands there."""
        lines = [*self._read_notes, *_label_notes(self._records)]
        if self._turned:
            lines.append(
                f"{self._turned} pairs carry an EXIF orientation: it is not applied, images are "
                "read as they are stored, as the node does"
            )
        return lines

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

    def _find_phases(self) -> tuple[RecordingPhase, ...]:
        """Runs of images with the same ``time`` (day, night) and smoke."""
        phases: list[RecordingPhase] = []
        for index, record in enumerate(self._records):
            name = "smoke" if record.meta.get("smoke") else record.meta.get("time")
            if name is None:
                return ()
            start, end = self._stamp(index), self._stamp(index + 1)
            if phases and phases[-1].name == name:
                phases[-1] = RecordingPhase(str(name), phases[-1].start_ns, end)
            else:
                phases.append(RecordingPhase(str(name), start, end))
        return tuple(phases)


def _label_notes(records: Sequence[PairRecord]) -> list[str]:
    """How often labels were read other than as they stand there, by kind."""
    found: dict[str, list[str]] = {}
    for record in records:
        for note in record.notes:
            found.setdefault(note, []).append(record.name)
    return [f"{len(names)} labels ({names[0]}, ...): {note}" for note, names in found.items()]


def _cameras(records: Sequence[PairRecord]) -> list[Modality]:
    cameras: list[Modality] = []
    if any(record.rgb is not None for record in records):
        cameras.append("rgb")
    if any(record.thermal is not None for record in records):
        cameras.append("thermal")
    return cameras


def _select(records: list[PairRecord], sequence: str | None, path: Path) -> list[PairRecord]:
    if sequence is None:
        return records
    chosen = [record for record in records if record.meta.get("sequence") == sequence]
    if not chosen:
        names = sorted({str(r.meta["sequence"]) for r in records if "sequence" in r.meta})
        wanted = ", ".join(names) or "no clip name: its images belong to no sequence"
        raise RecordingError(f"data set {path}: got clip {sequence!r}, wanted {wanted}")
    return chosen
