"""An iteration done in a thread of its own, a bounded number of items ahead of who takes them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetched(Generic[T]):
    """Runs through an iterable in a thread.

    An error of the iterable is raised where the item would have been.

    Args:
        source: What to run through; nobody else does meanwhile.
        depth: Number of items in advance.
    """

    def __init__(self, source: Iterable[T], depth: int) -> None:
        self._queue: queue.Queue[tuple[T] | Exception | None] = queue.Queue(depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(source,), name="read_ahead")
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item[0]

    def close(self) -> None:
        """Stop and join the thread."""
        self._stopped.set()
        while self._thread.is_alive():
            try:  # makes room for a put that waits
                self._queue.get_nowait()
            except queue.Empty:
                self._thread.join(0.01)

    def _read(self, source: Iterable[T]) -> None:
        try:
            for item in source:
                if self._stopped.is_set():
                    return
                self._queue.put((item,))
        except Exception as error:  # handed to the thread that iterates
            self._queue.put(error)
        else:
            self._queue.put(None)
