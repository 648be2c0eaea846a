"""Zstandard, which rosbag2 compresses whole files or single messages with."""

from __future__ import annotations

import tempfile
from pathlib import Path

import zstandard

from mdacl_ros.errors import RecordingError

ZSTD = b"\x28\xb5\x2f\xfd"
"""How zstandard data begins; no CDR or ROS 1 message of an image begins so."""


def plain(data: bytes) -> bytes:
    """A message's bytes, decompressed if the recorder compressed it."""
    if data[:4] != ZSTD:
        return data
    try:
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    except zstandard.ZstdError:
        return data  # fails where it is decoded, with its topic named


class Decompressed:
    """A decompressed copy of a file, in a temporary folder as long as it is open.

    Args:
        path: A zstandard file.

    Attributes:
        path: The copy, named as the original without its last suffix.

    Raises:
        RecordingError: It is damaged, or the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mdacl_zstd_")
        self.path = Path(self._folder.name, path.stem)
        try:
            with path.open("rb") as packed, self.path.open("wb") as out:
                zstandard.ZstdDecompressor().copy_stream(packed, out)
        except (OSError, zstandard.ZstdError) as error:
            self.close()
            raise RecordingError(
                f"bag {path}: cannot be decompressed ({error}); try zstd -d {path.name}"
            ) from error

    def close(self) -> None:
        """Remove the copy."""
        self._folder.cleanup()
