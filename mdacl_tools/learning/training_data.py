"""Everything a run learns from, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mdacl_ros.types import Modality
from mdacl_tools.learning.batches import Extra, TrainingPairs
from mdacl_tools.learning.samples import Sample, load_sample, read_pairs, simulated_samples
from mdacl_tools.learning.train_config import TrainConfig
from mdacl_tools.recordings.datasets.open_dataset import dataset_splits, training_split
from mdacl_tools.recordings.datasets.record import PairRecord

LONGEST = 832
"""Larger images are shrunk at load: zooming in to 1.3 times 640 needs no more."""

Track = Callable[[Iterable[Sample], int, str], Iterable[Sample]]
"""Shows progress over samples, given how many there are and what they are."""


@dataclass
class TrainingData:
    """Reads what runs ask for, once.

    Attributes:
        folder: Data folder.
        scenes: Folder that keeps rendered scenes.
        track: Shows the progress.
    """

    folder: Path
    scenes: Path
    track: Track = lambda samples, _count, _what: samples
    _read: dict[object, list[Sample]] = field(default_factory=dict)

    def pairs(self, config: TrainConfig) -> TrainingPairs:
        """The augmented stream of one run.

        Raises:
            RecordingError: A data set cannot be read, or the shares do not fit.
        """
        classes = len(config.detector_config().labels)
        # What is recorded comes first: a wrong path is told before scenes are rendered.
        real = self.real(config)
        rgb = self._labelled(config.rgb_annotations, classes, "rgb")
        thermal = self._labelled(config.thermal_annotations, classes, "thermal")
        further = self._labelled(config.pair_annotations, classes, None)
        extras = (  # in this order, which the draws of earlier runs had
            Extra(self._simulated(config.simulated, classes), config.simulated_share),
            Extra(rgb, config.rgb_share),
            Extra(thermal, config.thermal_share),
            Extra(further, config.pair_share),
        )
        return TrainingPairs(real, extras, config.augmentation, config.seed)

    def real(self, config: TrainConfig) -> list[Sample]:
        """The labelled pairs of one run."""
        return self._labelled(config.annotations, len(config.detector_config().labels), None)

    def _labelled(
        self, names: Sequence[str], classes: int, camera: Modality | None
    ) -> list[Sample]:
        key = (tuple(names), classes, camera)
        if key not in self._read:
            records = [r for name in names for r in learnt_from(self.folder / name, camera)]
            samples = (load_sample(r, classes, LONGEST) for r in records)
            self._read[key] = list(self.track(samples, len(records), ", ".join(names)))
        return self._read[key]

    def _simulated(self, count: int, classes: int) -> list[Sample]:
        key = (count, classes)
        if key not in self._read:
            scenes = simulated_samples(count, classes, self.scenes)
            self._read[key] = list(self.track(scenes, count, "simulated scenes"))
        return self._read[key]


def learnt_from(path: Path, camera: Modality | None) -> list[PairRecord]:
    """All of a COCO json; of a folder only the part that is for training, never the scored one."""
    split = training_split(dataset_splits(path), path) if path.is_dir() else None
    return read_pairs(path, split=split, camera=camera)
