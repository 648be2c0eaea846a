"""A thread that calls a function once per second, whatever the executor is busy with."""

from __future__ import annotations

import threading
from collections.abc import Callable

PERIOD = 1.0
"""Seconds between beats; /diagnostics is expected at 1 Hz."""


class Heartbeat:
    """Beats from construction until :meth:`stop`.

    Not a ROS timer: a transition that builds an engine for minutes blocks the executor, and that is
    just when people look at /diagnostics.
    """

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and join it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            self._beat()
