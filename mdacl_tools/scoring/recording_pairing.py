"""A recording's frames paired on the recording's own clock, by the node's synchronizer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer
from mdacl_ros.types import FramePair
from mdacl_tools.recordings.recording import Event

Timed = tuple[int, FramePair]
"""When a pair went out, on the recording's clock in ns, and the pair."""


class Watcher(Protocol):
    """Sees every frame before it is paired."""

    def __call__(self, event: Event) -> None:
        """Look at a frame."""
        ...


def paired(
    events: Iterable[Event], synchronizer: PairSynchronizer, watch: Watcher = lambda event: None
) -> Iterator[Timed]:
    """Pairs and single frames in the order in which the node would answer them.

    The node polls all the time; here time jumps from one frame, or deadline, to the next.

    Args:
        events: Frames in order of arrival.
        synchronizer: A fresh one; its counters tell where frames went.
        watch: Told every frame first.
    """
    for event in events:
        watch(event)
        yield from _until(event.time_ns, synchronizer)
        pair = synchronizer.push(event.camera, event.frame, event.time_ns)
        while pair is not None:
            yield event.time_ns, pair
            pair = synchronizer.poll(event.time_ns)
    yield from _until(None, synchronizer)


def _until(time_ns: int | None, synchronizer: PairSynchronizer) -> Iterator[Timed]:
    """What goes out at deadlines up to a time; ``None``: up to the last deadline."""
    while (due_ns := synchronizer.deadline_ns) is not None:
        if time_ns is not None and due_ns > time_ns:
            return
        pair = synchronizer.poll(due_ns)
        if pair is not None:
            yield due_ns, pair
        elif synchronizer.deadline_ns == due_ns:
            return  # nothing came of it, and nothing will at this time


class BusyDrops:
    """Drops pairs as the node does whose detector takes a fixed time: newest wins, depth one.

    Args:
        latency_ms: Time of one answer.

    Attributes:
        dropped: Pairs replaced by newer ones so far.
    """

    def __init__(self, latency_ms: float) -> None:
        self._latency_ns = round(latency_ms * 1e6)
        self.dropped = 0

    def __call__(self, pairs: Iterable[Timed]) -> Iterator[Timed]:
        """The pairs that are answered, with the times at which work on them begins."""
        free_ns, waiting = -(2**63), list[FramePair]()
        for time_ns, pair in pairs:
            if waiting and free_ns <= time_ns:
                yield free_ns, waiting.pop()
                free_ns += self._latency_ns
            if time_ns >= free_ns:
                yield time_ns, pair
                free_ns = time_ns + self._latency_ns
                continue
            self.dropped += len(waiting)
            waiting = [pair]
        if waiting:
            yield free_ns, waiting[0]
