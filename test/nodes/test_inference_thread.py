"""The mailbox between callbacks and detector, without ROS."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from mdacl_ros.health.statistics import Statistics
from mdacl_ros.nodes.inference_thread import InferenceThread
from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer, SyncConfig
from mdacl_ros.types import Frame, FramePair

from .bench import wait_until

MS = 1_000_000
IMAGE = np.zeros((2, 2), np.uint8)


class Worker:
    """An inference thread on a clock of the test's own; ``hold`` keeps the detector busy."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.seen: list[FramePair] = []
        self.failures: list[Exception] = []
        self.hold = threading.Event()
        self.hold.set()
        self.entered = threading.Event()
        self.error: Exception | None = None
        self.statistics = Statistics()
        self.thread = InferenceThread(
            PairSynchronizer(SyncConfig(partner_timeout_ns=200 * MS)),
            self._process,
            lambda _pair, error: self.failures.append(error),
            lambda: self.now_ns,
            self.statistics,
        )

    def _process(self, pair: FramePair) -> None:
        self.entered.set()
        assert self.hold.wait(10)
        if self.error is not None:
            raise self.error
        self.seen.append(pair)

    def push_pair(self, stamp_ns: int) -> None:
        self.thread.push("thermal", Frame(IMAGE, stamp_ns))
        self.thread.push("rgb", Frame(IMAGE, stamp_ns))

    def stamps(self) -> list[int]:
        return [pair.stamp_ns for pair in self.seen]


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    made.thread.start()
    yield made
    made.hold.set()
    made.thread.stop()


def test_the_newest_pair_wins_and_the_others_are_counted(worker: Worker) -> None:
    worker.hold.clear()
    worker.push_pair(0)
    assert worker.entered.wait(10)
    for i in range(1, 5):
        worker.push_pair(i * 100 * MS)
    worker.hold.set()
    wait_until(lambda: len(worker.seen) == 2, "two pairs")
    assert worker.stamps() == [0, 400 * MS]
    assert worker.statistics.counts()["dropped_busy"] == 3


def test_the_clock_lets_a_lonely_frame_out(worker: Worker) -> None:
    worker.thread.push("rgb", Frame(IMAGE, 0))
    assert worker.seen == []
    worker.now_ns = 201 * MS  # nothing else arrives: the thread must look by itself
    wait_until(lambda: worker.seen, "the single frame")
    assert worker.seen[0].thermal is None


def test_time_before_the_first_frame_does_not_count_against_the_other_camera(
    worker: Worker,
) -> None:
    worker.now_ns = 10_000 * MS
    worker.push_pair(0)
    wait_until(lambda: worker.seen, "the pair")
    assert worker.seen[0].thermal is not None


def test_an_exception_is_passed_on_and_the_thread_lives(worker: Worker) -> None:
    worker.error = RuntimeError("device lost")
    worker.push_pair(0)
    wait_until(lambda: worker.failures, "the failure")
    worker.error = None
    worker.push_pair(100 * MS)
    wait_until(lambda: worker.seen, "the next pair")
    assert worker.stamps() == [100 * MS]


def test_a_new_configuration_holds_for_the_next_frame(worker: Worker) -> None:
    worker.thread.configure(SyncConfig(thermal_clock_offset_ns=40 * MS, max_skew_ns=MS))
    worker.thread.push("thermal", Frame(IMAGE, 0))
    worker.thread.push("rgb", Frame(IMAGE, 40 * MS))
    wait_until(lambda: worker.seen, "the pair")
    assert worker.seen[0].skew_ns == 0


def test_stop_finishes_the_pair_in_work_and_may_be_repeated() -> None:
    worker = Worker()
    worker.thread.stop()  # never started: nothing to do
    worker = Worker()
    worker.thread.start()
    worker.push_pair(0)
    assert worker.entered.wait(10)
    worker.thread.stop()
    worker.thread.stop()
    assert worker.stamps() == [0]
