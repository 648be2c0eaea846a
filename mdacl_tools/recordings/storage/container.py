"""All files of a bag as one: topics, counts, messages in order, and what of them is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.storage.bag_path import bag_files, storage_kind, unreadable_reason
from mdacl_tools.recordings.storage.channel import BagChannel, Raw, StorageFile, Times
from mdacl_tools.recordings.storage.compression import Decompressed
from mdacl_tools.recordings.storage.mcap_file import McapFile
from mdacl_tools.recordings.storage.message_types import MessageTypes
from mdacl_tools.recordings.storage.sqlite_file import SqliteFile


class BagContainer:
    """A bag, sound or damaged; what is intact of it can be read as often as wanted.

    Args:
        path: A bag's file or folder.

    Attributes:
        channels: Every channel, of all files.
        notes: What was assumed, a sentence each.

    Raises:
        RecordingError: No message can be read; it says what the files are instead.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        found = bag_files(path)
        self.notes = list(found.notes)
        self._damage = list(found.damage)
        self._types = MessageTypes()
        self._copies: list[Decompressed] = []
        self._files: list[StorageFile] = []
        try:
            for file in found.files:
                self._files.append(self._open(file))
            if not found.ordered:
                self._files.sort(key=_first_time)
            self._times = _merged([file.times() for file in self._files])
            self._expected = found.expected or _summed([file.expected for file in self._files])
            self._known = bool(self._expected)
            self.channels = list(dict.fromkeys(c for f in self._files for c in f.channels))
            if not self._times:
                self._nothing_left()
        except BaseException:
            self.close()
            raise
        self.notes += [note for file in self._files for note in file.notes]
        self._read: Counter[str] = Counter({t: len(times) for t, times in self._times.items()})

    def times(self, topic: str) -> Times:
        """Sorted log times of a topic's messages; empty for a topic without messages."""
        return self._times.get(topic, np.zeros(0, np.int64))

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        """Messages of some topics: file by file, in the order of their log times.

        What a whole pass found less than announced adds to :attr:`damage`.
        """
        read: Counter[str] = Counter()
        for file in self._files:
            for raw in file.messages(topics):
                read[raw[0].topic] += 1
                yield raw
        self._read.update({topic: read[topic] - self._read[topic] for topic in topics})

    def decode(self, channel: BagChannel, data: bytes) -> Any:
        """A message from its bytes.

        Raises:
            Exception: Whatever broken bytes lead to; the libraries do not say which.
        """
        return self._types.decode(channel, data)

    @property
    def damage(self) -> list[str]:
        """What is wrong with the bag, a sentence each: known after opening, or after a pass."""
        lines = [*self._damage, *(line for file in self._files for line in file.damage)]
        lost = {t: n - self._read[t] for t, n in self._expected.items() if n > self._read[t]}
        if lost:
            total = sum(lost.values())
            by_topic = ", ".join(f"{n} of {self._expected[t]} {t}" for t, n in lost.items())
            share = total / max(1, sum(self._expected.values()))
            lines.append(f"{total} messages ({share:.0%}) are lost: {by_topic}")
        elif lines and not self._known:
            lines.append("how many messages are lost is not known: the bag has no metadata.yaml")
        return lines

    def close(self) -> None:
        """Close all files, and remove decompressed copies."""
        for file in self._files:
            with suppress(Exception):
                file.close()
        for copy in self._copies:
            copy.close()

    def _open(self, path: Path) -> StorageFile:
        """Open one file by what it holds."""
        kind = storage_kind(path)
        if kind == "zstd":
            copy = Decompressed(path)
            self._copies.append(copy)
            path, kind = copy.path, storage_kind(copy.path)
        if kind == "sqlite3":
            return SqliteFile(path)
        if kind == "ros1":
            from mdacl_tools.recordings.storage.ros1_file import Ros1File

            return Ros1File(path)
        if kind is None and (why := unreadable_reason(path)):
            raise RecordingError(f"bag {path}: {why}")
        if kind is None and path.suffix != ".mcap":
            raise RecordingError(
                f"bag {path}: not readable, no message is left of it (it begins like no mcap, "
                "sqlite3 or ROS 1 bag); copy or record it again"
            )
        return McapFile(path)

    def _nothing_left(self) -> None:
        """Refuse a bag without messages: whole but empty, or damaged."""
        reasons = [line for file in self._files for line in file.damage]
        if reasons:
            raise RecordingError(
                f"bag {self._path}: not readable, no message is left of it "
                f"({'; '.join(reasons)}); record it again"
            )
        topics = ", ".join(sorted({channel.topic for channel in self.channels})) or "none"
        raise RecordingError(
            f"bag {self._path}: empty, no message in its topics ({topics}); was the recorder "
            "given the topics that the cameras publish, and did they publish?"
        )


def _first_time(file: StorageFile) -> int:
    return min((int(times[0]) for times in file.times().values() if len(times)), default=2**63 - 1)


def _merged(parts: list[Any]) -> dict[str, Times]:
    topics = dict.fromkeys(topic for part in parts for topic in part)
    found = {t: np.sort(np.concatenate([p[t] for p in parts if t in p])) for t in topics}
    return {topic: times for topic, times in found.items() if len(times)}


def _summed(parts: list[dict[str, int]]) -> dict[str, int]:
    """Counts of all files; empty where one of them does not say."""
    if not all(parts):
        return {}
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)
