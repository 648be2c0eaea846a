"""From answered frames to frames.jsonl and the parts of a report that only they decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from mdacl_tools.scoring.conclusions import judge
from mdacl_tools.scoring.events import SHORTEST, EventFinder
from mdacl_tools.scoring.flicker import Flicker
from mdacl_tools.scoring.frames import FRAMES_FILE, FrameRecord, FrameWriter
from mdacl_tools.scoring.report import ModeScores, Report, write_report
from mdacl_tools.scoring.summary import Summary
from mdacl_tools.scoring.worst import WorstFrames


@dataclass(frozen=True, slots=True)
class Facts:
    """What frames alone do not tell; see :class:`.report.Report`.

    Attributes:
        recording: As in the report, without ``image_size``.
        settings: As in the report.
        counts: As in the report, without what was processed.
        scores: As in the report.
        timing: As in the report.
        mismatch: Why no label fits; empty if some do or none were given.
        warp: Why the calibration cannot be right; empty for nothing.
    """

    recording: dict[str, Any]
    settings: dict[str, Any]
    counts: dict[str, Any]
    scores: dict[str, ModeScores]
    timing: dict[str, Any]
    mismatch: str = ""
    warp: str = ""


class ReportBuilder:
    """Takes frames one by one; a context manager: files appear whole or not at all.

    Args:
        out: Folder, made if need be.
        labels: Class names of the model.
        threshold: Score from which a detection is shown.
        stills: The frames do not follow each other.
    """

    def __init__(self, out: Path, labels: tuple[str, ...], threshold: float, stills: bool) -> None:
        self._out, self._stills = out, stills
        self._part = out / f".{FRAMES_FILE}.part"
        self._summary = Summary(labels, threshold)
        self._events = EventFinder(1 if stills else SHORTEST)
        self._flicker, self._worst = Flicker(threshold), WorstFrames(threshold)
        self._parts: dict[int, str | None] = {}
        self._writer: FrameWriter | None = None

    def __enter__(self) -> ReportBuilder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.__exit__()
        self._part.unlink(missing_ok=True)

    @property
    def frames(self) -> int:
        """Frames finished."""
        return self._summary.frames

    def add(self, record: FrameRecord, signs: tuple[str, ...], part: str | None) -> None:
        """Take the next frame.

        Args:
            record: The answer, without events.
            signs: What was seen to be wrong in it, see :mod:`.image_faults`.
            part: Part of the recording that it belongs to.
        """
        self._parts[record.index] = part
        for known in self._events.add(record, signs):
            self._finish(known)

    def write(self, facts: Facts) -> Report:
        """Finish both files.

        Args:
            facts: Everything else.

        Returns:
            The report.
        """
        report = self._report(facts)
        assert self._writer is not None  # there is no report without a frame
        self._writer.__exit__()
        self._part.replace(self._out / FRAMES_FILE)
        write_report(report, self._out)
        return report

    def close(self) -> int:
        """Finish the last frames; gives the number of all."""
        for record in self._events.finish():
            self._finish(record)
        return self.frames

    def _finish(self, record: FrameRecord) -> None:
        if self._writer is None:  # only now: nothing is left behind where there is no frame
            self._out.mkdir(parents=True, exist_ok=True)
            self._writer = FrameWriter(self._part)
        self._writer.write(record)
        self._summary.add(record, self._parts.pop(record.index))
        self._worst.add(record)
        if not self._stills:
            self._flicker.add(record)

    def _report(self, facts: Facts) -> Report:
        summary = self._summary
        single = {f"single_{camera}": summary.single[camera] for camera in ("rgb", "thermal")}
        pairs = summary.frames - sum(single.values())
        counts = facts.counts | {"processed": summary.frames, "pairs": pairs} | single
        recording = facts.recording | {"image_size": list(summary.image_size or ())}
        mdi, flicker = summary.mdi(), self._flicker.to_json()
        verdict = judge(
            recording,
            counts,
            facts.scores,
            mdi,
            summary.event_frames(),
            flicker,
            facts.mismatch,
            facts.warp,
        )
        return Report(
            recording=recording,
            settings=facts.settings,
            counts=counts,
            scores=facts.scores,
            mdi=mdi,
            events=self._events.spans,
            histograms=summary.histograms(),
            detections_per_frame=summary.detections(),
            flicker=flicker,
            worst=self._worst.summarize(),
            verdict=verdict,
            timing=facts.timing,
        )
