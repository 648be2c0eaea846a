"""One recording, evaluated offline: frames.jsonl while it runs, report.json at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mdacl_ros.errors import MdaclError, RecordingError
from mdacl_ros.evaluation.events import SHORTEST, EventFinder
from mdacl_ros.evaluation.flicker import Flicker
from mdacl_ros.evaluation.frames import FRAMES_FILE, FrameRecord, FrameWriter
from mdacl_ros.evaluation.ground_truth import LabelFile, Labelled, RecordingTruth, Truth
from mdacl_ros.evaluation.modes import Modes
from mdacl_ros.evaluation.opening import is_data_set, open_for_evaluation, recording_facts
from mdacl_ros.evaluation.pairing import BusyDrops, Timed, paired
from mdacl_ros.evaluation.report import Report, write_report
from mdacl_ros.evaluation.settings import EvaluationSettings, facts
from mdacl_ros.evaluation.signs import Signs
from mdacl_ros.evaluation.summary import Summary
from mdacl_ros.evaluation.timing import percentiles
from mdacl_ros.evaluation.verdict import judge
from mdacl_ros.evaluation.worst import WorstFrames
from mdacl_ros.perception import Perception
from mdacl_ros.replay.prefetch import Prefetched
from mdacl_ros.replay.recording import Event, Recording
from mdacl_ros.replay.schedule import partner_timeout
from mdacl_ros.replay.scoring import renumbered
from mdacl_ros.runtime.cache import file_digest
from mdacl_ros.sensing.synchronizer import PairSynchronizer
from mdacl_ros.types import FramePair, Modality, PerceptionResult

READ_AHEAD = 12
"""Pairs decoded in advance while the detector works: at most 25 MB of 640 x 480 images."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A pair and what is known of it besides."""

    pair: FramePair
    signs: tuple[str, ...]
    labelled: Labelled | None
    part: str | None


def evaluate_recording(
    path: Path,
    out: Path,
    settings: EvaluationSettings,
    perception: Perception,
    advance: Callable[[int], None] = lambda steps: None,
) -> Report:
    """Evaluate one recording and write report.json and frames.jsonl.

    Args:
        path: Bag, videos or data set.
        out: Folder, made if need be; files of an earlier evaluation in it are replaced.
        settings: With what.
        perception: Built from the settings; its engine is used, its past is not.
        advance: Told the number of frames read.

    Raises:
        RecordingError: There is nothing to evaluate.
        MdaclError: No frame could be used.
    """
    with closing(open_for_evaluation(path, settings)) as recording:
        return RecordingRun(path, recording, settings, perception).execute(out, advance)


