"""A recording through the real node over DDS: the same report, with latency, jitter and drops.

What the node answered depends on the machine and on what else runs on it, so this report is not the
same twice; accuracy is that of the answered frames.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import datetime, timezone
from typing import Any

import numpy as np

from mdacl_ros import __version__
from mdacl_ros.errors import EngineError, MdaclError
from mdacl_ros.evaluation.builder import Facts, ReportBuilder
from mdacl_ros.evaluation.frames import FrameRecord
from mdacl_ros.evaluation.ground_truth import LabelFile, open_truth
from mdacl_ros.evaluation.jobs import Job, Outcome
from mdacl_ros.evaluation.opening import is_data_set, recording_facts
from mdacl_ros.evaluation.report import Report
from mdacl_ros.evaluation.scores import ScoreBook
from mdacl_ros.evaluation.settings import FUSED, EvaluationSettings, digest, truth_facts
from mdacl_ros.evaluation.summary import histogram
from mdacl_ros.evaluation.timing import percentiles
from mdacl_ros.network.model_yaml import WEIGHTS
from mdacl_ros.replay.processes import cpu_percent
from mdacl_ros.replay.recording import Recording, open_recording
from mdacl_ros.replay.run import TRUTH_THRESHOLD, DemoRun
from mdacl_ros.replay.run_log import Answer, RunLog
from mdacl_ros.replay.schedule import partner_timeout
from mdacl_ros.replay.scoring import renumbered
from mdacl_ros.sensing.sync_types import CAUSES
from mdacl_ros.types import MODALITIES, Modality

LATENCY_EDGES = (*range(0, 500, 20), 500, 1000, 2000, 1000000)


def evaluate_live(job: Job, settings: EvaluationSettings, rate: float) -> Outcome:
    """Play a recording into the node and report on it.

    Args:
        job: Recording and folder; the node's logs are kept in it.
        settings: With what; only the fused answers are there.
        rate: Speed, 1 is real time.

    Raises:
        MdaclError: The rate is not positive, or the node cannot run.
    """
    if not rate > 0:
        raise MdaclError(f"argument --rate: got {rate}, wanted more than 0")
    try:
        recording = open_recording(
            job.path,
            clip=settings.clip,
            rgb_topic=settings.rgb_topic,
            thermal_topic=settings.thermal_topic,
        )
        with closing(recording):
            return Outcome(job, _LiveRun(job, recording, settings, rate).execute())
    except EngineError:
        raise
    except MdaclError as error:
        return Outcome(job, error=str(error))


class _LiveRun:
    """The state of one live evaluation."""

    def __init__(
        self, job: Job, recording: Recording, settings: EvaluationSettings, rate: float
    ) -> None:
        self._job, self._recording = job, recording
        self._settings, self._rate = settings, rate
        self._truth = open_truth(recording, settings.labels)
        self._has_truth = settings.labels is not None or recording.has_truth
        self._timeout_s = settings.partner_timeout_s or partner_timeout(recording, rate)
        self._labelled = self._scored = 0
        self._left_out: Counter[str] = Counter()

    def execute(self) -> Report:
        """Play, then report."""
        self._job.out.mkdir(parents=True, exist_ok=True)
        run = DemoRun(self._recording, self._player(), self._detector(), self._job.out)
        run.threshold = self._settings.threshold
        log = run.execute(live=False)
        if log.interrupted:
            raise KeyboardInterrupt
        if not log.answers:
            reason = log.node.get("failed") or f"see {self._job.out}/logs"
            raise EngineError(f"detector node: answered no frame; {reason}")
        return self._report(log)

    def _player(self) -> dict[str, object]:
        given = {
            "input": str(self._job.path.resolve()),
            "clip": self._settings.clip,
            "rgb_topic": self._settings.rgb_topic,
            "thermal_topic": self._settings.thermal_topic,
            "rate": self._rate,
        }
        return {name: value for name, value in given.items() if value is not None}

    def _detector(self) -> dict[str, object]:
        settings = self._settings
        given: dict[str, object] = {
            "model": str(settings.model.resolve()),
            "engine": settings.engine,
            "precision": settings.precision,
            "max_skew": settings.max_skew_s,
            "partner_timeout": self._timeout_s,
            "thermal_clock_offset": settings.thermal_clock_offset_s,
            "score_threshold": self._floor,
        }
        if settings.calibration is not None:
            given["calibration"] = str(settings.calibration.resolve())
        return given

    @property
    def _floor(self) -> float:
        threshold = self._settings.threshold
        return min(TRUTH_THRESHOLD, threshold) if self._has_truth else threshold

    def _report(self, log: RunLog) -> Report:
        description = recording_facts(self._job.path, self._recording)
        stills, threshold = is_data_set(self._recording), self._settings.threshold
        recorded, numbers = log.recorded_stamps(), _numbers(log)
        size = self._image_size(log)
        book = ScoreBook(log.labels)
        with ReportBuilder(self._job.out, log.labels, threshold, stills) as builder:
            known = [answer for answer in log.answers if answer.stamp_ns in recorded]
            for index, answer in enumerate(known):
                stamp = recorded[answer.stamp_ns]
                found = self._truth.of(stamp, numbers.get(stamp)) if self._has_truth else None
                truth = None
                if found is not None:
                    truth, others = renumbered(found.truth, log.labels)
                    self._left_out += others
                    self._scored += 1
                    detections = answer.detections(size)
                    book.add(detections, truth, answer.number("mdi") or 0.0, found.part)
                part = found.part if found else self._truth.part(stamp)
                record = _record(index, answer, stamp, size, truth)
                builder.add(record, _signs(answer, self._recording), part)
            builder.close()
            scores = {FUSED: book.summarize()} if book.images else {}
            self._labelled = self._truth_frames(log, numbers)
            return builder.write(
                Facts(
                    description | self._recording_facts(log),
                    self._all_settings(log, stills),
                    self._counts(log),
                    scores,
                    _timing(log),
                    self._mismatch(log),
                )
            )

    def _image_size(self, log: RunLog) -> tuple[int, int]:
        """Size of the RGB images: of the first that was played."""
        for event in self._recording:
            if event.camera == "rgb" or not self._recording.frames.get("rgb"):
                height, width = event.frame.image.shape[:2]
                return (width, height)
        return (0, 0)

    def _truth_frames(self, log: RunLog, numbers: dict[int, int]) -> int:
        """Frames sent that have ground truth."""
        stamps = [frame.recorded_ns for frame in log.sent if frame.camera == "rgb"]
        return sum(self._truth.of(s, numbers.get(s)) is not None for s in stamps)

    def _recording_facts(self, log: RunLog) -> dict[str, Any]:
        sent = Counter(frame.camera for frame in log.sent)
        stamps = [frame.recorded_ns for frame in log.sent]
        return {
            "frames": {camera: sent[camera] for camera in self._recording.frames},
            "duration_s": self._recording.duration_ns / 1e9,
            "start_ns": min(stamps, default=0),
            "has_truth": bool(self._labelled),
            "damage": [],
        }

    def _counts(self, log: RunLog) -> dict[str, Any]:
        sent, counts = Counter(frame.camera for frame in log.sent), log.counts
        dropped: dict[str, dict[str, int]] = {
            camera: {cause: counts.get(f"dropped_{cause}_{camera}", 0) for cause in CAUSES}
            for camera in MODALITIES
        }
        for camera in MODALITIES:  # lost by DDS, or overwritten in the node's queue of one frame
            received = counts.get(f"frames_{camera}", 0)
            dropped[camera]["transport"] = max(0, sent[camera] - received)
        images = self._truth.images if isinstance(self._truth, LabelFile) else self._scored
        bad = {camera: counts.get(f"dropped_bad_image_{camera}", 0) for camera in MODALITIES}
        return {
            "frames_rgb": sent["rgb"],
            "frames_thermal": sent["thermal"],
            "dropped": dropped,
            "dropped_busy": counts.get("dropped_busy", 0),
            "unreadable": bad,
            "failed": counts.get("dropped_failed", 0),
            "clock_resets": counts.get("clock_resets", 0),
            "truth_frames": self._labelled,
            "scored": self._scored,
            "labels_unmatched": max(0, images - self._scored),
            "left_out": dict(sorted(self._left_out.items())),
        }

    def _all_settings(self, log: RunLog, stills: bool) -> dict[str, Any]:
        settings = self._settings
        calibration = settings.calibration
        return {
            "model": settings.model.name,
            "model_sha256": digest(settings.model / WEIGHTS),
            "engine": log.node.get("engine"),
            "precision": log.node.get("precision"),
            "device": log.node.get("device"),
            "calibration": calibration.name if calibration else None,
            "calibration_sha256": digest(calibration),
            "labels": list(log.labels),
            "threshold": settings.threshold,
            "score_floor": self._floor,
            "stills": stills,
            "max_skew_s": settings.max_skew_s,
            "partner_timeout_s": self._timeout_s,
            "thermal_clock_offset_s": settings.thermal_clock_offset_s,
            "modes": [FUSED],
            "truth": truth_facts(settings, self._has_truth),
            "live": self._rate,
            "version": __version__,
        }

    def _mismatch(self, log: RunLog) -> str:
        if self._labelled or not isinstance(self._truth, LabelFile):
            return ""
        stamps = [frame.recorded_ns for frame in log.sent if frame.camera == "rgb"]
        ends = (min(stamps), max(stamps)) if stamps else None
        return self._truth.mismatch(self._recording.name, ends, len(stamps))


def _numbers(log: RunLog) -> dict[int, int]:
    """Number of each RGB frame by its recorded stamp."""
    stamps = [frame.recorded_ns for frame in log.sent if frame.camera == "rgb"]
    return {stamp: number for number, stamp in enumerate(stamps)}


def _record(
    index: int, answer: Answer, stamp_ns: int, size: tuple[int, int], truth: Any
) -> FrameRecord:
    """A published answer as a record, its stamp that of the recording."""
    reading = answer.dominance
    return FrameRecord(
        index=index,
        stamp_ns=stamp_ns,
        rgb="rgb" in answer.present,
        thermal="thermal" in answer.present,
        skew_ms=answer.number("skew_ms") or 0.0,
        mdi=reading.mdi if reading else 0.0,
        exact_mdi=reading.exact_mdi if reading else None,
        gates=reading.gates if reading else (0.0, 0.0),
        entropy=reading.entropy if reading else (0.0, 0.0),
        image_size=size,
        boxes=answer.boxes,
        scores=answer.scores,
        labels=answer.labels,
        truth=truth,
    )


def _signs(answer: Answer, recording: Recording) -> tuple[str, ...]:
    """Cameras that did not take part although the recording has them."""
    cameras: tuple[Modality, ...] = MODALITIES
    here = answer.present
    return tuple(
        f"missing_{c}" for c in cameras if here and c not in here and recording.frames.get(c)
    )


def _timing(log: RunLog) -> dict[str, Any]:
    """Everything measured by the wall clock."""
    found = [answer.number("latency_ms") for answer in log.answers]
    latencies = [ms for ms in found if ms is not None]
    stamps = [answer.stamp_ns for answer in log.answers]
    span_s = (max(stamps) - min(stamps)) / 1e9 if stamps else 0.0
    usage = cpu_percent(log.usage)
    return {
        "wall_s": span_s,
        "frames_per_s": len(log.answers) / max(span_s, 1e-9),
        "latency_ms": percentiles(latencies)
        | {"max": max(latencies, default=None)}
        | histogram(latencies, LATENCY_EDGES),
        # of the time between two answers, against the time between their frames
        "jitter_ms": percentiles(np.abs(np.diff(latencies)).tolist()),
        "player_late_ms_max": max((frame.late_ms for frame in log.sent), default=0.0),
        "cpu_percent": usage,
        "rss_mb": max((u.rss_mb for u in log.usage), default=None),
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
