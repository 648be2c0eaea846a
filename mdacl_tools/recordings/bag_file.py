"""A new rosbag2 bag (mcap or sqlite3), readable by ``ros2 bag`` from Humble on."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer

from mdacl_ros.errors import RecordingError
from mdacl_tools.recordings.bag_messages import MessageMaker, bag_types
from mdacl_tools.recordings.storage.container import BagContainer

UNQUOTED = "#?%"
"""What rosbags' sqlite3 writer puts into a URI unquoted; SQLite then opens another file."""

BAG_VERSION: Literal[8] = 8
"""Metadata version that Humble reads as well."""


class BagFile:
    """A bag that is being written; a context manager.

    The folder appears under its name once it is complete; after an error nothing is left.

    Args:
        path: Folder to create.
        storage: ``mcap`` or ``sqlite3``.

    Attributes:
        make: Makes the messages to put.

    Raises:
        RecordingError: If ``path`` exists or cannot be created, or the finished bag does not hold
            what was written.
    """

    def __init__(self, path: Path, storage: str = "mcap") -> None:
        if path.exists():
            raise RecordingError(f"bag {path}: exists already; remove it or choose another name")
        odd = sorted(set(UNQUOTED) & set(str(path.absolute())))
        if storage == "sqlite3" and odd:
            raise RecordingError(
                f"bag {path}: got {' '.join(odd)} in its path, which SQLite takes for a piece of a "
                "URI; choose another path, or --storage mcap"
            )
        self._path = path
        self._plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
        self._types = bag_types()
        self._connections: dict[str, Connection] = {}
        self._written: Counter[str] = Counter()
        self.make = MessageMaker(self._types)

    def __enter__(self) -> BagFile:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._part = Path(tempfile.mkdtemp(prefix=".part_", dir=self._path.parent))
        except OSError as error:
            raise RecordingError(
                f"bag {self._path}: cannot be created ({error.strerror}); choose another folder"
            ) from error
        # Its files carry the folder's name, so that is the final one already.
        folder = self._part / self._path.name
        try:
            self._writer = Writer(folder, version=BAG_VERSION, storage_plugin=self._plugin)
            self._writer.open()
        except Exception as error:  # the library's own kinds of error too
            shutil.rmtree(self._part, ignore_errors=True)
            raise RecordingError(f"bag {self._path}: cannot be created ({error})") from error
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            self._writer.close()
            if failed is None:
                self._check(self._part / self._path.name)
                (self._part / self._path.name).rename(self._path)
        except OSError as error:
            raise RecordingError(
                f"bag {self._path}: cannot be written ({error.strerror}); is the disk full?"
            ) from error
        finally:
            shutil.rmtree(self._part, ignore_errors=True)

    def put(self, topic: str, kind: str, message: Any, time_ns: int) -> None:
        """Append one message of the type ``kind``; ``time_ns`` is the bag's log time."""
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self._types
            )
        self._written[topic] += 1
        data = self._types.serialize_cdr(message, kind)
        self._writer.write(self._connections[topic], time_ns, data)

    def _check(self, folder: Path) -> None:
        """Read the finished bag back as far as its counts.

        Raises:
            RecordingError: It does not hold what was written.
        """
        if not self._written:
            return
        with closing(BagContainer(folder)) as bag:
            lacking = {t: n - len(bag.times(t)) for t, n in self._written.items()}
        if any(lacking.values()):
            lines = ", ".join(f"{n} of {self._written[t]} {t}" for t, n in lacking.items() if n)
            raise RecordingError(
                f"bag {self._path}: does not hold what was written ({lines} are missing); is the "
                "disk full?"
            )
