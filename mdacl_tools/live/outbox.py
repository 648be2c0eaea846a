"""A thread that does things when they are due: messages that a fault holds back."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

Action = Callable[[], None]


class Outbox:
    """Runs actions at their time, those of one time in the order in which they came."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, due: float, action: Action) -> None:
        """Run ``action`` at monotonic time ``due`` in seconds, or as soon as possible after it."""
        with self._condition:
            heapq.heappush(self._waiting, (due, next(self._order), action))
            self._condition.notify()

    def stop(self) -> None:
        """Forget what waits, finish what runs, and join."""
        with self._condition:
            self._stopped = True
            self._waiting.clear()
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        while (action := self._next()) is not None:
            action()

    def _next(self) -> Action | None:
        """Wait for the next action that is due; ``None`` when stopped."""
        with self._condition:
            while not self._stopped:
                wait = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._condition.wait(wait)
        return None
