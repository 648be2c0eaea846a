"""A recording through the real node over DDS: the same report, with latency, jitter and drops.

What the node answered depends on the machine and on what else runs on it, so this report is not the
same twice; accuracy is that of the answered frames.
"""

from __future__ import annotations

import math
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from typing import Any

from mdacl_ros.errors import EngineError, MdaclError
from mdacl_tools.live.live_numbers import (
    absent_signs,
    answer_record,
    frame_numbers,
    node_counts,
    run_timing,
)
from mdacl_tools.live.node_run import TRUTH_THRESHOLD, DemoRun
from mdacl_tools.live.run_log import RunLog
from mdacl_tools.recordings.losses import damage_of, notes_of
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.recordings.schedule import partner_timeout
from mdacl_tools.scoring.evaluation_input import is_data_set, open_for_evaluation, recording_facts
from mdacl_tools.scoring.ground_truth import LabelFile, open_truth
from mdacl_tools.scoring.jobs import Job, Outcome
from mdacl_tools.scoring.pair_scoring import renumbered
from mdacl_tools.scoring.report import Report
from mdacl_tools.scoring.report_builder import Facts, ReportBuilder
from mdacl_tools.scoring.scores import ScoreBook
from mdacl_tools.scoring.settings import FUSED, EvaluationSettings, facts, truth_facts
from mdacl_tools.util.pipeline_options import node_parameters


def evaluate_live(job: Job, settings: EvaluationSettings, rate: float) -> Outcome:
    """Play a recording into the node and report on it.

    Args:
        job: Recording and folder; the node's logs are kept in it.
        settings: With what; only the fused answers are there.
        rate: Speed, 1 is real time.

    Raises:
        MdaclError: The rate is not positive, or the node cannot run.
    """
    if not 0 < rate < math.inf:
        raise MdaclError(f"argument --rate: got {rate}, wanted more than 0")
    try:
        with closing(open_for_evaluation(job.path, settings)) as recording:
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
        config = settings.pipeline
        fitted = partner_timeout(recording, rate) if settings.fit_timeout else None
        self._timeout_s = fitted or config.partner_timeout
        self._labelled = self._scored = 0
        self._left_out: Counter[str] = Counter()

    def execute(self) -> Report:
        """Play, then report."""
        self._job.out.mkdir(parents=True, exist_ok=True)
        run = DemoRun(self._recording, self._player(), self._detector(), self._job.out)
        run.threshold = self._settings.pipeline.score_threshold
        log = run.execute(live=False)
        if log.interrupted:
            raise KeyboardInterrupt
        if not log.answers:
            reason = log.node.get("failed") or f"see {self._job.out}/logs"
            raise EngineError(f"detector node: processed no frame; {reason}")
        return self._report(log)

    def _player(self) -> dict[str, object]:
        given = {
            "input": str(self._job.path.resolve()),
            "clip": self._settings.clip,
            "rgb_topic": self._settings.rgb_topic,
            "thermal_topic": self._settings.thermal_topic,
            "rate": self._rate,
            "split": self._settings.split,
            "camera": self._settings.camera,
        }
        return {name: value for name, value in given.items() if value is not None}

    def _detector(self) -> dict[str, object]:
        """All of the pipeline's parameters: nothing is left to the node's defaults."""
        given = {"partner_timeout": self._timeout_s, "score_threshold": self._floor}
        return node_parameters(asdict(self._settings.pipeline) | given)

    @property
    def _floor(self) -> float:
        threshold = self._settings.pipeline.score_threshold
        return min(TRUTH_THRESHOLD, threshold) if self._has_truth else threshold

    def _report(self, log: RunLog) -> Report:
        description = recording_facts(self._job.path, self._recording)
        stills = is_data_set(self._recording)
        threshold = self._settings.pipeline.score_threshold
        recorded, numbers = log.recorded_stamps(), frame_numbers(log)
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
                record = answer_record(index, answer, stamp, size, truth)
                builder.add(record, absent_signs(answer, self._recording), part)
            builder.close()
            scores = {FUSED: book.summarize()} if book.images else {}
            self._labelled = self._truth_frames(log, numbers)
            return builder.write(
                Facts(
                    description | self._recording_facts(log),
                    self._all_settings(log, stills),
                    self._counts(log),
                    scores,
                    run_timing(log),
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
            "damage": damage_of(self._recording),
            "notes": notes_of(self._recording),
            "warnings": [],
            "assumptions": [],
        }

    def _counts(self, log: RunLog) -> dict[str, Any]:
        images = self._truth.images if isinstance(self._truth, LabelFile) else self._scored
        return node_counts(log) | {
            "truth_frames": self._labelled,
            "scored": self._scored,
            "labels_unmatched": max(0, images - self._scored),
            "left_out": dict(sorted(self._left_out.items())),
        }

    def _all_settings(self, log: RunLog, stills: bool) -> dict[str, Any]:
        return facts(self._settings, log.labels) | {
            "engine": log.node.get("engine"),
            "precision": log.node.get("precision"),
            "device": log.node.get("device"),
            "score_floor": self._floor,
            "stills": stills,
            "partner_timeout_s": self._timeout_s,
            "modes": [FUSED],
            "truth": truth_facts(self._settings, self._has_truth),
            "live": self._rate,
        }

    def _mismatch(self, log: RunLog) -> str:
        if self._labelled or not isinstance(self._truth, LabelFile):
            return ""
        stamps = [frame.recorded_ns for frame in log.sent if frame.camera == "rgb"]
        ends = (min(stamps), max(stamps)) if stamps else None
        return self._truth.mismatch(self._recording.name, ends, len(stamps))
