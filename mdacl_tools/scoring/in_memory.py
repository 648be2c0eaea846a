"""A labelled recording held in memory, for analyses that pass over the same images many times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import FramePair, GroundTruth, Modality
from mdacl_tools.recordings.recording import Event, Recording
from mdacl_tools.scoring.pair_scoring import labelled_pairs


class MemoryRecording:
    """The labelled pairs of a recording, decoded once; see :class:`.Recording`.

    A 640x480 pair of 8-bit images takes 1.2 MB.

    Args:
        source: Where the pairs come from; it is read once, here.
        images: How many pairs to keep, spread evenly over the recording; ``None``: all.

    Raises:
        RecordingError: The source holds no labelled pair, or fewer than one image is wanted.
    """

    has_truth = True

    def __init__(self, source: Recording, images: int | None = None) -> None:
        if images is not None and images < 1:
            raise RecordingError(f"images: got {images}, wanted 1 or more pairs to keep")
        pairs = list(_spread(source, images))
        if not pairs:
            raise RecordingError(
                f"recording {source.name}: got no pair of RGB and thermal images with ground "
                "truth, wanted one at least; give a labelled data set"
            )
        self.name, self.phases = source.name, tuple(source.phases)
        self.fps: dict[Modality, float] = dict(source.fps)
        self.frames: dict[Modality, int] = {"rgb": len(pairs), "thermal": len(pairs)}
        self.duration_ns = pairs[-1][0].stamp_ns - pairs[0][0].stamp_ns
        self._models: dict[Modality, CameraModel | None] = {
            camera: source.camera_model(camera) for camera in self.frames
        }
        self._pairs = tuple(pair for pair, _ in pairs)
        self._truth = {pair.stamp_ns: truth for pair, truth in pairs}

    def __iter__(self) -> Iterator[Event]:
        """Both frames of each pair, RGB first."""
        for pair in self._pairs:
            if pair.rgb is not None:
                yield Event("rgb", pair.stamp_ns, pair.rgb)
            if pair.thermal is not None:
                yield Event("thermal", pair.stamp_ns, pair.thermal)

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        """Ground truth of the pair with this stamp."""
        return self._truth.get(stamp_ns)

    def camera_model(self, camera: Modality) -> CameraModel | None:
        """What the source knew."""
        return self._models[camera]

    def close(self) -> None:
        """Nothing is open."""


def _spread(source: Recording, images: int | None) -> Iterator[tuple[FramePair, GroundTruth]]:
    """At most ``images`` of the labelled pairs, evenly spread; the others are let go at once."""
    count = source.frames.get("rgb", 0)
    if images is None or images >= count:
        yield from labelled_pairs(source)
        return
    chosen = set(np.linspace(0, count - 1, images).round().astype(int).tolist())
    yield from (pair for i, pair in enumerate(labelled_pairs(source)) if i in chosen)
