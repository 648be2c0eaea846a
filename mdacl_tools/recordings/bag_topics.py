"""Which image topics of a bag are the colour and the thermal camera."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mdacl_ros.errors import RecordingError
from mdacl_ros.sensing.encodings import CAN_BE_COLOUR, find_encoding
from mdacl_ros.types import MODALITIES, Modality
from mdacl_tools.recordings.bag_messages import COMPRESSED, IMAGE

KIND_WORDS: dict[Modality, re.Pattern[str]] = {
    "thermal": re.compile(r"thermal|infrared|lwir|(^|_)ir\d?(_|$)", re.IGNORECASE),
    "rgb": re.compile(r"rgb|colou?r|visible|(^|_)(vis|eo)(_|$)", re.IGNORECASE),
}
"""What a part of a topic's name says of the camera."""

MODELS = re.compile(
    r"boson|lepton|seek|optris|tau2|vue_?pro|duo_?pro|xenics|infiray|hikmicro", re.I
)
"""Names of thermal cameras; a maker who builds both kinds comes last."""

MAKERS = re.compile(r"flir|teledyne", re.IGNORECASE)

NOT_A_CAMERA = re.compile(r"depth|overlay|registered|disparity|theora|mask", re.IGNORECASE)

OTHER_IMAGES = re.compile(r"ffmpeg|compressedvideo|foxglove\.|theora|h26[45]", re.IGNORECASE)
"""Message types of pictures that are not read."""

REPUBLISH = (
    "ros2 run image_transport republish --ros-args -p in_transport:={transport} "
    "-p out_transport:=raw decodes them, record that"
)


@dataclass(frozen=True, slots=True)
class BagTopic:
    """A topic with images.

    Attributes:
        name: Topic.
        msgtype: Type of its messages.
        encoding: Encoding of its first message, empty without messages.
        messages: Number of messages.
        readable: Whether it is of a type that is read.
    """

    name: str
    msgtype: str
    encoding: str
    messages: int = 1
    readable: bool = True

    @property
    def compressed(self) -> bool:
        """Whether it carries CompressedImage."""
        return self.msgtype == COMPRESSED


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """The topic of each camera.

    Attributes:
        topics: By camera.
        reasons: Why, in one sentence, where it was not given.
    """

    topics: dict[Modality, str]
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Claim:
    """That a topic is a camera's, how strongly, and why."""

    camera: Modality
    rank: int
    why: str


def choose_topics(
    bag: str, topics: list[BagTopic], rgb: str | None = None, thermal: str | None = None
) -> TopicChoice:
    """Tell the cameras' topics by what is given, by content, by name, then by exclusion.

    Content that only one camera can have comes first, then words of the name, the last part first,
    then likely encodings, then makers' names. A camera with a raw and a compressed topic is read
    raw. One camera alone is enough.

    Args:
        bag: Path, for messages.
        topics: All topics of the bag that hold images, or may.
        rgb: Topic that the user named for the colour camera.
        thermal: Topic that the user named for the thermal camera.

    Raises:
        RecordingError: If a named topic is not there or empty, or it is not clear which topic is
            which.
    """
    images = [topic for topic in topics if topic.readable]
    asked: dict[Modality, str | None] = {"rgb": rgb, "thermal": thermal}
    chosen = {camera: name for camera, name in asked.items() if name}
    for camera, name in chosen.items():
        _check_named(bag, camera, name, topics)
    if len(set(chosen.values())) < len(chosen):
        raise RecordingError(f"bag {bag}: got one topic for both cameras, {rgb}; name two")
    free = [t for t in _prefer_raw(images) if t.name not in chosen.values() and t.messages]
    free = [t for t in free if not NOT_A_CAMERA.search(t.name)]
    reasons = []
    found = _assigned(bag, free, [c for c in MODALITIES if c not in chosen], topics)
    for camera, (topic, why) in found.items():
        chosen[camera] = topic.name
        if len(images) > 1:
            reasons.append(f"{camera} is {topic.name}, as {why}")
    if not chosen:
        raise _unclear(bag, topics, "none is known as a colour or thermal camera")
    told = ["; ".join(reasons)] if reasons else []
    return TopicChoice({c: chosen[c] for c in MODALITIES if c in chosen}, told)


def _check_named(bag: str, camera: Modality, name: str, topics: list[BagTopic]) -> None:
    """Refuse a named topic that has no image."""
    names = [topic.name for topic in topics if topic.readable]
    topic = next((t for t in topics if t.name == name), None)
    if topic is None or not topic.readable:
        got = "" if topic is None else f" of type {topic.msgtype}"
        raise RecordingError(
            f"bag {bag}: got {camera} topic {name}{got}, wanted one of its image topics: "
            f"{', '.join(names) or 'it has none'}"
        )
    if not topic.messages:
        raise RecordingError(
            f"bag {bag}: {camera} topic {name} holds no message; was its camera publishing?"
        )