class RecordingRun:
    """The state of one evaluation.

    Args:
        path: Where the recording lies.
        recording: It, open.
        settings: With what it is evaluated.
        perception: Whose engine is used.
    """

    def __init__(
        self,
        path: Path,
        recording: Recording,
        settings: EvaluationSettings,
        perception: Perception,
    ) -> None:
        self._path, self._recording, self._settings = path, recording, settings
        self._stills = is_data_set(recording) if settings.stills is None else settings.stills
        self._truth: Truth = (
            LabelFile(settings.labels) if settings.labels else RecordingTruth(recording)
        )
        self._has_truth = settings.labels is not None or recording.has_truth
        self._primary: Modality = "rgb" if recording.frames.get("rgb") else "thermal"
        self._timeout_s = self._partner_timeout()
        self._synchronizer = PairSynchronizer(settings.sync_config(self._timeout_s))
        self._busy = BusyDrops(settings.simulated_latency_ms or 0.0)
        self._signs, self._numbers = Signs(), dict[int, int]()
        self._frames: Counter[Modality] = Counter()
        self._stamps: tuple[int, int] | None = None
        self._modes = Modes(settings, perception, self._has_truth, self._stills)
        self._modes.expect_size(recording.camera_model("rgb"))
        labels = perception.engine.labels
        self._summary = Summary(labels, settings.threshold)
        self._events = EventFinder(1 if self._stills else SHORTEST)
        self._flicker, self._worst = Flicker(settings.threshold), WorstFrames(settings.threshold)
        self._left_out: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._parts: dict[int, str | None] = {}
        self._failure: MdaclError | None = None
        self._labels = labels
        self._facts = facts(settings, perception)

    def execute(self, out: Path, advance: Callable[[int], None]) -> Report:
        """Run through the recording and write both files."""
        started = time.perf_counter()
        description = recording_facts(self._path, self._recording)
        out.mkdir(parents=True, exist_ok=True)
        part = out / f".{FRAMES_FILE}.part"
        try:
            with FrameWriter(part) as writer, closing(self._prefetched(advance)) as moments:
                for moment in moments:
                    for record in self._answer(moment):
                        self._finish(record, writer)
                for record in self._events.finish():
                    self._finish(record, writer)
            if self._failure is not None and not self._summary.frames:
                raise self._failure
            if not self._summary.frames:
                raise RecordingError(f"recording {self._path}: no image could be read from it")
            report = self._report(description, time.perf_counter() - started)
            part.replace(out / FRAMES_FILE)
            write_report(report, out)
        finally:
            part.unlink(missing_ok=True)
        return report

    def _partner_timeout(self) -> float:
        if len([n for n in self._recording.frames.values() if n]) < 2:
            return 0.0  # the other camera is not in it: nobody waits for it
        given = self._settings.partner_timeout_s
        return partner_timeout(self._recording) if given is None else given

    def _prefetched(self, advance: Callable[[int], None]) -> Prefetched[Moment]:
        return Prefetched(self._moments(advance), READ_AHEAD)

    def _moments(self, advance: Callable[[int], None]) -> Iterator[Moment]:
        """Read, look at and pair all frames; runs in the reading thread."""

        def watch(event: Event) -> None:
            self._see(event)
            advance(1)

        pairs: Iterator[Timed] = paired(self._recording, self._synchronizer, watch)
        if self._settings.simulated_latency_ms is not None:
            pairs = self._busy(pairs)
        for _, pair in pairs:
            yield self._moment(pair)

    def _see(self, event: Event) -> None:
        """Count a frame and look at it."""
        stamp, number = event.frame.stamp_ns, self._frames[event.camera]
        self._frames[event.camera] += 1
        self._signs(event)
        if event.camera == self._primary:
            low, high = self._stamps or (stamp, stamp)
            self._stamps = min(low, stamp), max(high, stamp)
            self._numbers[stamp] = number
            while len(self._numbers) > READ_AHEAD:
                del self._numbers[next(iter(self._numbers))]
            if self._truth.of(stamp, number) is not None:
                self._counts["truth_frames"] += 1

    def _moment(self, pair: FramePair) -> Moment:
        signs: list[str] = []
        frames: list[tuple[Modality, Any]] = [("rgb", pair.rgb), ("thermal", pair.thermal)]
        for camera, frame in frames:
            if frame is None:
                signs += [f"missing_{camera}"] if self._recording.frames.get(camera) else []
            else:
                signs += self._signs.of(camera, frame.stamp_ns)
        primary = dict(frames)[self._primary]
        number = None if primary is None else self._numbers.get(primary.stamp_ns)
        labelled = self._truth.of(pair.stamp_ns, number) if self._has_truth else None
        part = labelled.part if labelled else self._truth.part(pair.stamp_ns)
        return Moment(pair, tuple(signs), labelled, part)

    def _answer(self, moment: Moment) -> Iterator[FrameRecord]:
        """Detect in a pair, in every mode; gives the frames whose events are known by now."""
        truth = None
        if moment.labelled is not None:
            truth, others = renumbered(moment.labelled.truth, self._labels)
        try:
            result = self._modes.judge(moment.pair, truth, moment.part)
        except MdaclError as error:
            self._counts["failed"] += 1
            self._failure = error
            return
        if truth is not None:
            self._left_out += others
            self._counts["scored"] += 1
        record = frame_record(self._counts["processed"], moment.pair, result)
        floor = 0.0 if truth is not None else self._settings.threshold
        record = replace(above(record, floor), truth=truth)
        self._counts["processed"] += 1
        self._parts[record.index] = moment.part
        yield from self._events.add(record, moment.signs)

    def _finish(self, record: FrameRecord, writer: FrameWriter) -> None:
        writer.write(record)
        self._summary.add(record, self._parts.pop(record.index))
        self._worst.add(record)
        if not self._stills:
            self._flicker.add(record)

    def _report(self, description: dict[str, Any], wall_s: float) -> Report:
        counts, scores = self._all_counts(), self._modes.summarize()
        mismatch = ""
        if isinstance(self._truth, LabelFile) and not counts["truth_frames"]:
            frames = self._frames[self._primary]
            mismatch = self._truth.mismatch(self._recording.name, self._stamps, frames)
        stamps = self._stamps or (0, 0)
        recording = description | {
            "frames": {camera: self._frames[camera] for camera in self._recording.frames},
            "duration_s": self._recording.duration_ns / 1e9,
            "start_ns": stamps[0],
            "image_size": list(self._summary.image_size or ()),
            "has_truth": bool(counts["truth_frames"]),
            "damage": list(getattr(self._recording, "damage", ())),
        }
        mdi, flicker = self._summary.mdi(), self._flicker.to_json()
        return Report(
            recording=recording,
            settings=self._all_settings(),
            counts=counts,
            scores=scores,
            mdi=mdi,
            events=self._events.spans,
            histograms=self._summary.histograms(),
            detections_per_frame=self._summary.detections(),
            flicker=flicker,
            worst=self._worst.summarize(),
            verdict=judge(
                recording, counts, scores, mdi, self._summary.event_frames(), flicker, mismatch
            ),
            timing={
                "wall_s": wall_s,
                "frames_per_s": counts["processed"] / max(wall_s, 1e-9),
                **{f"{k}_ms": percentiles(v) for k, v in self._modes.timings.items()},
                "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            },
        )

    def _all_counts(self) -> dict[str, Any]:
        counters = self._synchronizer.counters
        unreadable = getattr(self._recording, "unreadable", {})
        matched = self._counts["truth_frames"]
        return {
            "frames_rgb": self._frames["rgb"],
            "frames_thermal": self._frames["thermal"],
            "processed": self._summary.frames,
            "pairs": self._summary.frames - sum(self._summary.single.values()),
            "single_rgb": self._summary.single["rgb"],
            "single_thermal": self._summary.single["thermal"],
            "dropped": {k: dict(causes) for k, causes in counters.dropped.items()},
            "dropped_busy": self._busy.dropped,
            "unreadable": {c: unreadable.get(c, 0) for c in ("rgb", "thermal")},
            "failed": self._counts["failed"],
            "clock_resets": counters.clock_resets,
            "truth_frames": matched,
            "scored": self._counts["scored"],
            "labels_unmatched": max(0, self._truth.images - self._counts["scored"]),
            "left_out": dict(sorted(self._left_out.items())),
        }

    def _all_settings(self) -> dict[str, Any]:
        given = self._settings
        truth: dict[str, Any] | None = None
        if given.labels is not None:
            truth = {"source": given.labels.name, "sha256": file_digest(given.labels)}
        elif self._has_truth:
            truth = {"source": "recording", "sha256": None}
        return self._facts | {
            "score_floor": self._modes.floor,
            "stills": self._stills,
            "partner_timeout_s": self._timeout_s,
            "modes": list(self._modes.names),
            "truth": truth,
            "live": None,
        }


def frame_record(index: int, pair: FramePair, result: PerceptionResult) -> FrameRecord:
    """The answer for a pair as a record."""
    reading, found = result.dominance, result.detections
    return FrameRecord(
        index=index,
        stamp_ns=result.stamp_ns,
        rgb=result.present[0],
        thermal=result.present[1],
        skew_ms=pair.skew_ns / 1e6,
        mdi=reading.mdi,
        exact_mdi=reading.exact_mdi,
        gates=reading.gates,
        entropy=reading.entropy,
        image_size=found.image_size,
        boxes=found.boxes,
        scores=found.scores,
        labels=found.labels,
    )


def above(record: FrameRecord, score: float) -> FrameRecord:
    """The record without detections below a score."""
    keep = record.scores >= score
    return replace(
        record,
        boxes=record.boxes[keep],
        scores=record.scores[keep],
        labels=record.labels[keep],
    )
