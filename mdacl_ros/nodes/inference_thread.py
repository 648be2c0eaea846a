"""The thread that runs the detector: takes the newest pair, never queues, is replaced if dead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from mdacl_ros.errors import MdaclError
from mdacl_ros.health.statistics import Statistics
from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer, SyncConfig
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
    ``failed``: that pair is lost, the stream goes on. After an error that is not an
    :class:`MdaclError` nobody knows what state the thread left behind: it ends, and
    :meth:`supervise` or the next frame starts another (counter ``inference_restarts``).
    """

    def __init__(
        self,
        synchronizer: PairSynchronizer,
        process: Callable[[FramePair], None],
        failed: Callable[[FramePair, BaseException], None],
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
        self._busy_since: float | None = None
        self._thread: threading.Thread | None = None

    @property
    def busy_s(self) -> float:
        """Seconds since the pair in work was taken; 0 while none is."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def alive(self) -> bool:
        """Whether the thread has been started and not ended."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start taking pairs."""
        with self._condition:
            self._running = True
            self._start_thread()

    def supervise(self) -> None:
        """Start another thread in place of one that died; called now and then from any thread."""
        with self._condition:
            self._replace_dead()

    def stop(self, timeout: float | None = None) -> bool:
        """Finish the pair in work, drop what waits, and join. Does nothing if never started.

        Args:
            timeout: Seconds granted to the pair in work; ``None``: any time.

        Returns:
            Whether the thread has ended; a hung one is left behind, and takes no other pair.
        """
        with self._condition:
            self._running = False
            self._condition.notify_all()
            thread = self._thread
        if thread is None:
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def push(self, camera: Modality, frame: Frame) -> None:
        """Take a new frame from a callback; returns at once."""
        with self._condition:
            self._replace_dead()
            self._offer(self._synchronizer.push(camera, frame, self._now_ns()))
            self._condition.notify()

    def configure(self, config: SyncConfig) -> None:
        """Change the synchronizer's settings between two frames."""
        with self._condition:
            self._synchronizer.configure(config)

    def inspect(self, read: Callable[[PairSynchronizer, int], T]) -> T:
        """Read the synchronizer's state consistently; ``read`` gets the clock's time too."""
        with self._condition:
            return read(self._synchronizer, self._now_ns())

    def _start_thread(self) -> None:
        """Start a thread; the lock is held."""
        self._busy_since = None
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    def _replace_dead(self) -> None:
        """Start another thread if the present one has died; the lock is held."""
        if self._running and self._thread is not None and not self._thread.is_alive():
            self._statistics.count("inference_restarts")
            self._start_thread()

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
        """Process pairs until stopped, or until one ends in an error nobody foresaw."""
        sound = True
        while sound and (pair := self._next()) is not None:
            self._busy_since = time.monotonic()
            try:
                self._process(pair)
            except BaseException as error:  # the boundary of the thread: nothing could catch it
                sound = isinstance(error, MdaclError)
                self._failed(pair, error)
            self._busy_since = None
