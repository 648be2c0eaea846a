"""Bags (rosbag2 mcap and sqlite3, rosbag1) as recordings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

from mdacl_ros.errors import MdaclError, RecordingError
from mdacl_ros.replay.bag_topics import BagTopic, choose_topics
from mdacl_ros.replay.recording import Event, Phase
from mdacl_ros.replay.truth import TRUTH_FILE, load_truth_by_stamp
from mdacl_ros.sensing.images import image_frame
from mdacl_ros.sensing.rig_types import CameraModel
from mdacl_ros.types import GroundTruth, Modality

IMAGE, COMPRESSED, INFO = (
    f"sensor_msgs/msg/{name}" for name in ("Image", "CompressedImage", "CameraInfo")
)


@contextmanager
def damage_named(where: str) -> Iterator[None]:
    """Turn whatever reading a bag raises into a :class:`RecordingError` that says where.

    The bag library meets damaged bytes with errors of every kind (struct, index, Unicode, SQL,
    memory), none of which tells a user that the file is broken.
    """
    try:
        yield
    except RecordingError:
        raise
    except Exception as error:
        reason = str(error) if isinstance(error, MdaclError) else f"{type(error).__name__}: {error}"
        line = " ".join(reason.split())[:300]
        raise RecordingError(
            f"{where}: {line}; the bag is damaged: record or copy it anew"
        ) from error


class BagRecording:
    """A bag with an RGB and a thermal image topic; see :class:`.recording.Recording`.

    Ground truth is read from ``truth.json`` in the bag's folder, where it exists.

    Args:
        path: Folder with metadata.yaml, or an .mcap, .db3 or .bag file.
        rgb_topic: Image topic of the colour camera; found by name and encoding unless given.
        thermal_topic: Image topic of the thermal camera; found likewise.

    Raises:
        RecordingError: If the bag is damaged or it is not clear which topics to play.
    """

    phases: tuple[Phase, ...] = ()

    def __init__(
        self, path: Path, *, rgb_topic: str | None = None, thermal_topic: str | None = None
    ) -> None:
        self._path = path
        self.name = path.stem
        with damage_named(f"bag {path}: not readable"):
            # Bags written before Iron carry no message definitions.
            self._reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_HUMBLE))
            self._reader.open()
        try:
            with damage_named(f"bag {path}"):
                self._connections = self._find_connections(rgb_topic, thermal_topic)
                self._models = {camera: self._read_model(camera) for camera in self._connections}
            truth_file = (path if path.is_dir() else path.parent) / TRUTH_FILE
            self._truth = load_truth_by_stamp(truth_file) if truth_file.is_file() else {}
        except RecordingError:
            self._reader.close()
            raise
        self.has_truth = bool(self._truth)
        self.frames = {camera: c.msgcount for camera, c in self._connections.items()}
        self.duration_ns = max(0, self._reader.duration - 1)
        seconds = max(self.duration_ns / 1e9, 1e-3)
        self.fps = {camera: max(1, n - 1) / seconds for camera, n in self.frames.items()}

    def __iter__(self) -> Iterator[Event]:
        """Events in the order in which they were logged."""
        cameras = {c.id: camera for camera, c in self._connections.items()}
        wanted = list(self._connections.values())
        messages = self._reader.messages(wanted)
        while True:
            with damage_named(f"bag {self._path}"):
                found = next(messages, None)
            if found is None:
                return
            connection, time_ns, raw = found
            camera = cameras[connection.id]
            with damage_named(f"bag {self._path}: topic {connection.topic} at {time_ns} ns"):
                message = self._reader.deserialize(raw, connection.msgtype)
                frame = image_frame(message, camera)
            yield Event(camera, time_ns, frame)

    def truth(self, stamp_ns: int) -> GroundTruth | None:
        """Boxes of the RGB frame with this stamp."""
        return self._truth.get(stamp_ns)

    def camera_model(self, camera: Modality) -> CameraModel | None:
        """The first camera_info beside the image topic."""
        return self._models.get(camera)

    def close(self) -> None:
        """Close the bag's files."""
        self._reader.close()

    def _find_connections(
        self, rgb_topic: str | None, thermal_topic: str | None
    ) -> dict[Modality, Connection]:
        images = {c.topic: c for c in self._reader.connections if c.msgtype in (IMAGE, COMPRESSED)}
        topics = [
            BagTopic(c.topic, c.msgtype == COMPRESSED, self._encoding(c)) for c in images.values()
        ]
        chosen = choose_topics(str(self._path), topics, rgb_topic, thermal_topic)
        return {camera: images[topic] for camera, topic in chosen.items()}

    def _encoding(self, connection: Connection) -> str:
        message = self._first(connection)
        if message is None:
            return ""
        return str(message.encoding if connection.msgtype == IMAGE else message.format)

    def _first(self, connection: Connection) -> Any:
        with damage_named(f"bag {self._path}: topic {connection.topic}"):
            for _, _, raw in self._reader.messages([connection]):
                return self._reader.deserialize(raw, connection.msgtype)
        return None

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
