"""Reading a recording: frames looked at, paired, and put together with their ground truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer
from mdacl_ros.types import MODALITIES, Frame, FramePair, Modality
from mdacl_tools.recordings.input_options import clock_remark
from mdacl_tools.recordings.losses import damage_of, losses_of, notes_of
from mdacl_tools.recordings.recording import Event, Recording
from mdacl_tools.recordings.schedule import partner_timeout
from mdacl_tools.scoring.ground_truth import LabelFile, Labelled, open_truth
from mdacl_tools.scoring.image_faults import REMEMBERED, Signs
from mdacl_tools.scoring.recording_pairing import BusyDrops, Timed, paired
from mdacl_tools.scoring.settings import EvaluationSettings


@dataclass(frozen=True, slots=True)
class Moment:
    """A pair and what is known of it besides.

    Attributes:
        pair: What goes to the detector.
        signs: What was seen to be wrong, see :mod:`.image_faults`.
        labelled: Its ground truth, if there is any.
        part: Part of the recording that it belongs to.
    """

    pair: FramePair
    signs: tuple[str, ...]
    labelled: Labelled | None
    part: str | None


class MomentReader:
    """Runs once through a recording, on its own clock.

    Args:
        recording: Open.
        settings: How to pair; where the ground truth is.

    Attributes:
        has_truth: Whether there is any ground truth to expect.
        partner_timeout_s: After which a silent camera counts as dead.
    """

    def __init__(self, recording: Recording, settings: EvaluationSettings) -> None:
        self._recording = recording
        self._truth = open_truth(recording, settings.labels)
        self.has_truth = settings.labels is not None or recording.has_truth
        self._primary: Modality = "rgb" if recording.frames.get("rgb") else "thermal"
        self.partner_timeout_s = self._timeout(settings)
        timeout_ns = max(1, round(self.partner_timeout_s * 1e9))
        self._config = replace(settings.pipeline.sync_config(), partner_timeout_ns=timeout_ns)
        self._synchronizer = PairSynchronizer(self._config)
        latency = settings.simulated_latency_ms
        self._busy = None if latency is None else BusyDrops(latency)
        self._signs = Signs()
        self._numbers: dict[int, int] = {}
        self._frames: Counter[Modality] = Counter()
        self._stamps: tuple[int, int] | None = None
        self._arrivals: tuple[int, int] | None = None
        self._labelled = 0

    def moments(self, advance: Callable[[int], None]) -> Iterator[Moment]:
        """All pairs in order.

        Args:
            advance: Told after each frame.
        """

        def watch(event: Event) -> None:
            self._see(event)
            advance(1)

        pairs: Iterator[Timed] = paired(self._recording, self._synchronizer, watch)
        if self._busy is not None:
            pairs = self._busy(pairs)
        for now_ns, pair in pairs:
            yield self._moment(pair, now_ns)

    def facts(self) -> dict[str, Any]:
        """The part of a report's ``recording`` that is known once it was read."""
        return {
            "frames": {camera: self._frames[camera] for camera in self._recording.frames},
            "duration_s": self._duration_ns / 1e9,
            "start_ns": self._stamps[0] if self._stamps else 0,
            "has_truth": bool(self._labelled),
            "damage": damage_of(self._recording),
            "notes": notes_of(self._recording),
            "warnings": self._warnings(),
        }

    def counts(self, scored: int) -> dict[str, Any]:
        """Where the frames went.

        Args:
            scored: Number of pairs that were scored.
        """
        counters = self._synchronizer.counters
        losses = losses_of(self._recording)
        images = self._truth.images if isinstance(self._truth, LabelFile) else scored
        return {
            "frames_rgb": self._frames["rgb"],
            "frames_thermal": self._frames["thermal"],
            "dropped": {k: dict(causes) for k, causes in counters.dropped.items()},
            "dropped_busy": self._busy.dropped if self._busy is not None else 0,
            "unreadable": {camera: losses.counts[camera] for camera in MODALITIES},
            "clock_resets": counters.clock_resets,
            "truth_frames": self._labelled,
            "scored": scored,
            "labels_unmatched": max(0, images - scored),
        }

    @property
    def _duration_ns(self) -> int:
        """From the first to the last frame that was read."""
        low, high = self._arrivals or (0, 0)
        return high - low

    def _warnings(self) -> list[str]:
        """Why images are missing, and clocks that keep pairs from coming about."""
        lines = losses_of(self._recording).sentences()
        config = self._config
        remark = clock_remark(
            self._recording, config.thermal_clock_offset_ns / 1e9, config.max_skew_ns / 1e9
        )
        return [*lines, remark] if remark else lines

    def mismatch(self) -> str:
        """Why no label fits; empty if some do or none were given."""
        if self._labelled or not isinstance(self._truth, LabelFile):
            return ""
        return self._truth.mismatch(self._recording.name, self._stamps, self._frames[self._primary])

    def _timeout(self, settings: EvaluationSettings) -> float:
        if len([n for n in self._recording.frames.values() if n]) < 2:
            return 0.0  # the other camera is not in it: nobody waits for it
        given = settings.pipeline.partner_timeout
        return partner_timeout(self._recording) if settings.fit_timeout else given

    def _see(self, event: Event) -> None:
        """Count a frame and look at it."""
        stamp, number = event.frame.stamp_ns, self._frames[event.camera]
        self._frames[event.camera] += 1
        first, last = self._arrivals or (event.time_ns, event.time_ns)
        self._arrivals = min(first, event.time_ns), max(last, event.time_ns)
        self._signs(event)
        if event.camera == self._primary:
            low, high = self._stamps or (stamp, stamp)
            self._stamps = min(low, stamp), max(high, stamp)
            self._numbers[stamp] = number
            while len(self._numbers) > REMEMBERED:
                del self._numbers[next(iter(self._numbers))]
            self._labelled += self._truth.of(stamp, number) is not None

    def _moment(self, pair: FramePair, now_ns: int) -> Moment:
        frames: dict[Modality, Frame | None] = {"rgb": pair.rgb, "thermal": pair.thermal}
        signs: list[str] = []
        for camera, frame in frames.items():
            if frame is not None:
                signs += self._signs.of(camera, frame.stamp_ns)
            elif self._recording.frames.get(camera):
                frozen = self._synchronizer.frozen(camera, now_ns)
                signs.append(f"freeze_{camera}" if frozen else f"missing_{camera}")
        primary = frames[self._primary]
        number = None if primary is None else self._numbers.get(primary.stamp_ns)
        labelled = self._truth.of(pair.stamp_ns, number) if self.has_truth else None
        part = labelled.part if labelled else self._truth.part(pair.stamp_ns)
        return Moment(pair, tuple(signs), labelled, part)
