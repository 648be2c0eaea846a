"""Bags (rosbag2 mcap and sqlite3, ROS 1) as recordings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.errors import ImageError
from mdacl_ros.sensing.camera_info import camera_model
from mdacl_ros.sensing.compressed import content_encoding
from mdacl_ros.sensing.images import image_frame
from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import Frame, GroundTruth, Modality
from mdacl_tools.recordings.bag_messages import (
    CLASSIFICATION,
    COMPRESSED,
    DETECTIONS,
    IMAGE,
    INFO,
)
from mdacl_tools.recordings.bag_topics import BagTopic, choose_topics
from mdacl_tools.recordings.bag_truth import (
    SCENE_TOPIC,
    TRUTH_TOPIC,
    phases_from,
    stamp_of,
    truth_from,
)
from mdacl_tools.recordings.coco_truth import TRUTH_FILE, load_truth_by_stamp
from mdacl_tools.recordings.losses import Losses
from mdacl_tools.recordings.recording import Event, RecordingPhase
from mdacl_tools.recordings.stamp_log import StampLog
from mdacl_tools.recordings.storage.channel import BagChannel, Times
from mdacl_tools.recordings.storage.container import BagContainer

GAP_PERIODS = 5
"""Median periods from which a time without frames is a gap, and not part of the frame rate."""

READABLE = ("cdr", "ros1")


class BagRecording:
    """A bag with an RGB and a thermal image topic; see :class:`.recording.Recording`.

    Ground truth is read from the topics that :mod:`mdacl_tools.recordings.bag_truth` tells of,
    else from ``truth.json`` in the bag's folder. Rates, counts and duration are those of the two
    image topics, whatever else was recorded. An image with stamp 0 gets its log time.

    Args:
        path: Folder, or an .mcap, .db3 or .bag file, also compressed by zstd.
        rgb_topic: Image topic of the colour camera; found by content and name unless given.
        thermal_topic: Image topic of the thermal camera; found likewise.

    Attributes:
        topics: The image topic of each camera.
        losses: Images left out in the newest pass.
        stamp_log: Stamps and log times of the newest pass.

    Raises:
        RecordingError: If nothing can be read, the bag holds no image, or it is not clear which
            topics to play.
    """

    def __init__(
        self, path: Path, *, rgb_topic: str | None = None, thermal_topic: str | None = None
    ) -> None:
        self._path = path
        self.name = path.stem
        self.losses, self.stamp_log = Losses(), StampLog()
        self._unstamped: dict[Modality, int] = {}
        self._undecoded: dict[str, int] = {}
        self._bag = BagContainer(path)
        try:
            choice = choose_topics(str(path), self._image_topics(), rgb_topic, thermal_topic)
            self.topics: dict[Modality, str] = choice.topics
            self._guesses = choice.reasons
            self._remarks: list[str] = []
            self._models = {camera: self._read_model(camera) for camera in self.topics}
            self._truth_topic = self._holds(TRUTH_TOPIC, DETECTIONS)
            self._start_ns, self._end_ns = self._span()
            self.phases = self._read_phases()
            self._truth = None if self._truth_topic else self._truth_beside()
        except BaseException:
            self._bag.close()
            raise
        self.has_truth = self._truth is None or bool(self._truth)
        times = {camera: self._bag.times(topic) for camera, topic in self.topics.items()}
        self.frames = {camera: len(found) for camera, found in times.items()}
        self.duration_ns = self._end_ns - self._start_ns
        self.fps = {camera: frame_rate(found) for camera, found in times.items()}

    @property
    def damage(self) -> list[str]:
        """What is wrong with the files, a sentence each; a pass can add to it."""
        undecoded = (f"{n} messages of {t} cannot be decoded" for t, n in self._undecoded.items())
        return [*self._bag.damage, *undecoded]

    @property
    def notes(self) -> list[str]:
        """What was assumed or guessed, with the reason."""
        lines = [*self._bag.notes, *self._guesses, *self._remarks]
        for camera, count in self._unstamped.items():
            lines.append(
                f"{count} {camera} images have stamp 0: their log times are used instead; the "
                "node cannot pair them live, make the driver stamp its images"
            )
        return lines

    def __iter__(self) -> Iterator[Event]:
        """Events in the order in which they were logged."""
        cameras = {topic: camera for camera, topic in self.topics.items()}
        self.losses.clear()
        self.stamp_log.clear()
        self._unstamped.clear()
        for channel, time_ns, raw in self._bag.messages(cameras):
            camera = cameras[channel.topic]
            try:
                frame = image_frame(self._bag.decode(channel, raw), camera)
            except Exception as error:  # broken bytes lead to errors of every kind
                self.losses.add(camera, f"topic {channel.topic}", error)
                continue
            frame = self._stamped(camera, frame, time_ns)
            self.stamp_log.add(camera, frame.stamp_ns, time_ns)
            self.losses.read[camera] += 1
            yield Event(camera, time_ns, frame)

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        """Boxes of the RGB frame with this stamp; the first call reads the topic.

        Raises:
            RecordingError: They are of a vision_msgs that nobody knows.
        """
        if self._truth is None:
            self._truth = {
                stamp_of(message): truth_from(message, f"bag {self._path}: topic {TRUTH_TOPIC}")
                for message in self._decoded(TRUTH_TOPIC)
            }
        return self._truth.get(stamp_ns)

    def camera_model(self, camera: Modality) -> CameraModel | None:
        """The first camera_info beside the image topic, for the images as they are."""
        return self._models.get(camera)

    def close(self) -> None:
        """Close the bag's files."""
        self._bag.close()

    def _stamped(self, camera: Modality, frame: Frame, time_ns: int) -> Frame:
        """The frame; one without a stamp gets its log time."""
        if frame.stamp_ns:
            return frame
        self._unstamped[camera] = self._unstamped.get(camera, 0) + 1
        return replace(frame, stamp_ns=time_ns)

    def _image_topics(self) -> list[BagTopic]:
        """Topics with images, and those with pictures that we cannot read."""
        found: dict[str, BagTopic] = {}
        for channel in self._bag.channels:
            readable = channel.encoding in READABLE and channel.msgtype in (IMAGE, COMPRESSED)
            if not readable and channel.topic in found:
                continue
            found[channel.topic] = BagTopic(
                channel.topic,
                channel.msgtype,
                self._encoding(channel) if readable else "",
                len(self._bag.times(channel.topic)),
                readable=readable,
            )
        return list(found.values())

    def _encoding(self, channel: BagChannel) -> str:
        """Encoding of the topic's first message; of a compressed one by its own header as well."""
        for message in self._decoded(channel.topic):
            if hasattr(message, "encoding"):
                return str(message.encoding)
            before = str(message.format).partition(";")[0]
            return before if ";" in message.format else content_encoding(message.data) or before
        return ""

    def _holds(self, topic: str, kind: str) -> bool:
        """Whether a topic has messages of a type."""
        kinds = {channel.msgtype for channel in self._bag.channels if channel.topic == topic}
        return kind in kinds and len(self._bag.times(topic)) > 0

    def _span(self) -> tuple[int, int]:
        """Log times of the first and the last image."""
        times = [t for topic in self.topics.values() if len(t := self._bag.times(topic))]
        return min(int(t[0]) for t in times), max(int(t[-1]) for t in times)

    def _truth_beside(self) -> dict[int, GroundTruth]:
        """Ground truth kept in a file, as bags of earlier versions have it."""
        folder = self._path if self._path.is_dir() else self._path.parent
        file = folder / TRUTH_FILE
        return load_truth_by_stamp(file) if file.is_file() else {}

    def _read_phases(self) -> tuple[RecordingPhase, ...]:
        found = self._decoded(SCENE_TOPIC) if self._holds(SCENE_TOPIC, CLASSIFICATION) else ()
        return phases_from(found, self._end_ns + 1)

    def _decoded(self, topic: str) -> Iterator[Any]:
        """All messages of a topic that can be decoded; the others are counted."""
        images = topic in getattr(self, "topics", {}).values()
        failed = 0
        for channel, _, raw in self._bag.messages([topic]):
            try:
                message = self._bag.decode(channel, raw)
            except Exception:  # whatever broken bytes lead to
                failed += 1
                continue
            yield message
        if failed and not images:  # images are counted by each pass
            self._undecoded[topic] = failed

    def _read_model(self, camera: Modality) -> CameraModel | None:
        topic = self.topics[camera]
        wanted = re.sub(r"/[^/]+(/compressed)?$", "/camera_info", topic)
        if not self._holds(wanted, INFO):
            return None
        info = next(self._decoded(wanted), None)
        if info is None:
            return None
        size = self._image_size(camera)
        model, remarks = camera_model(info, size, rectified="rect" in topic)
        self._remarks += [f"{wanted}: {remark}" for remark in remarks]
        return model

    def _image_size(self, camera: Modality) -> tuple[int, int] | None:
        """Width and height of the camera's first image."""
        for message in self._decoded(self.topics[camera]):
            try:
                height, width = image_frame(message, camera).image.shape[:2]
            except ImageError:
                continue
            return width, height
        return None


def frame_rate(times: Times) -> float:
    """Frames per second while the camera delivered; its gaps do not count.

    Args:
        times: ``(N,)`` sorted log times in ns.

    Returns:
        1 for fewer than two frames.
    """
    periods = np.diff(times)
    if not periods.size or not periods.sum():
        return 1.0
    kept = periods[periods <= GAP_PERIODS * max(1.0, float(np.median(periods)))]
    kept = kept if kept.sum() else periods
    return float(1e9 * kept.size / kept.sum())
