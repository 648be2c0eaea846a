"""Which image topics of a bag are the colour and the thermal camera."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import Modality

THERMAL_NAMES = re.compile(
    r"thermal|infrared|lwir|flir|boson|lepton|seek|optris|tau2|(^|[/_])ir\d?([/_]|$)", re.IGNORECASE
)
RGB_NAMES = re.compile(r"rgb|colou?r|visible|(^|[/_])(vis|eo)([/_]|$)", re.IGNORECASE)
NOT_A_CAMERA = re.compile(r"depth|overlay|registered|disparity|theora|mask", re.IGNORECASE)

THERMAL_ENCODINGS = ("mono16", "16UC1", "32FC1", "16SC1")
RGB_ENCODINGS = ("rgb8", "bgr8", "rgba8", "bgra8", "bayer_", "yuv422", "uyvy", "yuyv", "nv12")


@dataclass(frozen=True, slots=True)
class BagTopic:
    """An image topic.

    Attributes:
        name: Topic.
        compressed: Whether it carries CompressedImage.
        encoding: Encoding (or compressed format) of its first message, empty without messages.
    """

    name: str
    compressed: bool
    encoding: str


def choose_topics(
    bag: str, topics: list[BagTopic], rgb: str | None = None, thermal: str | None = None
) -> dict[Modality, str]:
    """Tell the cameras' topics by what is given, by name, by encoding, then by exclusion.

    A camera with a raw and a compressed topic is read raw. One camera alone is enough.

    Args:
        bag: Path, for messages.
        topics: All image topics of the bag.
        rgb: Topic that the user named for the colour camera.
        thermal: Topic that the user named for the thermal camera.

    Raises:
        RecordingError: If a named topic is not there, or it is not clear which topic is which.
    """
    names = [topic.name for topic in topics]
    asked: list[tuple[Modality, str | None]] = [("rgb", rgb), ("thermal", thermal)]
    chosen: dict[Modality, str] = {camera: name for camera, name in asked if name}
    for camera, name in chosen.items():
        if name not in names:
            raise RecordingError(
                f"bag {bag}: got {camera} topic {name}, wanted one of its image topics: "
                f"{', '.join(names) or 'it has none'}"
            )
    free = [t for t in _prefer_raw(topics) if t.name not in chosen.values() and t.encoding]
    free = [t for t in free if not NOT_A_CAMERA.search(t.name)]
    for camera in (c for c, name in asked if not name):
        found = [t for t in free if _camera_of(t) == camera]
        if len(found) > 1:
            raise _unclear(bag, names, f"{len(found)} could be the {camera} camera")
        if found:
            chosen[camera] = found[0].name
            free.remove(found[0])
    missing = [camera for camera, _ in asked if camera not in chosen]
    if len(missing) == 1 and len(free) == 1 and _camera_of(free[0]) is None:
        chosen[missing[0]] = free[0].name
    if not chosen:
        raise _unclear(bag, names, "none is known as a colour or thermal camera")
    return chosen


def _camera_of(topic: BagTopic) -> Modality | None:
    # Names first: thermal drivers also publish false-colour rgb8 images.
    if THERMAL_NAMES.search(topic.name):
        return "thermal"
    if RGB_NAMES.search(topic.name):
        return "rgb"
    if topic.encoding.startswith(THERMAL_ENCODINGS):
        return "thermal"
    return "rgb" if topic.encoding.startswith(RGB_ENCODINGS) else None


def _prefer_raw(topics: list[BagTopic]) -> list[BagTopic]:
    raw = {topic.name for topic in topics if not topic.compressed}
    return [t for t in topics if not t.compressed or t.name.rsplit("/", 1)[0] not in raw]


def _unclear(bag: str, names: list[str], why: str) -> RecordingError:
    return RecordingError(
        f"bag {bag}: which image topics are the cameras? {why}; it has "
        f"{', '.join(names) or 'no image topic'}; name them with --rgb-topic and --thermal-topic"
    )
