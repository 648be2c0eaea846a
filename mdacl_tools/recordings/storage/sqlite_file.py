"""An sqlite3 file of rosbag2, its write-ahead log included; a torn one as far as it goes."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from mdacl_tools.recordings.storage.channel import BagChannel, Raw, Times
from mdacl_tools.recordings.storage.compression import plain

MERGE = "PRAGMA wal_checkpoint(TRUNCATE)"
"""What merges a write-ahead log into its database."""


class SqliteFile:
    """See :class:`.channel.StorageFile`.

    A recorder that was killed leaves its newest messages in ``NAME-wal``: SQLite reads both.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.name, self._path = path.name, path
        self.notes: list[str] = []
        self.expected: dict[str, int] = {}
        self.channels: list[BagChannel] = []
        self._cut, self._broken = "", 0
        self._unmerged = ""
        self._base = self._connect()
        self._topics: dict[int, BagChannel] = {}
        self._rows: dict[int, tuple[array[int], array[int]]] = {}  # log times, row numbers
        try:
            self._read_index()
        except sqlite3.DatabaseError as error:
            self._cut = f"the database is torn ({error})"

    @property
    def damage(self) -> list[str]:
        """What is torn, broken, or not merged."""
        lines = [self._unmerged] if self._unmerged else []
        if self._cut:
            count = sum(len(times) for times, _ in self._rows.values())
            lines.append(f"{self.name}: {self._cut}; {count} messages before that were found")
        if self._broken:
            lines.append(f"{self.name}: {self._broken} broken rows were left out")
        return lines

    def times(self) -> dict[str, Times]:
        """Sorted log times by topic."""
        found: dict[str, list[Times]] = {}
        for number, (times, _) in self._rows.items():
            channel = self._topics[number]
            found.setdefault(channel.topic, []).append(np.array(times, np.int64))
        return {topic: np.sort(np.concatenate(parts)) for topic, parts in found.items()}

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        """Messages of some topics by log time, each row looked up by its number."""
        self._broken = 0
        wanted = [
            (time_ns, number, self._topics[topic])
            for topic, rows in self._rows.items()
            if self._topics[topic].topic in topics
            for time_ns, number in zip(*rows, strict=True)
        ]
        for time_ns, number, channel in sorted(wanted, key=lambda row: row[:2]):
            try:
                found = self._base.execute("SELECT data FROM messages WHERE id = ?", (number,))
                row = found.fetchone()
            except sqlite3.DatabaseError:
                row = None
            if row is None:
                self._broken += 1
                continue
            yield channel, time_ns, plain(bytes(row[0]))

    def close(self) -> None:
        """Close the database."""
        self._base.close()

    def _connect(self) -> sqlite3.Connection:
        """Open the database; read-only, and so that no file appears beside it unless it must."""
        path = self._path.resolve()  # of a link, SQLite keeps both files beside what it points to
        wal = path.with_name(f"{path.name}-wal")
        if not (wal.is_file() and wal.stat().st_size):
            return self._open("immutable=1")
        index = path.with_name(f"{path.name}-shm")
        existed = index.exists()
        try:
            base = self._open("mode=ro")
            base.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as error:
            self._unmerged = (
                f"{self.name}: its newest messages are in {wal.name}, which cannot be read here "
                f"({error}); where the folder is writable: sqlite3 {self.name} '{MERGE}'"
            )
            return self._open("immutable=1")
        self.notes.append(
            f"{wal.name} holds the newest messages and was read; its recorder was not closed"
        )
        if not existed:
            index.unlink(missing_ok=True)  # SQLite's own, rebuilt at every opening
        return base

    def _open(self, how: str) -> sqlite3.Connection:
        """Connect; the path is quoted, as SQLite takes ``? # %`` for parts of a URI."""
        uri = f"{self._path.absolute().as_uri()}?{how}"
        # Iterated in other threads than the one that opens: reading ahead.
        base = sqlite3.connect(uri, uri=True, check_same_thread=False)
        # Else SQLite refuses a file that is shorter than its header says.
        base.execute("PRAGMA writable_schema = ON")
        return base

    def _read_index(self) -> None:
        """Topics, and the time and number of every row; the data itself is not touched."""
        columns = {row[1] for row in self._base.execute("PRAGMA table_info(topics)")}
        form = "serialization_format" if "serialization_format" in columns else "'cdr'"
        definitions = self._definitions()
        self._topics = {
            number: BagChannel(name, kind, encoding, definitions.get(kind, ""))
            for number, name, kind, encoding in self._base.execute(
                f"SELECT id, name, type, {form} FROM topics"
            )
        }
        self.channels = list(dict.fromkeys(self._topics.values()))
        rows = self._base.execute("SELECT id, topic_id, timestamp FROM messages")
        for number, topic, time_ns in rows:
            if topic in self._topics:
                times, numbers = self._rows.setdefault(topic, (array("q"), array("q")))
                times.append(int(time_ns))
                numbers.append(number)

    def _definitions(self) -> dict[str, str]:
        """Message definitions by type; bags written before Iron carry none."""
        try:
            rows = self._base.execute(
                "SELECT topic_type, encoded_message_definition FROM message_definitions "
                "WHERE encoding = 'ros2msg'"
            )
            return dict(rows)
        except sqlite3.DatabaseError:
            return {}
