"""Ground truth that travels in the bag, on topics of its own.

- ``/ground_truth/detections`` (vision_msgs/Detection2DArray): one message for every labelled RGB
  frame, with its stamp, also when nothing is there; ``class_id`` is the class name, the score 1. A
  region to ignore, neither object nor background, has the ``id`` :data:`IGNORE`.
- ``/ground_truth/scene`` (vision_msgs/Classification): what a part of the recording is (``day``,
  ``night``, ``smoke``), from the message's stamp on; a message without results ends the part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from mdacl_ros.types import LABELS, GroundTruth
from mdacl_tools.recordings.bag_messages import NANOSECONDS, MessageMaker
from mdacl_tools.recordings.coco_truth import ground_truth
from mdacl_tools.recordings.datasets.record import LabelledBox, Pair, make_record
from mdacl_tools.recordings.recording import RecordingPhase

TRUTH_TOPIC = "/ground_truth/detections"
SCENE_TOPIC = "/ground_truth/scene"

IGNORE = "ignore"
"""``id`` of a Detection2D that is a region to ignore."""


def stamp_of(message: Any) -> int:
    """Stamp of a message's header in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def truth_message(
    make: MessageMaker,
    stamp_ns: int,
    frame_id: str,
    truth: GroundTruth,
    labels: Sequence[str] = LABELS,
) -> Any:
    """What really is in the RGB frame with this stamp; ``labels`` names the classes."""
    header = make.header(stamp_ns, frame_id)
    rows = zip(truth.boxes.tolist(), truth.labels.tolist(), truth.ignore.tolist(), strict=True)
    objects = [
        make.detection(header, box, labels[label], 1.0, IGNORE if ignore else "")
        for box, label, ignore in rows
    ]
    return make.detections(header, objects)


def truth_from(message: Any) -> GroundTruth:
    """Read a Detection2DArray as ground truth; the first hypothesis of each object counts.

    Names are taken as those of any data set: a pedestrian is a person, a bus a region to ignore,
    a lamp is left out.
    """
    objects = [
        LabelledBox(found.results[0].hypothesis.class_id, _corners(found.bbox), found.id == IGNORE)
        for found in message.detections
        if found.results
    ]
    return ground_truth(make_record(Pair(0, None, None, ""), objects))


def scene_messages(make: MessageMaker, phases: Iterable[RecordingPhase]) -> list[tuple[int, Any]]:
    """The parts of a recording as ``(stamp_ns, Classification)``, in order of their stamps."""
    names: dict[int, str] = {}
    for phase in phases:
        names[phase.start_ns] = phase.name
        names.setdefault(phase.end_ns, "")
    return [
        (
            stamp,
            make(
                "vision_msgs/msg/Classification",
                header=make.header(stamp, ""),
                results=[make.hypothesis(names[stamp], 1.0)] if names[stamp] else [],
            ),
        )
        for stamp in sorted(names)
    ]


def phases_from(messages: Iterable[Any], end_ns: int) -> tuple[RecordingPhase, ...]:
    """The parts that Classification messages name.

    Args:
        messages: In any order.
        end_ns: Where a part ends that no message ends.
    """
    marks = sorted((stamp_of(m), m.results[0].class_id if m.results else "") for m in messages)
    phases: list[RecordingPhase] = []
    for (start, name), (end, _) in pairwise([*marks, (end_ns, "")]):
        if phases and name and phases[-1] == RecordingPhase(name, phases[-1].start_ns, start):
            phases[-1] = RecordingPhase(name, phases[-1].start_ns, end)  # repeated, as recorders do
        elif name:
            phases.append(RecordingPhase(name, start, end))
    return tuple(phases)


def _corners(box: Any) -> tuple[float, float, float, float]:
    x, y = box.center.position.x, box.center.position.y
    half_x, half_y = box.size_x / 2, box.size_y / 2
    return x - half_x, y - half_y, x + half_x, y + half_y
