"""When the frames of a recording are due again, and which stamps they then carry."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from mdacl_tools.recordings.prefetch import Prefetched
from mdacl_tools.recordings.recording import Event, Recording

READ_AHEAD = 24
"""Frames decoded in advance: about 0.4 s of two 30 Hz cameras."""

ORIGIN_SEARCH = 64
"""How many events are looked through for the first RGB frame."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Maps a recording's clocks to the wall clock, exactly at rate 1.

    The first RGB frame (without one, the first frame) is due at ``start_ns``; if stamps are
    renewed, it also carries that stamp, so that a stamp is the moment at which the frame would
    have been taken. Delays and clock offsets between the cameras stay as they were recorded.

    Attributes:
        start_ns: Wall clock of the first RGB frame.
        time_ns: Its recorded arrival.
        stamp_ns: Its recorded stamp.
        rate: Speed; 2 plays twice as fast.
        restamp: Give frames new stamps; otherwise they keep the recorded ones.
    """

    start_ns: int
    time_ns: int
    stamp_ns: int
    rate: Fraction = Fraction(1)
    restamp: bool = True

    def due_ns(self, event: Event) -> int:
        """Wall clock at which an event is due."""
        return self.start_ns + round(Fraction(event.time_ns - self.time_ns) / self.rate)

    def stamp(self, event: Event) -> int:
        """Stamp that its frame carries when played."""
        if not self.restamp:
            return event.frame.stamp_ns
        return self.start_ns + round(Fraction(event.frame.stamp_ns - self.stamp_ns) / self.rate)

    def next_loop(self, recorded_ns: int) -> Schedule:
        """The schedule of the next pass, ``recorded_ns`` of recording later."""
        return replace(self, start_ns=self.start_ns + round(Fraction(recorded_ns) / self.rate))


def make_schedule(
    first: list[Event], start_ns: int, rate: float = 1.0, *, restamp: bool = True
) -> Schedule:
    """Anchor a schedule at the first RGB frame among the first events.

    Raises:
        ValueError: If there are no events.
    """
    if not first:
        raise ValueError("a recording without frames has no schedule")
    origin = next((event for event in first if event.camera == "rgb"), first[0])
    exact = Fraction(rate).limit_denominator(1000)
    return Schedule(start_ns, origin.time_ns, origin.frame.stamp_ns, exact, restamp)


def loop_length_ns(recording: Recording) -> int:
    """Time between the starts of two passes: the recording and one frame period."""
    return recording.duration_ns + round(1e9 / max(recording.fps.values(), default=1.0))


def partner_timeout(recording: Recording, rate: float = 1.0) -> float:
    """The node's default, or longer where the slower camera needs it: three of its periods, in s.

    Args:
        recording: What is played.
        rate: How fast.
    """
    periods = [1 / (hz * rate) for hz in recording.fps.values() if hz > 0]
    return float(max([0.5, *(3 * period for period in periods)]))


class ReadAhead(Prefetched[Event]):
    """Decodes a recording in a thread, a bounded number of frames ahead of who iterates.

    Args:
        recording: What to read; nobody else reads it meanwhile.
        depth: Number of frames in advance.
    """

    def __init__(self, recording: Recording, depth: int = READ_AHEAD) -> None:
        super().__init__(recording, depth)

    def peek(self) -> tuple[list[Event], Iterator[Event]]:
        """The first events up to the first RGB frame, and an iterator over all events."""
        events, head = iter(self), []
        for event in itertools.islice(events, ORIGIN_SEARCH):
            head.append(event)
            if event.camera == "rgb":
                break
        return head, itertools.chain(head, events)
