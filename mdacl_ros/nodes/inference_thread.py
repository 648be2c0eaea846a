"""The thread that runs the detector: takes the newest pair, never queues, never dies of one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from mdacl_ros.nodes.statistics import Statistics
from mdacl_ros.sensing.synchronizer import PairSynchronizer, SyncConfig
from mdacl_ros.types import Frame, FramePair, Modality

T = TypeVar("T")

SHORTEST_WAIT, LONGEST_WAIT = 0.001, 0.02
"""Bounds in seconds on the wait for the synchronizer's deadline: a dead camera sends nothing that
could wake us, and simulated time may pass faster than we wait."""

IDLE_WAIT = 0.5
"""Seconds between looks while the synchronizer holds nothing."""


class InferenceThread:
    """Hands frames from the ROS callbacks to the detector through a mailbox of depth one.

    Callbacks call :meth:`push` and return at once. A pair that arrives while the detector is busy
    replaces the one that waits (counter ``dropped_busy``). What ``process`` raises is passed to
    ``failed``: that pair is lost, the stream goes on.
    """

    def __init__(
        self,
        synchronizer: PairSynchronizer,
        process: Callable[[FramePair], None],
        failed: Callable[[FramePair, Exception], None],
        now_ns: Callable[[], int],
        statistics: Statistics,
    ) -> None:
        self._synchronizer = synchronizer
        self._process = process
        self._failed = failed
        self._now_ns = now_ns
        self._statistics = statistics
        self._condition = threading.Condition()
        self._pending: FramePair | None = None
        self._running = False
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)

    def start(self) -> None:
        """Start taking pairs."""
        self._running = True
        self._thread.start()

    def stop(self) -> None:
        """Finish the pair in work, drop what waits, and join. Does nothing if never started."""
        with self._condition:
            self._running = False
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def push(self, camera: Modality, frame: Frame) -> None:
        """Take a new frame from a callback; returns at once."""
        with self._condition:
            self._offer(self._synchronizer.push(camera, frame, self._now_ns()))
            self._condition.notify()

    def configure(self, config: SyncConfig) -> None:
        """Change the synchronizer's settings between two frames."""
        with self._condition:
            self._synchronizer.config = config

    def inspect(self, read: Callable[[PairSynchronizer, int], T]) -> T:
        """Read the synchronizer's state consistently; ``read`` gets the clock's time too."""
        with self._condition:
            return read(self._synchronizer, self._now_ns())

    def _offer(self, pair: FramePair | None) -> None:
        """Put a pair into the mailbox; the lock is held."""
        if pair is None:
            return
        if self._pending is not None:
            self._statistics.count("dropped_busy")
        self._pending = pair

    def _next(self) -> FramePair | None:
        """Wait for the newest pair; ``None`` when stopped."""
        with self._condition:
            while self._running:
                # Not before the first frame: a camera's time to appear starts with the other one.
                if self._pending is None and self._synchronizer.deadline_ns is not None:
                    self._offer(self._synchronizer.poll(self._now_ns()))
                if self._pending is not None:
                    pair, self._pending = self._pending, None
                    return pair
                self._condition.wait(self._wait_seconds())
        return None

    def _wait_seconds(self) -> float:
        """Time to the synchronizer's next decision; a new frame ends the wait earlier."""
        deadline_ns = self._synchronizer.deadline_ns
        if deadline_ns is None:
            return IDLE_WAIT
        remaining = (deadline_ns - self._now_ns()) / 1e9
        return min(max(remaining, SHORTEST_WAIT), LONGEST_WAIT)

    def _run(self) -> None:
        """Process pairs until stopped."""
        while (pair := self._next()) is not None:
            try:
                self._process(pair)
            except Exception as error:  # the boundary of the thread: nothing above could catch it
                self._failed(pair, error)
