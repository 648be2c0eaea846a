"""Every intact message of one storage file, and how reading it ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdacl_ros.errors import RecordingError

Raw = tuple[str, str, int, bytes]
"""Topic, message type (``sensor_msgs/msg/Image``), log time in ns, serialised message."""


@dataclass(slots=True)
class FileState:
    """How reading one file ended.

    Attributes:
        messages: Messages read.
        broken_chunks: Parts inside the file that were left out.
        cut: Why reading stopped before the end of the file; empty if it did not.
    """

    messages: int = 0
    broken_chunks: int = 0
    cut: str = ""


def file_messages(file: Path, state: FileState) -> Iterator[Raw]:
    """Intact messages of one file; how it ended is noted in ``state``."""
    source = _mcap_messages if file.suffix == ".mcap" else _sqlite_messages
    for raw in source(file, state):
        state.messages += 1
        yield raw


def _mcap_messages(file: Path, state: FileState) -> Iterator[Raw]:
    try:
        from mcap.records import Channel, Chunk, Message, Schema
        from mcap.stream_reader import StreamReader, breakup_chunk
    except ImportError as error:
        raise RecordingError(
            f"bag {file}: damaged, and reading what is left needs a package: pip install mcap"
        ) from error
    schemas: dict[int, str] = {}
    channels: dict[int, Channel] = {}

    def take(records: list[Any]) -> list[Raw]:
        """The messages among some records, by time; schemas and channels are kept."""
        found = []
        for record in records:
            if isinstance(record, Schema):
                schemas[record.id] = record.name
            elif isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, Message) and record.channel_id in channels:
                channel = channels[record.channel_id]
                kind = schemas.get(channel.schema_id, "")
                found.append((channel.topic, kind, record.log_time, record.data))
        return sorted(found, key=lambda raw: raw[2])

    with file.open("rb") as stream:
        size, good = file.stat().st_size, 0
        try:
            for record in StreamReader(stream, emit_chunks=True, record_size_limit=size).records:
                good = stream.tell()
                if not isinstance(record, Chunk):
                    yield from take([record])
                    continue
                try:
                    inside = breakup_chunk(record, validate_crc=True)
                except Exception:  # whatever a decompressor says of broken bytes
                    state.broken_chunks += 1
                    continue
                yield from take(inside)
        except Exception as error:  # likewise, of a broken record
            what = "ends in the middle of a record" if good else "is no mcap file"
            state.cut = f"{what} ({_short(error)}), {good} of its {size} bytes are whole"


def _sqlite_messages(file: Path, state: FileState) -> Iterator[Raw]:
    connection = sqlite3.connect(f"file:{file}?immutable=1", uri=True)
    try:
        # Else SQLite refuses a file that is shorter than its header says.
        connection.execute("PRAGMA writable_schema = ON")
        topics = {i: (n, t) for i, n, t in connection.execute("SELECT id, name, type FROM topics")}
        rows = connection.execute("SELECT topic_id, timestamp, data FROM messages ORDER BY id")
        for topic, time_ns, data in rows:
            if topic in topics:
                yield *topics[topic], int(time_ns), bytes(data)
    except sqlite3.DatabaseError as error:
        state.cut = f"the database is torn ({error})"
    finally:
        connection.close()


def _short(error: Exception) -> str:
    """An error in a few words."""
    return " ".join((str(error) or type(error).__name__).split())[:80]
