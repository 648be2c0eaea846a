"""Claims by which several workers share one list of work.

A claim is a kernel lock (``flock``) on a file: it ends with its process, so that what a killed
worker held can be taken over at once. The file tells people who holds it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def claim(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold a claim for the time of a block.

    Args:
        path: The claim's file; its folder is created.
        wait: Wait while another process holds it.

    Yields:
        Whether the claim is ours; always true with ``wait``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield True


def holder(path: Path) -> str:
    """The process that wrote itself into a claim last, for messages."""
    text = path.read_text().strip() if path.is_file() else ""
    return f"process {text}" if text else "another process"
