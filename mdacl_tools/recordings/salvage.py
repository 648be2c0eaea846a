"""What is left of a damaged bag: an mcap that was cut off, a broken chunk, a torn sqlite3 file.

Stands in for ``rosbags``' reader, which refuses such a file as a whole; Foxglove's ``mcap`` reads
record by record. Message definitions are those of ROS 2 Humble: image messages never changed.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.bag_messages import bag_types
from mdacl_tools.recordings.salvage_files import FileState, Raw, file_messages

OUT_OF_ORDER = 32
"""Messages by which the log times of a file may be out of order."""


@dataclass(frozen=True, slots=True)
class SalvagedTopic:
    """A topic of which something is left; the fields of ``rosbags``' Connection that are needed."""

    id: int
    topic: str
    msgtype: str
    msgcount: int


@dataclass(slots=True)
class _Scan:
    """What one pass over all files found."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    start_ns: int = 2**63 - 1
    end_ns: int = 0
    states: dict[str, FileState] = field(default_factory=dict)


class SalvagingReader:
    """Reads every intact message of a damaged bag, as often as wanted, with flat memory.

    Messages come file by file, in the order of their log times.

    Args:
        path: An .mcap or .db3 file, or the folder of a bag.

    Attributes:
        connections: Topics of which messages are left.
        start_time: Log time of the first message, ns.
        duration: From the first to the last message, ns, as ``rosbags`` counts it (one more).
        damage: What is wrong, a sentence each.

    Raises:
        RecordingError: Nothing can be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._types = bag_types()
        self._files = bag_files(path)
        scan = _Scan()
        for file in self._files:
            state = scan.states[file.name] = FileState()
            for topic, kind, time_ns, _ in file_messages(file, state):
                scan.counts[topic, kind] += 1
                scan.start_ns = min(scan.start_ns, time_ns)
                scan.end_ns = max(scan.end_ns, time_ns)
        if not scan.counts:
            reasons = "; ".join(
                f"{name}: {s.cut or 'no message'}" for name, s in scan.states.items()
            )
            raise RecordingError(
                f"bag {path}: not readable, no message is left of it ({reasons or 'no file'}); "
                "record it again"
            )
        self.connections = [
            SalvagedTopic(i, topic, kind, count)
            for i, ((topic, kind), count) in enumerate(sorted(scan.counts.items()), 1)
        ]
        self.start_time, self.duration = scan.start_ns, scan.end_ns - scan.start_ns + 1
        self.damage = _sentences(scan, _expected(path))

    def messages(
        self, connections: Collection[SalvagedTopic]
    ) -> Iterator[tuple[SalvagedTopic, int, bytes]]:
        """Messages of some topics: topic, log time in ns, serialised message."""
        wanted = {connection.topic: connection for connection in connections}
        for file in self._files:
            for topic, _, time_ns, data in _by_time(file_messages(file, FileState())):
                if topic in wanted:
                    yield wanted[topic], time_ns, data

    def deserialize(self, raw: bytes, kind: str) -> Any:
        """A message from its bytes."""
        return self._types.deserialize_cdr(raw, kind)

    def close(self) -> None:
        """Nothing is open between two passes."""


def bag_files(path: Path) -> list[Path]:
    """The storage files of a bag, in the order of recording."""
    if path.is_file():
        return [path]
    names = _metadata(path).get("relative_file_paths") or []
    files = [path / Path(str(name)).name for name in names]
    files = files or sorted(p for s in ("*.mcap", "*.db3") for p in path.glob(s))
    return [file for file in files if file.is_file()]


def _metadata(path: Path) -> dict[str, Any]:
    """The bag's metadata.yaml; empty if there is none or it cannot be read."""
    folder = path if path.is_dir() else path.parent
    try:
        values = yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8"))
        return dict(values["rosbag2_bagfile_information"])
    except (OSError, yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError):
        return {}


def _expected(path: Path) -> dict[str, int]:
    """Number of messages by topic that the recorder says it wrote; empty if it does not say."""
    metadata = _metadata(path)
    files = metadata.get("relative_file_paths") or []
    if path.is_file() and len(files) != 1:
        return {}  # one file of several: its share is not known
    try:
        rows = metadata.get("topics_with_message_count") or []
        return {row["topic_metadata"]["name"]: int(row["message_count"]) for row in rows}
    except (KeyError, TypeError, ValueError):
        return {}


def _sentences(scan: _Scan, expected: dict[str, int]) -> list[str]:
    """What is wrong with the bag, in words."""
    lines = []
    for name, state in scan.states.items():
        if state.cut:
            lines.append(f"{name}: {state.cut}; {state.messages} messages before that were read")
        if state.broken_chunks:
            lines.append(f"{name}: {state.broken_chunks} broken chunks were left out")
    found = Counter({topic: count for (topic, _), count in scan.counts.items()})
    lost = {topic: count - found[topic] for topic, count in expected.items()}
    if total := sum(max(0, n) for n in lost.values()):
        share = total / max(1, sum(expected.values()))
        by_topic = ", ".join(
            f"{n} of {expected[topic]} {topic}" for topic, n in lost.items() if n > 0
        )
        lines.append(f"{total} messages ({share:.0%}) are lost: {by_topic}")
    elif not expected:
        lines.append("how many messages are lost is not known: the bag has no metadata.yaml")
    return lines


def _by_time(messages: Iterator[Raw]) -> Iterator[Raw]:
    """Put right the order of messages where the chunks of two topics overlap in time."""
    heap: list[tuple[int, int, Raw]] = []
    for number, raw in enumerate(messages):
        heapq.heappush(heap, (raw[2], number, raw))
        if len(heap) > OUT_OF_ORDER:
            yield heapq.heappop(heap)[2]
    while heap:
        yield heapq.heappop(heap)[2]
