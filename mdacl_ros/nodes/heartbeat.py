"""A thread that beats once per second and when needed, whatever the executor is busy with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PERIOD = 1.0
"""Seconds between beats; /diagnostics is expected at 1 Hz."""

WATCH_PERIOD = 0.25
"""Seconds between looks whether something changed that cannot wait for the next beat; at the same
time the shortest one between two beats."""


class Heartbeat:
    """Beats from construction until :meth:`stop`: once per second, and at once when told to.

    Not a ROS timer: a transition that builds an engine for minutes blocks the executor, and that is
    just when people look at /diagnostics.

    Args:
        beat: What to do once per second.
        watch: Looks after things; returns whether to beat now.
        failed: Told of what either raises; the thread goes on.
    """

    def __init__(
        self,
        beat: Callable[[], None],
        watch: Callable[[], bool],
        failed: Callable[[Exception], None],
    ) -> None:
        self._beat, self._watch, self._failed = beat, watch, failed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and join it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic() + PERIOD
        while not self._stop.wait(WATCH_PERIOD):
            if self._wanted() or time.monotonic() >= due:
                due = time.monotonic() + PERIOD
                self._try(self._beat)

    def _wanted(self) -> bool:
        """Whether to beat now; a look that fails holds up no beat that is due."""
        return bool(self._try(self._watch))

    def _try(self, action: Callable[[], T]) -> T | None:
        try:
            return action()
        except Exception as error:  # the boundary of the thread: its silence would be the worst
            self._failed(error)
            return None
