"""Recordings written as rosbag2 bags, with their ground truth."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import MODALITIES, Array, Frame, GroundTruth, Modality
from mdacl_tools.recordings.bag_file import BagFile
from mdacl_tools.recordings.bag_messages import CLASSIFICATION, COMPRESSED, DETECTIONS, IMAGE, INFO
from mdacl_tools.recordings.bag_truth import SCENE_TOPIC, TRUTH_TOPIC, scene_messages, truth_message
from mdacl_tools.recordings.recording import Event, Recording, RecordingPhase

Compression = Literal["png", "jpeg"]
CompressionChoice = Compression | Mapping[Modality, Compression] | None


class BagWriter:
    """Writes camera events to a new bag; a context manager.

    Topics: ``/rgb/image_raw``, ``/rgb/camera_info``, ``/thermal/image_raw``,
    ``/thermal/camera_info``; with compression ``.../image_raw/compressed``; ground truth as
    :mod:`mdacl_tools.recordings.bag_truth` says.

    Args:
        path: Folder to create; it appears once the bag is complete.
        compress: Store images as png or jpeg instead of raw; one for both cameras or by camera.
        storage: ``mcap`` or ``sqlite3``.

    Raises:
        RecordingError: If ``path`` exists.
    """

    def __init__(
        self, path: Path, *, compress: CompressionChoice = None, storage: str = "mcap"
    ) -> None:
        self._bag = BagFile(path, storage)
        self._scenes: list[tuple[int, Any]] = []
        self._compress: Mapping[Modality, Compression] = (
            dict.fromkeys(MODALITIES, compress) if isinstance(compress, str) else compress or {}
        )

    def __enter__(self) -> BagWriter:
        self._bag.__enter__()
        return self

    def __exit__(self, failed: type[BaseException] | None, *rest: object) -> None:
        self._bag.__exit__(failed, *rest)

    def write(self, event: Event, model: CameraModel | None = None) -> None:
        """Write one frame and the camera_info that goes with it.

        Args:
            event: The frame; its arrival becomes the bag's log time.
            model: Intrinsics; ``None`` writes a camera_info that says "not calibrated" (K all 0).

        Raises:
            RecordingError: If the image cannot be compressed as asked.
        """
        frame, topic, make = event.frame, f"/{event.camera}/image_raw", self._bag.make
        header = make.header(frame.stamp_ns, frame.frame_id)
        if compress := self._compress.get(event.camera):
            message = make.compressed(header, _format(frame, compress), _encode(frame, compress))
            self._bag.put(f"{topic}/compressed", COMPRESSED, message, event.time_ns)
        else:
            self._bag.put(topic, IMAGE, make.image(frame), event.time_ns)
        height, width = frame.image.shape[:2]
        info = make.camera_info(header, model or CameraModel((width, height)))
        self._bag.put(f"/{event.camera}/camera_info", INFO, info, event.time_ns)

    def write_truth(self, event: Event, truth: GroundTruth) -> None:
        """Write what really is in the frame of ``event``."""
        frame = event.frame
        message = truth_message(self._bag.make, frame.stamp_ns, frame.frame_id, truth)
        self._bag.put(TRUTH_TOPIC, DETECTIONS, message, event.time_ns)

    def announce(self, phases: Iterable[RecordingPhase]) -> None:
        """Say which parts the recording has; each is written when the first frame of it comes."""
        self._scenes = scene_messages(self._bag.make, phases)

    def write_scenes(self, stamp_ns: int, time_ns: int) -> None:
        """Write the parts that begin or end up to a stamp, logged at ``time_ns``."""
        while self._scenes and self._scenes[0][0] <= stamp_ns:
            self._bag.put(SCENE_TOPIC, CLASSIFICATION, self._scenes.pop(0)[1], time_ns)


def _format(frame: Frame, compress: Compression) -> str:
    wire = "bgr8" if frame.encoding == "rgb8" else frame.encoding
    return f"{frame.encoding}; {compress} compressed {wire}"


def _encode(frame: Frame, compress: Compression) -> Array:
    image, fits = frame.image, ("uint8",) if compress == "jpeg" else ("uint8", "uint16")
    if str(image.dtype) not in fits:
        raise RecordingError(
            f"compress {compress}: got {frame.encoding} images ({image.dtype}), wanted "
            f"{' or '.join(fits)}; use {'png' if image.dtype == np.uint16 else 'no compression'}"
        )
    wire: Any = image
    if frame.encoding == "rgb8":
        wire = cv2.cvtColor(wire, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode(f".{compress}", wire)
    if not ok:
        raise RecordingError(f"compress {compress}: OpenCV cannot encode {frame.encoding} images")
    return data.reshape(-1)


@dataclass(frozen=True, slots=True)
class WrittenBag:
    """What a new bag holds.

    Attributes:
        frames: Number of frames by camera.
        seconds: From the first to the last.
    """

    frames: dict[Modality, int]
    seconds: float


def write_bag(
    recording: Recording,
    path: Path,
    *,
    compress: CompressionChoice = None,
    storage: str = "mcap",
    on_frame: Callable[[Event], None] | None = None,
) -> WrittenBag:
    """Write a whole recording as a bag, ground truth and named parts included.

    Args:
        recording: What to write.
        path: Folder to create; it appears once the bag is complete.
        compress: Store images as png or jpeg instead of raw; one for both cameras or by camera.
        storage: ``mcap`` or ``sqlite3``.
        on_frame: Called after each frame, for a progress bar.

    Returns:
        What was written.

    Raises:
        RecordingError: If ``path`` exists, an image cannot be compressed as asked, or the bag does
            not hold what was written.
    """
    counts: dict[Modality, int] = {"rgb": 0, "thermal": 0}
    start_ns: int | None = None
    labelled: Modality = "rgb" if "rgb" in recording.frames else "thermal"
    with BagWriter(path, compress=compress, storage=storage) as writer:
        writer.announce(recording.phases)
        time_ns = 0
        for event in recording:
            time_ns = event.time_ns
            start_ns = time_ns if start_ns is None else start_ns
            writer.write_scenes(event.frame.stamp_ns, time_ns)
            # Before its frame, so that a player has it when the frame comes.
            if event.camera == labelled and (truth := recording.truth(event.frame.stamp_ns)):
                writer.write_truth(event, truth)
            writer.write(event, recording.camera_model(event.camera))
            counts[event.camera] += 1
            if on_frame is not None:
                on_frame(event)
        if time_ns:
            writer.write_scenes(sys.maxsize, time_ns)
    return WrittenBag(counts, 0.0 if start_ns is None else (time_ns - start_ns) / 1e9)
