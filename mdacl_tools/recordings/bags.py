"""Bags (rosbag2 mcap and sqlite3, rosbag1) as recordings."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection

from mdacl_ros.errors import RecordingError
from mdacl_ros.sensing.images import image_frame
from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import GroundTruth, Modality
from mdacl_tools.recordings.bag_damage import damage_named
from mdacl_tools.recordings.bag_messages import (
    CLASSIFICATION,
    COMPRESSED,
    DETECTIONS,
    IMAGE,
    INFO,
    bag_types,
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
from mdacl_tools.recordings.recording import Event, RecordingPhase
from mdacl_tools.recordings.salvage import SalvagedTopic, SalvagingReader


class BagRecording:
    """A bag with an RGB and a thermal image topic; see :class:`.recording.Recording`.

    Ground truth is read from the topics that :mod:`mdacl_tools.recordings.bag_truth` tells of,
    else from ``truth.json`` in the bag's folder.

    Args:
        path: Folder with metadata.yaml, or an .mcap, .db3 or .bag file.
        rgb_topic: Image topic of the colour camera; found by name and encoding unless given.
        thermal_topic: Image topic of the thermal camera; found likewise.
        salvage: Read what is left of a damaged bag, and leave out images that cannot be read,
            instead of raising an error.

    Attributes:
        topics: The image topic of each camera.
        damage: What is wrong with a salvaged bag, a sentence each.
        unreadable: Images left out so far in the newest pass, by camera; only when salvaging.

    Raises:
        RecordingError: If the bag is damaged, holds no image, or it is not clear which topics to
            play.
    """

    def __init__(
        self,
        path: Path,
        *,
        rgb_topic: str | None = None,
        thermal_topic: str | None = None,
        salvage: bool = False,
    ) -> None:
        self._path, self._salvage = path, salvage
        self.name = path.stem
        self.damage: list[str] = []
        self.unreadable: Counter[Modality] = Counter()
        self._reader: Any = self._open()  # both kinds of reader have the methods used here
        try:
            with damage_named(f"bag {path}"):
                self._connections = self._find_connections(rgb_topic, thermal_topic)
                self._models = {camera: self._read_model(camera) for camera in self._connections}
                self._truth_connections = self._labelled(TRUTH_TOPIC, DETECTIONS)
                self.phases = self._read_phases()
            self._truth = None if self._truth_connections else self._truth_beside()
        except RecordingError:
            self._reader.close()
            raise
        self.topics: dict[Modality, str] = {k: c.topic for k, c in self._connections.items()}
        self.has_truth = self._truth is None or bool(self._truth)
        self.frames = {camera: c.msgcount for camera, c in self._connections.items()}
        self.duration_ns = max(0, self._reader.duration - 1)
        seconds = max(self.duration_ns / 1e9, 1e-3)
        self.fps = {camera: max(1, n - 1) / seconds for camera, n in self.frames.items()}

    def __iter__(self) -> Iterator[Event]:
        """Events in the order in which they were logged."""
        cameras = {c.id: camera for camera, c in self._connections.items()}
        self.unreadable.clear()
        for connection, time_ns, raw in self._messages(list(self._connections.values())):
            camera = cameras[connection.id]
            try:
                with damage_named(f"bag {self._path}: topic {connection.topic} at {time_ns} ns"):
                    message = self._reader.deserialize(raw, connection.msgtype)
                    frame = image_frame(message, camera)
            except RecordingError:
                if not self._salvage:
                    raise
                self.unreadable[camera] += 1
                continue
            yield Event(camera, time_ns, frame)

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        """Boxes of the RGB frame with this stamp; the first call reads the topic."""
        if self._truth is None:
            messages = self._decoded(self._truth_connections)
            self._truth = {stamp_of(message): truth_from(message) for message in messages}
        return self._truth.get(stamp_ns)

    def camera_model(self, camera: Modality) -> CameraModel | None:
        """The first camera_info beside the image topic."""
        return self._models.get(camera)

    def close(self) -> None:
        """Close the bag's files."""
        self._reader.close()

    def _open(self) -> AnyReader | SalvagingReader:
        # Bags written before Iron carry no message definitions.
        reader = AnyReader([self._path], default_typestore=bag_types())
        try:
            with damage_named(f"bag {self._path}: not readable"):
                reader.open()
        except RecordingError:
            if not self._salvage:
                raise
            return self._salvaged()
        return reader

    def _salvaged(self) -> SalvagingReader:
        """A reader of what is left; says what is lost."""
        reader = SalvagingReader(self._path)
        self.damage = reader.damage
        return reader

    def _messages(self, connections: list[Any]) -> Iterator[tuple[Any, int, bytes]]:
        """Messages of these topics; where damage shows on the way, those after it as well."""
        done = 0
        try:
            for item in self._reader.messages(connections):
                yield item
                done += 1
            return
        except Exception as error:  # likewise; a consumer's errors do not come here
            if not self._salvage or isinstance(self._reader, SalvagingReader):
                raise RecordingError(f"bag {self._path}: damaged on the way: {error}") from error
        reader = self._salvaged()
        ids = {connection.topic: connection for connection in connections}
        wanted = [topic for topic in reader.connections if topic.topic in ids]
        for topic, time_ns, raw in itertools.islice(reader.messages(wanted), done, None):
            yield ids[topic.topic], time_ns, raw

    def _find_connections(
        self, rgb_topic: str | None, thermal_topic: str | None
    ) -> dict[Modality, Any]:
        images = {c.topic: c for c in self._reader.connections if c.msgtype in (IMAGE, COMPRESSED)}
        topics = [
            BagTopic(c.topic, c.msgtype == COMPRESSED, self._encoding(c)) for c in images.values()
        ]
        if topics and not any(topic.encoding for topic in topics):
            names = ", ".join(topic.name for topic in topics)
            raise RecordingError(
                f"bag {self._path}: empty, no image in its topics {names}; record it again"
            )
        chosen = choose_topics(str(self._path), topics, rgb_topic, thermal_topic)
        return {camera: images[topic] for camera, topic in chosen.items()}

    def _encoding(self, connection: Connection | SalvagedTopic) -> str:
        message = self._first(connection)
        if message is None:
            return ""
        return str(message.encoding if connection.msgtype == IMAGE else message.format)

    def _first(self, connection: Connection | SalvagedTopic) -> Any:
        with damage_named(f"bag {self._path}: topic {connection.topic}"):
            for _, _, raw in self._reader.messages([connection]):
                return self._reader.deserialize(raw, connection.msgtype)
        return None

    def _labelled(self, topic: str, kind: str) -> list[Any]:
        """Connections of a topic of the ground truth that hold messages."""
        return [
            c
            for c in self._reader.connections
            if (c.topic, c.msgtype) == (topic, kind)
            if c.msgcount
        ]

    def _truth_beside(self) -> dict[int, GroundTruth]:
        """Ground truth kept in a file, as bags of earlier versions have it."""
        folder = self._path if self._path.is_dir() else self._path.parent
        file = folder / TRUTH_FILE
        return load_truth_by_stamp(file) if file.is_file() else {}

    def _read_phases(self) -> tuple[RecordingPhase, ...]:
        connections = self._labelled(SCENE_TOPIC, CLASSIFICATION)
        end_ns = self._reader.start_time + self._reader.duration
        return phases_from(self._decoded(connections), end_ns)

    def _decoded(self, connections: list[Any]) -> Iterator[Any]:
        """All messages of these topics that can be read."""
        if not connections:
            return  # to rosbags an empty list means all of them
        for connection, time_ns, raw in self._messages(connections):
            try:
                with damage_named(f"bag {self._path}: topic {connection.topic} at {time_ns} ns"):
                    message = self._reader.deserialize(raw, connection.msgtype)
            except RecordingError:
                if not self._salvage:
                    raise
                continue
            yield message

    def _read_model(self, camera: Modality) -> CameraModel | None:
        topic = self._connections[camera].topic
        wanted = re.sub(r"/[^/]+(/compressed)?$", "/camera_info", topic)
        for connection in self._reader.connections:
            if connection.topic == wanted and connection.msgtype == INFO:
                info = self._first(connection)
                if info is not None:
                    k = info.k if hasattr(info, "k") else info.K  # ROS 1 names them in capitals
                    d = info.d if hasattr(info, "d") else info.D
                    matrix = np.asarray(k, np.float64).reshape(3, 3)
                    return CameraModel(
                        (info.width, info.height),
                        matrix if matrix.any() else None,  # all 0 means "not calibrated"
                        tuple(float(v) for v in d),
                        info.distortion_model or "plumb_bob",
                    )
        return None
