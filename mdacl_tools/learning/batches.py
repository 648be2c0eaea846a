"""From samples to batches: deterministic for a seed and a step, whatever was run before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mdacl_ros.errors import ModelError, RecordingError
from mdacl_tools.learning.assignment import Truth
from mdacl_tools.learning.augmentation import AugmentationConfig, TrainingItem, augment
from mdacl_tools.learning.interrupt import leave_signals_to_the_training
from mdacl_tools.learning.paste_sources import find_donors
from mdacl_tools.learning.samples import Sample


class Batch(NamedTuple):
    """Tensors of one training step.

    Attributes:
        rgb: ``(B, 3, H, W)`` float in [0, 1].
        thermal: ``(B, 1, H, W)`` float in [0, 1].
        present: ``(B, 2, H/32, W/32)`` float availability.
        truth: Padded ground truth.
        covered: ``(B, 2, H/32, W/32)`` where there is an image, also one that is not ``present``
            because it was dropped; for teachers.
    """

    rgb: Tensor
    thermal: Tensor
    present: Tensor
    truth: Truth
    covered: Tensor


class Extra(NamedTuple):
    """Samples mixed in.

    Attributes:
        samples: May be empty.
        share: Part of the items drawn from them, in [0, 1].
    """

    samples: Sequence[Sample]
    share: float


class TrainingPairs(Dataset[TrainingItem]):
    """An endless, numbered stream of augmented samples.

    Item ``i`` depends only on the seed and ``i``, so a resumed run sees what an uninterrupted one
    would have seen.

    Args:
        real: Labelled recordings; they also give what is mosaicked and pasted.
        extras: What else is mixed in: simulated scenes, images of one camera.
        config: Augmentation.
        seed: Seed of every draw.

    Raises:
        RecordingError: There is no labelled recording.
    """

    def __init__(
        self,
        real: Sequence[Sample],
        extras: Sequence[Extra],
        config: AugmentationConfig,
        seed: int,
    ) -> None:
        if not real:
            raise RecordingError("training: got no labelled pairs; check `annotations`")
        if sum(extra.share for extra in extras) > 1:
            raise RecordingError(
                f"training: shares {[e.share for e in extras]} of what is mixed in add up to more "
                "than 1; lower simulated_share, rgb_share or thermal_share"
            )
        self.real = real
        self.extras = [extra for extra in extras if extra.samples]
        self.config, self.seed = config, seed
        wanted = config.mosaic > 0 or config.copy_paste > 0 or config.mislead > 0
        self.donors = find_donors(real) if wanted else None

    def fingerprint(self) -> str:
        """Short digest of which recordings, with which boxes, the stream is drawn from."""
        digest = hashlib.sha256()
        for sample in (*self.real, *(s for extra in self.extras for s in extra.samples)):
            digest.update(f"{sample.name} {sample.rgb.shape}".encode())
            digest.update(np.ascontiguousarray(sample.boxes, np.float32).tobytes())
            digest.update(np.ascontiguousarray(sample.labels, np.int64).tobytes())
        return digest.hexdigest()[:16]

    def __getitem__(self, index: int) -> TrainingItem:
        """Draw item ``index``."""
        rng = np.random.default_rng((self.seed, index))
        return augment(self._sample(index, rng), self.config, rng, self.donors)

    def _sample(self, index: int, rng: np.random.Generator) -> Sample:
        draw = rng.random()
        for extra in self.extras:
            if draw < extra.share:
                return extra.samples[int(rng.integers(len(extra.samples)))]
            draw -= extra.share
        epoch, position = divmod(index, len(self.real))
        order = np.random.default_rng((self.seed, 7, epoch)).permutation(len(self.real))
        return self.real[int(order[position])]


def collate(items: list[TrainingItem]) -> Batch:
    """Stack items and pad their truth to the longest."""
    most = max(1, max(len(i.labels) for i in items))
    boxes = np.zeros((len(items), most, 4), np.float32)
    labels = np.zeros((len(items), most), np.int64)
    real = np.zeros((len(items), most), bool)
    ignore = np.zeros((len(items), most), bool)
    for row, item in enumerate(items):
        n = len(item.labels)
        boxes[row, :n], labels[row, :n] = item.boxes, item.labels
        real[row, :n], ignore[row, :n] = ~item.ignore, item.ignore
    rgb = torch.from_numpy(np.stack([i.rgb for i in items])).permute(0, 3, 1, 2)
    return Batch(
        rgb.float().div_(255.0),  # channels_last strides, which is the faster layout here
        torch.from_numpy(np.stack([i.thermal for i in items])).unsqueeze(1),
        torch.from_numpy(np.stack([i.present for i in items])),
        Truth(
            torch.from_numpy(boxes),
            torch.from_numpy(labels),
            torch.from_numpy(real),
            torch.from_numpy(ignore),
            torch.from_numpy(np.stack([i.exhaustive for i in items])),
        ),
        torch.from_numpy(np.stack([i.covered for i in items])),
    )


def training_loader(
    pairs: TrainingPairs,
    batch_size: int,
    first_step: int,
    steps: int,
    workers: int = 1,
    part: tuple[int, int] = (0, 1),
) -> DataLoader[Batch]:
    """Batches ``first_step`` .. ``steps - 1``, prepared in background processes.

    Args:
        pairs: Numbered stream of items.
        batch_size: Pairs per step, over all training processes together.
        first_step: Step to begin with.
        steps: Step to end before.
        workers: Background processes; 0: none.
        part: Rank of this training process and how many there are; each gets its share of a batch.

    Raises:
        ModelError: The batch cannot be shared out evenly.
    """
    rank, world = part
    if batch_size % world:
        raise ModelError(
            f"training config: batch_size is {batch_size}, wanted a multiple of the {world} "
            "training processes"
        )
    mine = range(first_step * batch_size + rank * (batch_size // world), steps * batch_size)
    torch.multiprocessing.set_sharing_strategy("file_system")
    return DataLoader(
        pairs,  # type: ignore[arg-type]
        batch_size=batch_size // world,
        sampler=[i for i in mine if i // (batch_size // world) % world == rank],
        collate_fn=collate,
        num_workers=workers,
        worker_init_fn=leave_signals_to_the_training,
        prefetch_factor=4 if workers else None,
    )