def _assigned(
    bag: str, free: list[BagTopic], wanted: list[Modality], topics: list[BagTopic]
) -> dict[Modality, tuple[BagTopic, str]]:
    """The topic and the reason for each camera that can be told."""
    claims = {topic.name: _claims(topic) for topic in free}
    best = {t.name: min(claims[t.name], key=lambda c: c.rank, default=None) for t in free}
    candidates: dict[Modality, list[BagTopic]] = {
        camera: [t for t in free if (b := best[t.name]) is not None and b.camera == camera]
        for camera in MODALITIES
    }
    for camera, other in (("rgb", "thermal"), ("thermal", "rgb")):
        _move_second_choice(candidates, claims, camera, other)  # type: ignore[arg-type]
    found: dict[Modality, tuple[BagTopic, str]] = {}
    for camera in wanted:
        if len(candidates[camera]) > 1:
            names = ", ".join(topic.name for topic in candidates[camera])
            raise _unclear(
                bag, topics, f"{len(candidates[camera])} could be the {camera} camera ({names})"
            )
        for topic in candidates[camera]:
            why = next(c.why for c in claims[topic.name] if c.camera == camera)
            found[camera] = topic, why
    used = [topic.name for topic, _ in found.values()]
    left = [topic for topic in free if topic.name not in used and not claims[topic.name]]
    missing = [camera for camera in wanted if camera not in found]
    if len(missing) == 1 and len(left) == 1:
        found[missing[0]] = left[0], "the only other image topic"
    return found


def _move_second_choice(
    candidates: dict[Modality, list[BagTopic]],
    claims: dict[str, list[_Claim]],
    camera: Modality,
    other: Modality,
) -> None:
    """Where one camera has several topics and the other none, give it the one that may be its."""
    if len(candidates[camera]) < 2 or candidates[other]:
        return
    second = [t for t in candidates[camera] if any(c.camera == other for c in claims[t.name])]
    if len(second) == 1:
        candidates[camera].remove(second[0])
        candidates[other].append(second[0])


def _claims(topic: BagTopic) -> list[_Claim]:
    """What speaks for either camera, strongest first."""
    row = find_encoding(topic.encoding)
    if row is not None and row.sign is not None:
        return [_Claim(row.sign, 0, f"its encoding is {row.name}")]
    found: list[_Claim] = []
    parts = [part for part in topic.name.split("/") if part]
    for back, part in enumerate(reversed(parts)):
        for camera, words in KIND_WORDS.items():
            if match := words.search(part):
                found.append(_Claim(camera, 1 + back, f"its name says {match[0]!r}"))
    late = 1 + len(parts)
    if row is not None and row.name == "mono16":
        found.append(_Claim("thermal", late, "its encoding is mono16"))
    if match := MODELS.search(topic.name):
        found.append(_Claim("thermal", late + 1, f"its name says {match[0]!r}"))
    if row is not None and row.name in CAN_BE_COLOUR:
        found.append(_Claim("rgb", late + 2, f"its encoding is {row.name}"))
    if match := MAKERS.search(topic.name):
        found.append(_Claim("thermal", late + 3, f"its name says {match[0]!r}"))
    return sorted(found, key=lambda claim: claim.rank)


def _prefer_raw(topics: list[BagTopic]) -> list[BagTopic]:
    raw = {topic.name for topic in topics if not topic.compressed and topic.messages}
    return [t for t in topics if not t.compressed or t.name.rsplit("/", 1)[0] not in raw]


def _unclear(bag: str, topics: list[BagTopic], why: str) -> RecordingError:
    names = [topic.name for topic in topics if topic.readable]
    if not names:
        return _no_image_topic(bag, topics)
    empty = [topic.name for topic in topics if topic.readable and not topic.messages]
    if len(empty) == len(names):
        return RecordingError(
            f"bag {bag}: empty, no image in its topics {', '.join(names)}; were the cameras "
            "publishing while it was recorded?"
        )
    return RecordingError(
        f"bag {bag}: which image topics are the cameras? {why}; it has {', '.join(names)}; name "
        "them with --rgb-topic and --thermal-topic"
    )


def _no_image_topic(bag: str, topics: list[BagTopic]) -> RecordingError:
    """That there is no Image, and what there is instead."""
    coded = [topic for topic in topics if OTHER_IMAGES.search(f"{topic.msgtype} {topic.name}")]
    if coded:
        kinds = ", ".join(f"{topic.name} ({topic.msgtype})" for topic in coded)
        transport = "theora" if "theora" in kinds.casefold() else "ffmpeg"
        return RecordingError(
            f"bag {bag}: its images are coded as video ({transport}): "
            f"{REPUBLISH.format(transport=transport)}; its topics: {kinds}"
        )
    others = ", ".join(f"{topic.name} ({topic.msgtype})" for topic in topics[:8]) or "no topic"
    return RecordingError(
        f"bag {bag}: it has no image topic, wanted {IMAGE} or {COMPRESSED}; it has {others}"
    )
