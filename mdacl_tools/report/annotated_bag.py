"""``annotated``: what the detector answered, as a bag that Foxglove, PlotJuggler, RViz open.

Topics are named as the node's, types as well, but for the overlay, which is jpeg here. Messages are
logged when their frame arrived, so the bag plays beside the recording it was made from.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdacl_ros.drawing.overlay import draw_detections
from mdacl_ros.sensing.registration.rig_types import RigCalibration
from mdacl_ros.types import MODALITIES, ByteArray, Detections, DominanceReading
from mdacl_tools.recordings.bag_file import BagFile
from mdacl_tools.recordings.bag_messages import (
    COMPRESSED,
    DETECTIONS,
    DIAGNOSTICS,
    FLOAT,
    MessageMaker,
)
from mdacl_tools.recordings.bag_truth import TRUTH_TOPIC, truth_message
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.report.source_images import Replayed, replay
from mdacl_tools.scoring.frames import FrameRecord, read_frames
from mdacl_tools.scoring.report import Report

ANNOTATED = "annotated"
"""A folder, as rosbag2 has it; its file is ``annotated.mcap``."""

NODE = "/detector_node"
DETECTIONS_TOPIC, DOMINANCE_TOPIC, RELIANCE_TOPIC, MDI_TOPIC = (
    f"{NODE}/{name}" for name in ("detections", "dominance", "reliance", "mdi")
)
OVERLAY_TOPIC = f"{NODE}/overlay/compressed"

JPEG_QUALITY = 80


def write_annotated(
    recording: Recording,
    report: Report,
    frames: Path,
    out: Path,
    *,
    rig: RigCalibration | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Path:
    """Write the annotated bag in one pass over the recording.

    Args:
        recording: What was evaluated.
        report: Names of the classes, threshold and clock offset.
        frames: ``frames.jsonl``.
        out: Folder to create; it appears once it is complete.
        rig: Calibration that was used.
        advance: Told after each frame.

    Raises:
        RecordingError: ``out`` exists, or the recording is not the one that was evaluated.
    """
    labels, threshold = tuple(report.settings["labels"]), float(report.settings["threshold"])
    shown = replay(
        recording,
        read_frames(frames),
        rig=rig,
        thermal_clock_offset_ns=round(report.settings.get("thermal_clock_offset_s", 0.0) * 1e9),
        smooth=not report.settings.get("stills"),
    )
    with BagFile(out) as bag:
        for frame in shown:
            for topic, kind, message in _messages(bag.make, frame, labels, threshold):
                bag.put(topic, kind, message, frame.time_ns)
            advance(1)
    return out


def _messages(
    make: MessageMaker, frame: Replayed, labels: tuple[str, ...], threshold: float
) -> list[tuple[str, str, Any]]:
    """``(topic, type, message)`` of one answer."""
    record = frame.record
    header = make.header(record.stamp_ns, frame.frame_id)
    shown = _above(record.detections, threshold)
    found = [
        make.detection(header, box, labels[label], score)
        for box, score, label in zip(
            shown.boxes.tolist(), shown.scores.tolist(), shown.labels.tolist(), strict=True
        )
    ]
    values = dominance_values(record, len(found))
    reliance = math.nan if record.reliance is None else record.reliance
    text = f"reliance {reliance:+.2f}, MDI {record.mdi:+.2f}"
    dominance = make.diagnostics(header, f"{NODE[1:]}: dominance", text, values)
    picture = make.compressed(header, "jpeg", _jpeg(_overlay(frame, shown, labels)))
    messages = [
        (DETECTIONS_TOPIC, DETECTIONS, make.detections(header, found)),
        (DOMINANCE_TOPIC, DIAGNOSTICS, dominance),
        (RELIANCE_TOPIC, FLOAT, make(FLOAT, data=reliance)),
        (MDI_TOPIC, FLOAT, make(FLOAT, data=record.mdi)),
        (OVERLAY_TOPIC, COMPRESSED, picture),
    ]
    if record.truth is not None:
        truth = truth_message(make, record.stamp_ns, frame.frame_id, record.truth, labels)
        messages.append((TRUTH_TOPIC, DETECTIONS, truth))
    return messages


def _above(detections: Detections, threshold: float) -> Detections:
    """What a user of the node would see."""
    keep = detections.scores >= threshold
    return Detections(
        detections.boxes[keep],
        detections.scores[keep],
        detections.labels[keep],
        detections.image_size,
    )


def dominance_values(record: FrameRecord, detections: int) -> dict[str, str]:
    """What the node says of a frame on its topic ``dominance``, as far as it was kept."""
    values: dict[str, float | int] = {"mdi": record.mdi}
    if record.reliance is not None:
        values["reliance"] = record.reliance
    if record.exact_mdi is not None:
        values["exact_mdi"] = record.exact_mdi
    for name, pair in (
        ("dominance", _shares(record)),
        ("entropy", record.entropy),
        ("gate", record.gates),
    ):
        values |= {f"{name}_{m}": value for m, value in zip(MODALITIES, pair, strict=True)}
    values |= {"detections": detections, "skew_ms": record.skew_ms}
    present = zip(MODALITIES, (record.rgb, record.thermal), strict=True)
    return {key: f"{value:.6g}" for key, value in values.items()} | {
        "present": "+".join(camera for camera, there in present if there),
        "events": " ".join(record.events),
    }


def _shares(record: FrameRecord) -> tuple[float, float]:
    """Dominance of rgb and thermal: they sum to 1 and differ by the index."""
    return (1 + record.mdi) / 2, (1 - record.mdi) / 2


def _overlay(frame: Replayed, shown: Detections, labels: tuple[str, ...]) -> ByteArray:
    """Detections and gauge over RGB, or over the thermal picture while RGB is absent."""
    record = frame.record
    picture = frame.rgb if frame.rgb is not None else frame.thermal
    if picture is None:
        picture = np.zeros(record.image_size[::-1], np.uint8)
    unknown = (math.nan, math.nan)
    reading = DominanceReading(
        record.mdi,
        _shares(record),
        record.entropy,
        unknown,
        record.gates,
        record.exact_mdi,
        record.reliance,
    )
    return draw_detections(picture, shown, labels, reading)


def _jpeg(picture: ByteArray) -> ByteArray:
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
    return np.asarray(data.reshape(-1), np.uint8)
