"""Topic names and quality of service of the detector node, in one place.

Camera topics are relative (``rgb/image_raw``): they belong to the cameras' drivers; what the
node answers is private to it (``~/detections`` is ``/detector_node/detections``). All can be
remapped, and every QoS can be overridden through ``qos_overrides.<topic>.*`` parameters.
"""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from mdacl_ros.types import Modality

NODE_NAME = "detector_node"

IMAGE_TOPICS: dict[Modality, str] = {"rgb": "rgb/image_raw", "thermal": "thermal/image_raw"}
"""Image topic of each camera; ``/compressed`` is appended for the compressed transport."""

IMAGE_TYPES = {"raw": "sensor_msgs/msg/Image", "compressed": "sensor_msgs/msg/CompressedImage"}
"""Message type of an image topic by transport."""

CAMERA_INFO_TOPICS: dict[Modality, str] = {
    "rgb": "rgb/camera_info",
    "thermal": "thermal/camera_info",
}

DETECTIONS = "~/detections"
DOMINANCE = "~/dominance"
RELIANCE = "~/reliance"
MDI = "~/mdi"
OVERLAY = "~/overlay"
THERMAL_REGISTERED = "~/thermal_registered"
MARKERS = "~/markers"
LABEL_INFO = "~/label_info"
DIAGNOSTICS = "/diagnostics"

RELOAD_ENGINE = "~/reload_engine"
"""Service std_srvs/Trigger."""


MOST_TOLERANT = {"reliability": "best_effort", "durability": "volatile"}
"""Values of a subscription's QoS policies with which it hears every publisher."""


def image_topic(camera: Modality, transport: str) -> str:
    """Name the topic a camera's images arrive on.

    Args:
        camera: ``rgb`` or ``thermal``.
        transport: ``raw`` or ``compressed``.
    """
    suffix = "/compressed" if transport == "compressed" else ""
    return IMAGE_TOPICS[camera] + suffix


def newest_sensor_data() -> QoSProfile:
    """Inputs: best effort, newest only; a queue would make a slow detector look at the past."""
    return sensor_data(depth=1)


def sensor_data(depth: int) -> QoSProfile:
    """A listener that any publisher matches."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.BEST_EFFORT
    )


def reliable_results(depth: int = 10) -> QoSProfile:
    """Small results: reliable, so that reliable and best-effort subscribers both get them."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.RELIABLE
    )


def latched() -> QoSProfile:
    """Facts that do not change while the node is configured: late subscribers get them too."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )
