"""A bag of ROS 1, read by rosbags."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from rosbags.rosbag1 import Reader, ReaderError

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.storage.channel import BagChannel, Raw, Times

REINDEX = "rosbag reindex"


class Ros1File:
    """See :class:`.channel.StorageFile`.

    Args:
        path: The file.

    Raises:
        RecordingError: It has no index: its recorder was not closed, or the file is cut off.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.notes: list[str] = []
        self.damage: list[str] = []
        self._reader = Reader(path)
        try:
            self._reader.open()
        except ReaderError as error:
            what = " ".join(str(error).split())
            if "not indexed" in what or "index looks damaged" in what:
                raise _unindexed(path, what) from error
            raise RecordingError(f"bag {path}: not readable ({what})") from error
        except Exception as error:  # whatever broken bytes lead to
            raise _unindexed(path, f"{type(error).__name__}: {error}") from error
        self._channels = {
            c.id: BagChannel(c.topic, c.msgtype, "ros1", c.msgdef.data)
            for c in self._reader.connections
        }
        self.channels = list(dict.fromkeys(self._channels.values()))
        self.expected: dict[str, int] = {}
        for info in self._reader.chunk_infos:
            for number, count in info.connection_counts.items():
                if number in self._channels:
                    topic = self._channels[number].topic
                    self.expected[topic] = self.expected.get(topic, 0) + count

    def times(self) -> dict[str, Times]:
        """Sorted log times by topic."""
        found: dict[str, list[int]] = {}
        for number, entries in self._reader.indexes.items():
            topic = self._channels[number].topic
            found.setdefault(topic, []).extend(entry.time for entry in entries)
        return {topic: np.sort(np.array(times, np.int64)) for topic, times in found.items()}

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        """Messages of some topics by log time."""
        wanted = [c for c in self._reader.connections if c.topic in topics]
        if not wanted:
            return  # to rosbags an empty list means all of them
        self.damage = []
        try:
            for connection, time_ns, data in self._reader.messages(wanted):
                yield self._channels[connection.id], time_ns, bytes(data)
        except Exception as error:  # whatever broken bytes lead to
            self.damage = [f"{self.name}: cannot be read to its end ({error}); {REINDEX} it"]

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


def _unindexed(path: Path, why: str) -> RecordingError:
    return RecordingError(
        f"bag {path}: a ROS 1 bag without a usable index ({why[:120]}): its recorder was not "
        f"closed or the file is cut off; run {REINDEX} on a copy of it"
        + (", named .bag" if path.suffix == ".active" else "")
    )
