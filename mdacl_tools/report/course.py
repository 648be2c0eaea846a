"""The course of a recording in numbers, from ``frames.jsonl``, thinned out to what can be drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mdacl_tools.scoring.frames import FrameRecord, read_frames

Values = npt.NDArray[np.float64]

COLUMNS = 720
"""Most points that a curve is drawn from."""

GAP = 5.0
"""A pause of so many usual intervals interrupts the curves; at least :data:`LEAST_GAP_S`."""

LEAST_GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class Timeline:
    """One value for every column; columns are frames, or runs of frames in a long recording.

    Attributes:
        seconds: ``(N,)`` since the first frame, ascending but for clock resets.
        mdi: ``(N,)`` mean index.
        mdi_low: ``(N,)`` least index.
        mdi_high: ``(N,)`` greatest index.
        gates: ``(N, 2)`` mean gate of rgb and thermal; NaN where the camera is absent.
        entropy: ``(N, 2)`` representational diversity of both, likewise.
        detections: ``(N,)`` mean number of detections shown.
        reliance: ``(M, 2)`` second and reliance of the frames in which something is seen.
        events: What is going on in each column.
        start_ns: Stamp of the first frame.
    """

    seconds: Values
    mdi: Values
    mdi_low: Values
    mdi_high: Values
    gates: Values
    entropy: Values
    detections: Values
    reliance: Values
    events: tuple[tuple[str, ...], ...]
    start_ns: int

    def segments(self) -> Iterator[slice]:
        """Runs of columns without a pause between them."""
        steps = np.diff(self.seconds)
        if not len(steps):
            yield slice(0, len(self.seconds))
            return
        pause = max(LEAST_GAP_S, GAP * float(np.median(steps)))
        borders = np.flatnonzero((steps > pause) | (steps < 0)) + 1
        starts, ends = [0, *borders.tolist()], [*borders.tolist(), len(self.seconds)]
        yield from (slice(a, b) for a, b in zip(starts, ends, strict=True))


def read_timeline(path: Path, threshold: float, columns: int = COLUMNS) -> Timeline:
    """Read the course of a recording.

    Args:
        path: ``frames.jsonl``.
        threshold: Least score of a detection that is shown.
        columns: Most columns.

    Raises:
        RecordingError: The file is missing or damaged.
    """
    rows: list[tuple[float, ...]] = []
    stamps: list[int] = []
    events: list[tuple[str, ...]] = []
    reliance: list[tuple[int, float]] = []
    for record in read_frames(path):
        stamps.append(record.stamp_ns)
        rows.append(_row(record, threshold))
        events.append(record.events)
        if record.reliance is not None:
            reliance.append((record.stamp_ns, record.reliance))
    start = stamps[0] if stamps else 0
    seconds = np.array([(stamp - start) / 1e9 for stamp in stamps], np.float64)
    values = np.array(rows, np.float64).reshape(-1, 6)
    runs = np.array_split(np.arange(len(rows)), min(columns, len(rows))) if rows else []
    mean = np.array([_mean(values[run]) for run in runs]).reshape(-1, 6)
    return Timeline(
        seconds=np.array([seconds[run].mean() for run in runs]),
        mdi=mean[:, 0],
        mdi_low=np.array([values[run, 0].min() for run in runs]),
        mdi_high=np.array([values[run, 0].max() for run in runs]),
        gates=mean[:, 1:3],
        entropy=mean[:, 3:5],
        detections=mean[:, 5],
        reliance=np.array([((s - start) / 1e9, v) for s, v in reliance]).reshape(-1, 2),
        events=tuple(tuple(sorted({e for i in run for e in events[i]})) for run in runs),
        start_ns=start,
    )


def _row(record: FrameRecord, threshold: float) -> tuple[float, ...]:
    present = (record.rgb, record.thermal)
    gates, entropy = (
        [value if there else np.nan for value, there in zip(pair, present, strict=True)]
        for pair in (record.gates, record.entropy)
    )
    shown = float((record.scores >= threshold).sum())
    return (record.mdi, *gates, *entropy, shown)


def _mean(values: Values) -> Values:
    """Mean over frames that know the value, NaN where none does."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(0)
    counts = known.sum(0)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
