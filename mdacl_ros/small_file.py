"""Files that people name: read only what can be one, and no more than it can be long."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MOST = 1 << 20
"""Bytes of the longest text that is read: a rig calibration has two thousand."""


def user_path(text: str | Path) -> Path:
    """A path as people write it, ``~`` for their home; a home nobody knows is left as it is."""
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def read_small_text(path: Path, most: int = MOST) -> str:
    """Read a UTF-8 text.

    Not a device, which may have no end; not a pipe, which may have no writer.

    Args:
        path: Where it lies.
        most: Bytes above which nothing is read.

    Raises:
        OSError: It cannot be read, is no regular file, or is longer.
        UnicodeDecodeError: It is no text.
    """
    # Not blocking: opening a pipe would wait for its writer.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is no regular file", str(path))
        if status.st_size > most:
            raise OSError(errno.EFBIG, f"has {status.st_size} bytes, at most {most}", str(path))
        with os.fdopen(handle, "rb", closefd=False) as stream:
            return stream.read(most).decode("utf-8")
    finally:
        os.close(handle)
