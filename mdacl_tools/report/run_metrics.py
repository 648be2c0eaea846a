"""The numbers of a run: ``metrics.json``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from mdacl_tools.live.processes import cpu_percent
from mdacl_tools.live.run_log import Answer, RunLog
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.scoring.coco_metrics import CocoMetrics
from mdacl_tools.util.percentiles import percentiles


def summarize(run: RunLog, recording: Recording, image_size: tuple[int, int]) -> dict[str, Any]:
    """All numbers of a run, ready for json.

    Args:
        run: What happened.
        recording: What was played.
        image_size: Width and height of the RGB images.
    """
    sent, counts = _frames_sent(run), run.counts
    dropped = {k.removeprefix("dropped_"): n for k, n in counts.items() if k.startswith("dropped_")}
    for camera in ("rgb", "thermal"):
        # Sent, but not seen by the node: lost by DDS, or overwritten in its queue of one frame.
        dropped[f"transport_{camera}"] = max(0, sent[camera] - counts.get(f"frames_{camera}", 0))
    single = {f"single_{c}": counts.get(f"single_{c}", 0) for c in ("rgb", "thermal")}
    cpu = cpu_percent(run.usage)
    metrics: dict[str, Any] = {
        "input": recording.name,
        "interrupted": run.interrupted,
        "duration_s": round(_duration_s(run), 3),
        "frames_sent": sent,
        "frames_in": _with_total({c: counts.get(f"frames_{c}", 0) for c in ("rgb", "thermal")}),
        "pairs": counts.get("pairs", 0),
        "single_modality_frames": sum(single.values()),
        **single,
        "processed": counts.get("processed", 0),
        "dropped": dropped,
        "published": counts.get("published", 0),
        "received": len(run.answers),
        "stamps_match": stamps_match(run),
        "latency_ms": percentiles(_numbers(run.answers, "latency_ms"), 2),
        "player_late_ms_max": round(max((f.late_ms for f in run.sent), default=0.0), 2),
        "cpu_percent": None if cpu is None else round(cpu, 1),
        "rss_mb": round(max((u.rss_mb for u in run.usage), default=0.0), 1) or None,
        **{key: run.node.get(key) for key in ("engine", "precision", "device", "model")},
        "mdi": _mdi(run, recording),
        "detections": _detections(run),
    }
    if recording.has_truth:
        metrics |= _accuracy(run, recording, image_size)
    return metrics


def stamps_match(run: RunLog) -> bool:
    """Whether every answer carries the stamp of an RGB frame that was sent.

    While RGB is absent: of a thermal frame (clock offset added).
    """
    known = run.recorded_stamps()
    return bool(run.answers) and all(answer.stamp_ns in known for answer in run.answers)


def answers_by_phase(run: RunLog, recording: Recording) -> dict[str, list[Answer]]:
    """Answers by the phase their frames belong to; phases of one name are put together."""
    recorded = run.recorded_stamps()
    groups: dict[str, list[Answer]] = {phase.name: [] for phase in recording.phases}
    for answer in run.answers:
        stamp = recorded.get(answer.stamp_ns, -1)
        for phase in recording.phases:
            if phase.start_ns <= stamp < phase.end_ns:
                groups[phase.name].append(answer)
    return groups


def _mdi(run: RunLog, recording: Recording) -> dict[str, Any]:
    values = _numbers(run.answers, "mdi")
    summary: dict[str, Any] = {"mean": None, "p5": None, "p95": None}
    if values:
        p5, p95 = np.percentile(values, [5, 95])
        summary = {"mean": _round(np.mean(values)), "p5": _round(p5), "p95": _round(p95)}
    probed = [a for a in run.answers if "exact_mdi" in a.values]
    if probed:
        summary["exact_mean"] = _round(np.mean(_numbers(probed, "exact_mdi")))
        summary["exact_count"] = len(probed)
        summary["mean_where_exact"] = _round(np.mean(_numbers(probed, "mdi")))
    if recording.phases:
        summary["by_phase"] = {
            name: _round(np.mean(numbers))
            for name, answers in answers_by_phase(run, recording).items()
            if (numbers := _numbers(answers, "mdi"))
        }
    return summary


def _detections(run: RunLog) -> dict[str, Any]:
    shown = [label for a in run.answers for label in a.labels[a.scores >= run.threshold].tolist()]
    by_class = Counter(run.labels[label] for label in shown)
    return {
        "threshold": run.threshold,
        "total": len(shown),
        "per_frame": round(len(shown) / max(1, len(run.answers)), 3),
        "by_class": dict(by_class.most_common()),
    }


def _accuracy(run: RunLog, recording: Recording, image_size: tuple[int, int]) -> dict[str, Any]:
    """COCO scores over the answered frames; frames the node dropped are not scored."""
    recorded, coco = run.recorded_stamps(), CocoMetrics(run.labels)
    for answer in run.answers:
        truth = recording.truth(recorded.get(answer.stamp_ns, -1))
        if truth is not None:
            coco.add(answer.stamp_ns, answer.detections(image_size), truth)
    return coco.summarize().to_json()


def _frames_sent(run: RunLog) -> dict[str, int]:
    counts = Counter(frame.camera for frame in run.sent)
    return _with_total({"rgb": counts["rgb"], "thermal": counts["thermal"]})


def _with_total(counts: dict[str, int]) -> dict[str, int]:
    return counts | {"total": sum(counts.values())}


def _duration_s(run: RunLog) -> float:
    stamps = [frame.stamp_ns for frame in run.sent]
    return (max(stamps) - min(stamps)) / 1e9 if stamps else 0.0


def _numbers(answers: Sequence[Answer], name: str) -> list[float]:
    values = (answer.number(name) for answer in answers)
    return [value for value in values if value is not None and math.isfinite(value)]


def _round(value: Any, digits: int = 4) -> float:
    return round(float(value), digits)
