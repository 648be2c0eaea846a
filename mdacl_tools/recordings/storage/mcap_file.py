"""An mcap file: by its index where it has one, record by record where it has none or is cut off."""

from __future__ import annotations

import heapq
import itertools
import struct
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from mcap.data_stream import ReadDataStream
from mcap.reader import make_reader
from mcap.records import Channel, Chunk, ChunkIndex, Message, Schema, Statistics
from mcap.stream_reader import StreamReader, breakup_chunk

from mdacl_tools.recordings.storage.channel import BagChannel, Raw, Times
from mdacl_tools.recordings.storage.compression import plain

OUT_OF_ORDER = 32
"""Messages by which the log times of a file without an index may be out of order."""

_MESSAGE_INDEX = 0x07
_RECORD_HEAD = 9  # opcode and length


class McapFile:
    """See :class:`.channel.StorageFile`.

    Profiles are not looked at: writers leave them empty, and channels say how they are encoded.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.name, self._path = path.name, path
        self.notes: list[str] = []
        self.expected: dict[str, int] = {}
        self._schemas: dict[int, Schema] = {}
        self._by_id: dict[int, BagChannel] = {}
        self._chunks: list[ChunkIndex] = []
        self._cut, self._read, self._broken = "", 0, 0
        with path.open("rb") as stream:
            self._times = self._from_index(stream)
        if self._times is None:
            self._chunks = []
            self._times = self._from_scan()
        self.channels = list(dict.fromkeys(self._by_id.values()))
        if any(channel.encoding == "ros1" for channel in self.channels):
            self.notes.append(f"{self.name} holds messages of ROS 1, they are read as such")

    @property
    def damage(self) -> list[str]:
        """How reading ended, where it was not at the end of a sound file."""
        lines = []
        if self._cut:
            lines.append(f"{self.name}: {self._cut}; {self._read} messages before that were read")
        if self._broken:
            lines.append(f"{self.name}: {self._broken} broken chunks were left out")
        return lines

    def times(self) -> dict[str, Times]:
        """Sorted log times by topic."""
        assert self._times is not None
        return self._times

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        """Messages of some topics by log time."""
        self._broken = 0
        wanted = frozenset(topics)
        source = self._indexed(wanted) if self._chunks else self._reordered(wanted)
        for message in source:
            channel = self._by_id[message.channel_id]
            yield channel, message.log_time, plain(message.data)

    def close(self) -> None:
        """Nothing is open between two passes."""

    def _take(self, record: Any) -> None:
        """Remember a schema or a channel."""
        if isinstance(record, Schema):
            self._schemas[record.id] = record
        elif isinstance(record, Channel) and record.id not in self._by_id:
            schema = self._schemas.get(record.schema_id)
            self._by_id[record.id] = _channel(record, schema)

    def _from_index(self, stream: BinaryIO) -> dict[str, Times] | None:
        """Log times from the message indexes; ``None``: there are none, or they do not agree."""
        try:
            summary = make_reader(stream).get_summary()
        except Exception:  # whatever a cut or overwritten end leads to
            return None
        if summary is None:
            return None
        for record in itertools.chain(summary.schemas.values(), summary.channels.values()):
            self._take(record)
        counts = _counts(summary.statistics)
        for number, count in counts.items():
            if number in self._by_id:
                topic = self._by_id[number].topic
                self.expected[topic] = self.expected.get(topic, 0) + count
        try:
            found = _index_times(stream, summary.chunk_indexes)
        except (OSError, struct.error, ValueError):
            return None
        if any(found.get(k, []) and k not in self._by_id for k in found):
            return None
        if any(sum(map(len, found.get(k, []))) != n for k, n in counts.items() if n):
            return None  # messages outside of chunks, or an index that was not finished
        self._chunks = summary.chunk_indexes
        return _by_topic((self._by_id[number].topic, times) for number, times in found.items())

    def _from_scan(self) -> dict[str, Times]:
        """Log times of every message that can be read."""
        found: dict[str, list[int]] = defaultdict(list)
        for message in self._scan():
            found[self._by_id[message.channel_id].topic].append(message.log_time)
        return _by_topic((topic, [np.array(times, np.int64)]) for topic, times in found.items())

    def _indexed(self, topics: frozenset[str]) -> Iterator[Message]:
        """Messages by time; only chunks that hold one of the topics are read."""
        ids = {number for number, channel in self._by_id.items() if channel.topic in topics}
        waiting = sorted(
            (c for c in self._chunks if not ids.isdisjoint(c.message_index_offsets)),
            key=lambda c: (c.message_start_time, c.chunk_start_offset),
            reverse=True,
        )
        heap: list[tuple[int, int, Message]] = []
        order = itertools.count()
        with self._path.open("rb") as stream:
            while waiting or heap:
                while waiting and (not heap or waiting[-1].message_start_time <= heap[0][0]):
                    for message in self._inside(stream, waiting.pop()):
                        if message.channel_id in ids:
                            heapq.heappush(heap, (message.log_time, next(order), message))
                if heap:
                    yield heapq.heappop(heap)[2]

    def _inside(self, stream: BinaryIO, index: ChunkIndex) -> list[Message]:
        """Messages of a chunk by time; none if it is broken."""
        try:
            stream.seek(index.chunk_start_offset + _RECORD_HEAD)
            records = breakup_chunk(Chunk.read(ReadDataStream(stream)), validate_crc=True)
        except Exception:  # whatever a decompressor says of broken bytes
            self._broken += 1
            return []
        return sorted((r for r in records if isinstance(r, Message)), key=lambda m: m.log_time)

    def _reordered(self, topics: frozenset[str]) -> Iterator[Message]:
        """Messages of a scan, put in order where the chunks of two topics overlap in time."""
        heap: list[tuple[int, int, Message]] = []
        for number, message in enumerate(self._scan()):
            if self._by_id[message.channel_id].topic not in topics:
                continue
            heapq.heappush(heap, (message.log_time, number, message))
            if len(heap) > OUT_OF_ORDER:
                yield heapq.heappop(heap)[2]
        while heap:
            yield heapq.heappop(heap)[2]

    def _scan(self) -> Iterator[Message]:
        """Every intact message from the start of the file; how it ends stays known."""
        read, self._broken = 0, 0
        with self._path.open("rb") as stream:
            size, good = self._path.stat().st_size, 0
            reader = StreamReader(stream, emit_chunks=True, record_size_limit=size)
            try:
                for record in reader.records:
                    good = stream.tell()
                    for message in self._messages_of(record):
                        read += 1
                        yield message
            except Exception as error:  # whatever a broken record leads to
                what = "ends in the middle of a record" if good else "is no mcap file"
                self._cut = f"{what} ({_short(error)}), {good} of its {size} bytes are whole"
        self._read = read

    def _messages_of(self, record: Any) -> list[Message]:
        records = [record]
        if isinstance(record, Chunk):
            try:
                records = breakup_chunk(record, validate_crc=True)
            except Exception:  # likewise, of broken bytes
                self._broken += 1
                return []
        for inner in records:
            self._take(inner)
        messages = (r for r in records if isinstance(r, Message) and r.channel_id in self._by_id)
        return sorted(messages, key=lambda m: m.log_time)


def _channel(record: Channel, schema: Schema | None) -> BagChannel:
    """A channel of ours; types of ROS 1 get the names that ROS 2 gives them."""
    msgtype = "" if schema is None else schema.name
    encoding = record.message_encoding
    if encoding in ("cdr", "ros1") and msgtype.count("/") == 1:
        msgtype = msgtype.replace("/", "/msg/")
    text = ""
    if schema is not None and schema.encoding in ("ros2msg", "ros1msg"):
        text = schema.data.decode("utf-8", "replace")
    return BagChannel(record.topic, msgtype, encoding, text)


def _counts(statistics: Statistics | None) -> dict[int, int]:
    return {} if statistics is None else dict(statistics.channel_message_counts)


def _index_times(stream: BinaryIO, chunks: list[ChunkIndex]) -> dict[int, list[Times]]:
    """Log times of the message index records that follow each chunk, by channel number."""
    found: dict[int, list[Times]] = defaultdict(list)
    for chunk in chunks:
        stream.seek(chunk.chunk_start_offset + chunk.chunk_length)
        block = stream.read(chunk.message_index_length)
        at = 0
        while at + _RECORD_HEAD <= len(block):
            length = struct.unpack_from("<Q", block, at + 1)[0]
            if block[at] == _MESSAGE_INDEX:
                channel, size = struct.unpack_from("<HI", block, at + _RECORD_HEAD)
                entries = np.frombuffer(block, "<u8", size // 8, at + _RECORD_HEAD + 6)
                found[channel].append(entries[::2].astype(np.int64))
            at += _RECORD_HEAD + length
    return found


def _by_topic(parts: Any) -> dict[str, Times]:
    """Sorted times by topic from ``(topic, list of times)``; a topic may come several times."""
    found: dict[str, list[Times]] = defaultdict(list)
    for topic, times in parts:
        found[topic] += times
    return {topic: np.sort(np.concatenate(times)) for topic, times in found.items() if times}


def _short(error: Exception) -> str:
    """An error in a few words."""
    return " ".join((str(error) or type(error).__name__).split())[:80]
