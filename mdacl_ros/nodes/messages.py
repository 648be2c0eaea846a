"""Plain types to ROS messages: what the node publishes."""

from __future__ import annotations

import array
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import (
    BoundingBox2D,
    Detection2D,
    Detection2DArray,
    LabelInfo,
    ObjectHypothesisWithPose,
    VisionClass,
)

from mdacl_ros.types import MODALITIES, ByteArray, Detections, DominanceReading

NANOSECONDS = 1_000_000_000


def to_time(stamp_ns: int) -> Time:
    """Nanoseconds since the epoch as a ROS time."""
    seconds, nanoseconds = divmod(stamp_ns, NANOSECONDS)
    return Time(sec=seconds, nanosec=nanoseconds)


def to_nanoseconds(time: Time) -> int:
    """A ROS time as nanoseconds since the epoch."""
    return int(time.sec) * NANOSECONDS + int(time.nanosec)


def to_header(stamp_ns: int, frame_id: str) -> Header:
    """A header with exactly this stamp."""
    return Header(stamp=to_time(stamp_ns), frame_id=frame_id)


def to_image(image: ByteArray, header: Header) -> Image:
    """A picture as a ROS image.

    Args:
        image: ``(H, W, 3)`` uint8 R, G, B, or ``(H, W)`` uint8.
        header: Stamp and frame of the picture.
    """
    message = Image(header=header)
    message.height, message.width = image.shape[:2]
    message.encoding = "rgb8" if image.ndim == 3 else "mono8"
    message.step = int(image.size // image.shape[0])
    # The setter takes an array as it is (0.1 ms for 640x480); it would copy bytes once more
    # (0.4 ms) and check a list element by element (40 ms).
    pixels = array.array("B")
    pixels.frombytes(np.ascontiguousarray(image).data.cast("B"))
    message.data = pixels
    return message


def to_detection_array(
    detections: Detections, labels: Sequence[str], header: Header, *, share_in_id: bool = False
) -> Detection2DArray:
    """Detections as vision_msgs; ``class_id`` is the class name, boxes are in RGB pixels.

    Args:
        detections: The answer.
        labels: Class names.
        header: Stamp and RGB frame.
        share_in_id: Write :func:`share_text` into each ``id``, which else stays empty for trackers.
    """
    message = Detection2DArray(header=header)
    boxes, scores = detections.boxes.tolist(), detections.scores.tolist()
    message.detections = [
        _to_detection(box, score, labels[label], header)
        for box, score, label in zip(boxes, scores, detections.labels.tolist(), strict=True)
    ]
    if share_in_id and detections.rgb_shares is not None:
        for detection, share in zip(
            message.detections, detections.rgb_shares.tolist(), strict=True
        ):
            detection.id = share_text(share, exact=detections.shares_exact)
    return message


def share_text(rgb: float, *, exact: bool) -> str:
    """What a detection rests on as a text to be parsed: ``rgb=0.29 thermal=0.71 exact``."""
    return f"rgb={rgb:.2f} thermal={1 - rgb:.2f} {'exact' if exact else 'estimate'}"


def _to_detection(box: list[float], score: float, name: str, header: Header) -> Detection2D:
    """One object; ``box`` is x_min, y_min, x_max, y_max in pixels."""
    x_min, y_min, x_max, y_max = box
    outline = BoundingBox2D(size_x=x_max - x_min, size_y=y_max - y_min)
    outline.center.position.x = (x_min + x_max) / 2
    outline.center.position.y = (y_min + y_max) / 2
    result = ObjectHypothesisWithPose()
    result.hypothesis.class_id = name
    result.hypothesis.score = score
    return Detection2D(header=header, results=[result], bbox=outline)


def to_label_info(labels: Sequence[str], threshold: float, header: Header) -> LabelInfo:
    """The class names of the model by number, and the score threshold in use."""
    classes = [VisionClass(class_id=i, class_name=name) for i, name in enumerate(labels)]
    return LabelInfo(header=header, class_map=classes, threshold=threshold)


def to_key_values(values: Mapping[str, object]) -> list[KeyValue]:
    """Numbers and texts as diagnostic key/values; floats with six significant digits."""
    return [KeyValue(key=key, value=_to_text(value)) for key, value in values.items()]


def _to_text(value: object) -> str:
    """Short text that parses back to the same kind of value."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def to_diagnostics(header: Header, statuses: Iterable[DiagnosticStatus]) -> DiagnosticArray:
    """A diagnostic array of these statuses."""
    return DiagnosticArray(header=header, status=list(statuses))


def dominance_values(reading: DominanceReading, present: tuple[bool, bool]) -> dict[str, object]:
    """A dominance reading under stable names: ``reliance``, ``mdi``, ``gate_thermal``, ...

    ``reliance`` is NaN while nothing is seen or measured; ``evidence*`` and ``exact_mdi`` are only
    there on frames where they were measured.
    """
    values: dict[str, object] = {"reliance": reliance_or_nan(reading), "mdi": reading.mdi}
    if reading.evidence is not None:
        names = ("evidence", "evidence_rgb", "evidence_thermal")
        values |= dict(zip(names, reading.evidence, strict=True))
    if reading.exact_mdi is not None:
        values["exact_mdi"] = reading.exact_mdi
    for name, pair in (
        ("dominance", reading.dominance),
        ("entropy", reading.entropy),
        ("sensitivity", reading.sensitivity),
        ("gate", reading.gates),
    ):
        values |= {f"{name}_{m}": float(v) for m, v in zip(MODALITIES, pair, strict=True)}
    values["present"] = "+".join(m for m, there in zip(MODALITIES, present, strict=True) if there)
    return values


def reliance_or_nan(reading: DominanceReading) -> float:
    """Reliance as a plain number, NaN where there is none."""
    return math.nan if reading.reliance is None else reading.reliance


def share_values(detections: Detections) -> dict[str, object]:
    """What each detection rests on: ``detection_0_rgb_share``, ...; ``exact`` where measured.

    Numbers are places in ``~/detections`` of the same stamp; thermal's share is the rest to 1.
    """
    if detections.rgb_shares is None:
        return {}
    shares = enumerate(detections.rgb_shares.tolist())
    return {
        "exact": detections.shares_exact,
        **{f"detection_{index}_rgb_share": share for index, share in shares},
    }


def to_dominance(
    name: str,
    header: Header,
    values: Mapping[str, object],
    shares: Mapping[str, object],
) -> DiagnosticArray:
    """One frame's dominance as a diagnostic array, plotted by PlotJuggler and Foxglove.

    Args:
        name: Name of the node.
        header: Header of the answer.
        values: Of the whole frame; the first status, ``<name>: dominance``.
        shares: Of each detection; the second status, ``<name>: detections``.
    """
    frame = DiagnosticStatus(
        level=DiagnosticStatus.OK,
        name=f"{name}: dominance",
        message=f"reliance {values['reliance']:+.2f}, MDI {values['mdi']:+.2f}",
        values=to_key_values(values),
    )
    each = DiagnosticStatus(
        level=DiagnosticStatus.OK,
        name=f"{name}: detections",
        message="" if shares else "not measured by this engine",
        values=to_key_values(shares),
    )
    return to_diagnostics(header, [frame, each])
