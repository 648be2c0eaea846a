"""Events of a recording: something that goes on for several frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from mdacl_tools.scoring.frames import FrameRecord
from mdacl_tools.scoring.report import EventSpan

SHORTEST = 3
"""Frames in a row that make an event, so that one odd frame makes none."""

GAP_NS = 1_000_000_000
"""Spans of one name that are nearer than this are one event."""


class EventFinder:
    """Turns signs of single frames into events; keeps a few frames back until it knows.

    Args:
        shortest: Frames in a row that make an event; 1 for single images.

    Attributes:
        spans: Events so far.
    """

    def __init__(self, shortest: int = SHORTEST) -> None:
        self._shortest = shortest
        self._waiting: deque[tuple[FrameRecord, dict[str, bool]]] = deque()
        self._run: dict[str, int] = {}
        self._open: dict[str, EventSpan] = {}
        self._closed: list[EventSpan] = []

    @property
    def spans(self) -> tuple[EventSpan, ...]:
        """In the order of their starts."""
        return tuple(
            sorted([*self._closed, *self._open.values()], key=lambda e: (e.start_ns, e.name))
        )

    def add(self, record: FrameRecord, signs: tuple[str, ...]) -> Iterator[FrameRecord]:
        """Take a frame with its signs; frames come back with their events, in order."""
        self._run = {name: self._run.get(name, 0) + 1 for name in signs}
        self._waiting.append((record, dict.fromkeys(signs, False)))
        for name, length in self._run.items():
            if length >= self._shortest:
                for _, known in list(self._waiting)[-self._shortest :]:
                    known[name] = True
        while len(self._waiting) >= self._shortest:
            yield self._release()

    def finish(self) -> Iterator[FrameRecord]:
        """The frames kept back."""
        while self._waiting:
            yield self._release()

    def _release(self) -> FrameRecord:
        record, known = self._waiting.popleft()
        names = tuple(sorted(name for name, true in known.items() if true))
        for name in names:
            self._extend(name, record.stamp_ns)
        return replace(record, events=names)

    def _extend(self, name: str, stamp_ns: int) -> None:
        span = self._open.get(name)
        if span is not None and abs(stamp_ns - span.end_ns) <= GAP_NS:
            self._open[name] = replace(span, end_ns=max(span.end_ns, stamp_ns))
            return
        if span is not None:
            self._closed.append(span)
        self._open[name] = EventSpan(name, stamp_ns, stamp_ns)
