"""What a run of the real node says, in the words of a report."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from typing import Any

import numpy as np

from mdacl_ros.sensing.pairing.synchronizer_types import CAUSES
from mdacl_ros.types import MODALITIES, GroundTruth, Modality
from mdacl_tools.live.processes import cpu_percent
from mdacl_tools.live.run_log import Answer, RunLog
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.scoring.frames import FrameRecord
from mdacl_tools.scoring.summary import histogram
from mdacl_tools.util.percentiles import percentiles

LATENCY_EDGES = (*range(0, 500, 20), 500, 1000, 2000, 1000000)


def node_counts(log: RunLog) -> dict[str, Any]:
    """Where the frames went, by the node's own counters."""
    sent, counts = Counter(frame.camera for frame in log.sent), log.counts
    dropped: dict[str, dict[str, int]] = {
        camera: {cause: counts.get(f"dropped_{cause}_{camera}", 0) for cause in CAUSES}
        for camera in MODALITIES
    }
    for camera in MODALITIES:  # lost by DDS, or overwritten in the node's queue of one frame
        received = counts.get(f"frames_{camera}", 0)
        dropped[camera]["transport"] = max(0, sent[camera] - received)
    return {
        "frames_rgb": sent["rgb"],
        "frames_thermal": sent["thermal"],
        "dropped": dropped,
        "dropped_busy": counts.get("dropped_busy", 0),
        "unreadable": {c: counts.get(f"dropped_bad_image_{c}", 0) for c in MODALITIES},
        "failed": counts.get("dropped_failed", 0),
        "clock_resets": counts.get("clock_resets", 0),
    }


def frame_numbers(log: RunLog) -> dict[int, int]:
    """Number of each RGB frame by its recorded stamp."""
    stamps = [frame.recorded_ns for frame in log.sent if frame.camera == "rgb"]
    return {stamp: number for number, stamp in enumerate(stamps)}


def answer_record(
    index: int, answer: Answer, stamp_ns: int, size: tuple[int, int], truth: GroundTruth | None
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
        reliance=reading.reliance if reading else None,
    )


def absent_signs(answer: Answer, recording: Recording) -> tuple[str, ...]:
    """Cameras that did not take part although the recording has them."""
    cameras: tuple[Modality, ...] = MODALITIES
    here = answer.present
    return tuple(
        f"missing_{c}" for c in cameras if here and c not in here and recording.frames.get(c)
    )


def run_timing(log: RunLog) -> dict[str, Any]:
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
