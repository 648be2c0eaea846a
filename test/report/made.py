"""An evaluation made by hand: for tests of what is made from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mdacl_ros.types import LABELS, Frame, GroundTruth
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording
from mdacl_tools.scoring.frames import FRAMES_FILE, FrameRecord, FrameWriter
from mdacl_tools.scoring.report import (
    EventSpan,
    ModeScores,
    Report,
    Verdict,
    WorstFrame,
    write_report,
)

Found = list[list[float]]
"""Rows ``[x0, y0, x1, y1, score, label]``."""


def two_cameras(duration_s: float = 2.0) -> SyntheticRecording:
    """A recording whose cameras keep step; thermal is missing from 1.0 to 1.4 s."""
    return SyntheticRecording(
        RigFaults(duration_s, thermal_hz=30.0, freeze_s=(1.0, 1.4), thermal_clock_offset_ns=0)
    )


def one_answer(index: int, rgb: Frame, thermal: Frame | None, truth: GroundTruth | None):
    """Finds the first object and one that is not there, and leans towards thermal over time."""
    found = [] if truth is None or not len(truth.boxes) else [[*truth.boxes[0].tolist(), 0.9, 0]]
    return [*found, [1.0, 1.0, 9.0, 12.0, 0.6, 1]], 0.8 - 0.05 * index


def answers(recording: Recording, answer: Callable = one_answer) -> list[FrameRecord]:
    """One record for every RGB frame, with the thermal frame of the same stamp."""
    thermal = {e.frame.stamp_ns: e.frame for e in recording if e.camera == "thermal"}
    records = []
    for event in recording:
        if event.camera != "rgb":
            continue
        frame, index = event.frame, len(records)
        partner, truth = thermal.get(frame.stamp_ns), recording.truth(frame.stamp_ns)
        rows, mdi = answer(index, frame, partner, truth)
        found = np.array(rows, np.float32).reshape(-1, 6)
        records.append(
            FrameRecord(
                index=index,
                stamp_ns=frame.stamp_ns,
                rgb=True,
                thermal=partner is not None,
                skew_ms=0.0,
                mdi=float(mdi),
                exact_mdi=float(mdi) + 0.1 if index % 5 == 0 else None,
                reliance=float(mdi) + 0.1 if index % 5 == 0 else None,
                gates=(1.1, 0.9 if partner is not None else 0.0),
                entropy=(0.9, 0.8 if partner is not None else 0.0),
                image_size=(frame.image.shape[1], frame.image.shape[0]),
                boxes=found[:, :4],
                scores=found[:, 4],
                labels=found[:, 5].astype(np.int64),
                truth=truth,
                events=() if partner is not None else ("missing_thermal",),
            )
        )
    return records


def scores(map50: float) -> ModeScores:
    """Scores around one number."""
    bins = {"ap50": map50, "ap": map50 / 2, "objects": 40}
    return ModeScores(
        map50,
        map50 / 2,
        {"person": map50, "car": min(1.0, map50 + 0.1)},
        {"person": map50 / 2, "car": map50 / 2},
        {"reasonable": 1 - map50, "day": 1 - map50, "night": None},
        {"small": bins, "medium": bins | {"ap50": None}},
        {"0-32": bins, "32-64": bins, "128-": bins},
        {"day": {"map50": map50, "map": 0.1, "images": 9, "mdi": 0.4}, "night": {}},
        30,
        {"person": 40},
        0.25,
    )


def report_of(records: list[FrameRecord], name: str = "made", **changes: Any) -> Report:
    """A report of these answers; not everything in it is computed."""
    last = records[-1]
    worst = {
        "misses": tuple(
            WorstFrame(r.index, r.stamp_ns, 40.0, [[5, 5, 30, 60, 0], [40, 8, 50, 20, 2]])
            for r in records[:4]
        ),
        "false_alarms": tuple(
            WorstFrame(r.index, r.stamp_ns, 0.6, [[1, 1, 9, 12, 0.6, 1]]) for r in records[2:5]
        ),
    }
    values: dict[str, Any] = {
        "recording": {
            "name": name,
            "kind": "bag",
            "frames": {"rgb": len(records), "thermal": len(records)},
            "duration_s": (last.stamp_ns - records[0].stamp_ns) / 1e9,
            "start_ns": records[0].stamp_ns,
            "image_size": list(last.image_size),
            "has_truth": True,
            "damage": [],
        },
        "settings": {
            "model": "small",
            "engine": "openvino",
            "precision": "float32",
            "labels": list(LABELS),
            "threshold": 0.3,
            "thermal_clock_offset_s": 0.0,
            "version": "0.1.0",
        },
        "counts": {
            "frames_rgb": len(records),
            "frames_thermal": len(records),
            "processed": len(records),
            "pairs": sum(r.rgb and r.thermal for r in records),
            "single_rgb": sum(not r.thermal for r in records),
            "single_thermal": 0,
            "dropped": {"rgb": {"superseded": 2}, "thermal": {}},
            "dropped_busy": 0,
            "unreadable": {"rgb": 1},
            "left_out": {"bus": 3},
        },
        "scores": {"fused": scores(0.61), "rgb absent": scores(0.5), "thermal absent": scores(0.4)},
        "mdi": {"mean": 0.31, "by_event": {"missing_thermal": 1.0}},
        "events": tuple(
            EventSpan("missing_thermal", r.stamp_ns, r.stamp_ns + 10**8)
            for r in records
            if not r.thermal
        )[:3],
        "histograms": {"skew_ms": {"edges": [-10.0, 0.0, 10.0, 20.0], "counts": [3, 12, 1]}},
        "detections_per_frame": {"mean": 1.9, "histogram": {"edges": [0, 1, 2], "counts": [1, 9]}},
        "flicker": {"detections": 60, "vanished": 2, "single": 3, "share": 5 / 60},
        "worst": worst,
        "verdict": Verdict("warn", ("Four persons in ten are missed.", "Thermal froze twice.")),
        "timing": {
            "frames_per_s": 14.2,
            "infer_ms": {"p50": 61.0, "p95": 70.5, "p99": 90.0},
            "written": "2026-11-25T23:00:00Z",
        },
    }
    return Report(**values | changes)


def write_evaluation(folder: Path, recording: Recording, **changes: Any) -> Report:
    """Write ``report.json`` and ``frames.jsonl`` of a recording."""
    folder.mkdir(parents=True, exist_ok=True)
    records = answers(recording)
    with FrameWriter(folder / FRAMES_FILE) as out:
        for record in records:
            out.write(record)
    report = report_of(records, **changes)
    write_report(report, folder)
    return report
