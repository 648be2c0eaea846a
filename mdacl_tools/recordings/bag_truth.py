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

from mdacl_ros.errors import RecordingError
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


def truth_from(message: Any, where: str = TRUTH_TOPIC) -> GroundTruth:
    """Read a Detection2DArray as ground truth; the first hypothesis of each object counts.

    Names are taken as those of any data set: a pedestrian is a person, a bus a region to ignore,
    a lamp is left out. Messages of vision_msgs before Galactic (``results[].id``,
    ``bbox.center.x``) are read as well.

    Args:
        message: Of any vision_msgs.
        where: Start of an error's line.

    Raises:
        RecordingError: It is laid out as no vision_msgs is, or its classes have no names.
    """
    try:
        objects = [
            LabelledBox(_class_name(found.results[0]), _corners(found.bbox), _ignored(found))
            for found in message.detections
            if found.results
        ]
    except AttributeError as error:
        raise RecordingError(
            f"{where}: laid out as in no known vision_msgs ({error}); record its ground truth with "
            "vision_msgs 4 (Humble or later), or give --labels"
        ) from error
    if any(label.name.isdigit() for label in objects):
        raise RecordingError(
            f"{where}: its classes are numbers, wanted names such as 'person': vision_msgs before "
            "Foxy; give --labels, a COCO json"
        )
    return ground_truth(make_record(Pair(0, None, None, ""), objects))


def _class_name(result: Any) -> str:
    hypothesis = getattr(result, "hypothesis", result)
    name = hypothesis.class_id if hasattr(hypothesis, "class_id") else hypothesis.id
    return str(name)


def _ignored(found: Any) -> bool:
    return getattr(found, "id", "") == IGNORE


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
    centre = getattr(box.center, "position", box.center)
    x, y = centre.x, centre.y
    half_x, half_y = box.size_x / 2, box.size_y / 2
    return x - half_x, y - half_y, x + half_x, y + half_y
