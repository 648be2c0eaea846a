"""What the doctor saw of a running system: plain data, no ROS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mdacl_ros.types import Modality


@dataclass(frozen=True, slots=True)
class CameraView:
    """One camera's topics as seen for some seconds.

    Attributes:
        topic: Image topic.
        told: Whether the detector told its name; else it is what it would be without remapping.
        heard: Whether the detector has a subscription there.
        publishers: Names of the nodes that publish it.
        types: Message types that they publish.
        mismatched: One text for each publisher whose QoS the detector cannot take.
        stamps_ns: Stamps of the images that arrived here.
        arrivals_ns: When they did, on the same clock.
        encodings: Encodings seen (of a compressed topic: formats).
        size: ``(width, height)`` of the newest raw image, ``None`` for none.
        image_bytes: Bytes of the newest image.
        compressed: Whether it is a compressed topic.
        info_size: ``(width, height)`` that camera_info tells, ``None`` without any.
        info_fault: What keeps camera_info from being of use, empty for nothing.
        frame_id: Of the newest image.
        info_frame_id: Of camera_info, ``None`` without any.
        refused: Why the newest compressed image cannot be read, empty if it can.
    """

    topic: str
    told: bool = True
    heard: bool = True
    publishers: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()
    mismatched: tuple[str, ...] = ()
    stamps_ns: tuple[int, ...] = ()
    arrivals_ns: tuple[int, ...] = ()
    encodings: frozenset[str] = frozenset()
    size: tuple[int, int] | None = None
    image_bytes: int = 0
    compressed: bool = False
    info_size: tuple[int, int] | None = None
    info_fault: str = ""
    frame_id: str = ""
    info_frame_id: str | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class SystemView:
    """The detector and its cameras as seen for some seconds.

    Attributes:
        node: Full name that was looked for.
        nodes: How many nodes have that name.
        others: Full names of detector nodes in other namespaces.
        seconds: How long was listened.
        cameras: By camera.
        answers: Detections messages that arrived.
        deaf: One text for each listener to an answer that its QoS keeps it from.
        health: Newest diagnostics by status: level 0..3, message, values.
        parameters: The node's parameters; empty where it did not answer.
    """

    node: str
    nodes: int
    seconds: float
    cameras: Mapping[Modality, CameraView] = field(default_factory=dict)
    answers: int = 0
    deaf: tuple[str, ...] = ()
    health: Mapping[str, tuple[int, str, Mapping[str, str]]] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Lifecycle state as diagnostics tell it; empty if they do not."""
        return self.health["inference"][2].get("state", "") if "inference" in self.health else ""

    @property
    def sim_time(self) -> bool:
        """Whether the node follows /clock: stamps then have nothing to do with this machine's."""
        return self.parameters.get("use_sim_time") is True
