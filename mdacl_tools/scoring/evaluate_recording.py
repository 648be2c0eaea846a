"""One recording, evaluated offline: frames.jsonl while it runs, report.json at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mdacl_ros.errors import MdaclError, RecordingError
from mdacl_ros.pipeline.perception import Perception
from mdacl_ros.types import FramePair, PerceptionResult
from mdacl_tools.recordings.losses import damage_of, losses_of
from mdacl_tools.recordings.prefetch import Prefetched
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.scoring.evaluation_input import is_data_set, open_for_evaluation, recording_facts
from mdacl_tools.scoring.frames import FrameRecord
from mdacl_tools.scoring.modes import Modes
from mdacl_tools.scoring.pair_scoring import renumbered
from mdacl_tools.scoring.recording_pass import Moment, MomentReader
from mdacl_tools.scoring.report import Report
from mdacl_tools.scoring.report_builder import Facts, ReportBuilder
from mdacl_tools.scoring.settings import EvaluationSettings, facts, truth_facts
from mdacl_tools.scoring.warp_sample import WarpSample
from mdacl_tools.util.percentiles import percentiles

READ_AHEAD = 12
"""Pairs decoded in advance while the detector works: at most 25 MB of 640 x 480 images."""


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
        return _Run(path, recording, settings, perception).execute(out, advance)


class _Run:
    """The state of one evaluation."""

    def __init__(
        self,
        path: Path,
        recording: Recording,
        settings: EvaluationSettings,
        perception: Perception,
    ) -> None:
        self._path, self._recording, self._settings = path, recording, settings
        self._stills = is_data_set(recording) if settings.stills is None else settings.stills
        self._reader = MomentReader(recording, settings)
        self._labels = perception.engine.labels
        self._modes = Modes(settings, perception, self._reader.has_truth, self._stills)
        self._modes.expect_size(recording.camera_model("rgb"))
        engine = perception.engine
        self._facts = facts(settings, engine.labels) | {
            "engine": engine.name,
            "precision": engine.precision,
            "device": engine.device,
            "input_size": list(engine.input_size),
        }
        self._calibrated = perception.rig is not None
        self._warp = WarpSample()
        self._left_out: Counter[str] = Counter()
        self._processed = self._scored = self._failed = 0
        self._failure: MdaclError | None = None

    def execute(self, out: Path, advance: Callable[[int], None]) -> Report:
        """Run through the recording and write both files."""
        started = time.perf_counter()
        description = recording_facts(self._path, self._recording)
        threshold = self._settings.pipeline.score_threshold
        moments = self._reader.moments(advance)
        with (
            ReportBuilder(out, self._labels, threshold, self._stills) as builder,
            closing(Prefetched(moments, READ_AHEAD)) as prefetched,
        ):
            for moment in prefetched:
                if (record := self._answer(moment)) is not None:
                    builder.add(record, moment.signs, moment.part)
            if not builder.close():
                raise self._failure or self._nothing_read()
            wall_s = time.perf_counter() - started
            return builder.write(self._all_facts(description, wall_s))

    def _nothing_read(self) -> RecordingError:
        """That there was no image, and why."""
        causes = losses_of(self._recording).sentences() or damage_of(self._recording)
        why = f" ({'; '.join(causes)})" if causes else ""
        return RecordingError(f"recording {self._path}: no image could be read from it{why}")

    def _answer(self, moment: Moment) -> FrameRecord | None:
        """Detect in a pair, in every mode; ``None`` where it cannot be used."""
        truth = None
        if moment.labelled is not None:
            truth, others = renumbered(moment.labelled.truth, self._labels)
        try:
            result = self._modes.judge(moment.pair, truth, moment.part)
        except MdaclError as error:
            self._failed += 1
            self._failure = error
            return None
        self._warp.offer(moment.pair, self._modes.aligned_pair)
        if truth is not None:
            self._left_out += others
            self._scored += 1
        floor = 0.0 if truth is not None else self._settings.pipeline.score_threshold
        record = above(frame_record(self._processed, moment.pair, result), floor)
        self._processed += 1
        return replace(record, truth=truth)

    def _all_facts(self, description: dict[str, Any], wall_s: float) -> Facts:
        reader, modes = self._reader, self._modes
        settings = self._facts | {
            "score_floor": modes.floor,
            "stills": self._stills,
            "partner_timeout_s": reader.partner_timeout_s,
            "modes": list(modes.names),
            "truth": truth_facts(self._settings, reader.has_truth),
            "live": None,
        }
        counts = reader.counts(self._scored) | {
            "failed": self._failed,
            "left_out": dict(sorted(self._left_out.items())),
        }
        stages = {f"{name}_ms": percentiles(values) for name, values in modes.timings.items()}
        timing = {
            "wall_s": wall_s,
            "frames_per_s": self._processed / max(wall_s, 1e-9),
            **stages,
            "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }
        recording = description | reader.facts() | {"assumptions": modes.assumptions}
        return Facts(
            recording=recording,
            settings=settings,
            counts=counts,
            scores=modes.summarize(),
            timing=timing,
            mismatch=reader.mismatch(),
            warp=self._warp.remark(calibrated=self._calibrated),
        )


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
        reliance=reading.reliance,
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
