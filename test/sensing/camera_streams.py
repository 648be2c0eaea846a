"""Synthetic camera streams for the synchronizer: stamps, arrivals, freezes, loops; no pixels."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer, SyncConfig
from mdacl_ros.types import Frame, FramePair, Modality

MS = 1_000_000
SECOND = 1_000 * MS
IMAGE = np.zeros((2, 2), np.uint8)


@dataclass(frozen=True)
class Event:
    """A frame's arrival."""

    arrival_ns: int
    camera: Modality
    stamp_ns: int

    @property
    def frame(self) -> Frame:
        return Frame(IMAGE, self.stamp_ns, self.camera)


def stream(
    camera: Modality,
    rate: float,
    seconds: float,
    *,
    delay_ms: float = 5.0,
    jitter_ms: float = 0.0,
    clock_error_ms: float = 0.0,
    phase_ms: float = 0.0,
    freeze_s: tuple[float, float] = (0.0, 0.0),
    start_ns: int = 0,
    seed: int = 0,
) -> list[Event]:
    """Frames of one camera; none are taken during ``freeze_s`` (from, to)."""
    rng = np.random.default_rng(seed)
    events = []
    for number in range(round(rate * seconds)):
        true_ns = round(number * SECOND / rate + phase_ms * MS)
        if freeze_s[0] <= true_ns / SECOND < freeze_s[1]:
            continue
        delay_ns = round((delay_ms + rng.uniform(0, jitter_ms)) * MS)
        stamp_ns = true_ns + round(clock_error_ms * MS)
        events.append(Event(start_ns + true_ns + delay_ns, camera, stamp_ns))
    return events


def play(
    synchronizer: PairSynchronizer, events: list[Event], poll_ms: float = 5.0
) -> Iterator[tuple[int, FramePair]]:
    """Push events in order of arrival and poll in between as a node does; yields what goes out."""
    queue = [(event.arrival_ns, 1, index) for index, event in enumerate(events)]
    if queue:
        first, last = min(queue)[0], max(queue)[0] + SECOND
        queue += [(t, 0, 0) for t in range(first, last, round(poll_ms * MS))]
    heapq.heapify(queue)
    while queue:
        now, is_frame, index = heapq.heappop(queue)
        if is_frame:
            pair = synchronizer.push(events[index].camera, events[index].frame, now)
        else:
            pair = synchronizer.poll(now)
        while pair is not None:
            yield now, pair
            pair = synchronizer.poll(now)


@dataclass(frozen=True)
class LoopReport:
    """What one loop of the bag gave."""

    pairs: int
    single_rgb: int
    single_thermal: int
    single_from_s: float
    single_to_s: float
    recovery_rgb_frames: int


def two_loops(
    config: SyncConfig, *, freeze_s: tuple[float, float] = (3.0, 5.5)
) -> list[LoopReport]:
    """Ten seconds of 30 Hz RGB and 9 Hz thermal, twice, as a looped bag: stamps start again.

    The thermal clock is 40 ms slow (``config`` adds it back) and freezes for 2.5 s; both cameras
    have transport jitter, the same in both loops.
    """
    loop_ns = 10 * SECOND
    loops = [
        stream("rgb", 30, 10, jitter_ms=4, start_ns=loop * loop_ns, seed=1)
        + stream(
            "thermal",
            9,
            10,
            delay_ms=12,
            jitter_ms=8,
            clock_error_ms=-40,
            freeze_s=freeze_s,
            start_ns=loop * loop_ns,
            seed=2,
        )
        for loop in range(2)
    ]
    out = list(play(PairSynchronizer(config), loops[0] + loops[1]))
    first = [(now, pair) for now, pair in out if now < loop_ns]
    second = [(now - loop_ns, pair) for now, pair in out if loop_ns <= now < 2 * loop_ns]
    return [_report(first, loops[0], 0), _report(second, loops[1], loop_ns)]


def _report(out: list[tuple[int, FramePair]], events: list[Event], start_ns: int) -> LoopReport:
    alone = [now for now, pair in out if pair.thermal is None]
    thermal_back = [
        event.arrival_ns - start_ns
        for event in events
        if event.camera == "thermal" and alone and event.arrival_ns - start_ns > alone[0]
    ]
    after = [
        pair
        for now, pair in out
        if thermal_back and now >= min(thermal_back) and pair.rgb is not None
    ]
    waited = next((i for i, pair in enumerate(after) if pair.thermal is not None), -1)
    return LoopReport(
        pairs=sum(pair.rgb is not None and pair.thermal is not None for _, pair in out),
        single_rgb=len(alone),
        single_thermal=sum(pair.rgb is None for _, pair in out),
        single_from_s=alone[0] / SECOND if alone else 0.0,
        single_to_s=alone[-1] / SECOND if alone else 0.0,
        recovery_rgb_frames=waited,
    )
