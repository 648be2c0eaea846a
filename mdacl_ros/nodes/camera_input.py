"""One camera's subscriptions: checks each image, hands it over, never blocks, never gives up."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from mdacl_ros.errors import ImageError
from mdacl_ros.nodes import image_messages, markers, topics
from mdacl_ros.nodes.qos_overrides import overridable
from mdacl_ros.nodes.statistics import Statistics
from mdacl_ros.types import Frame, Modality

try:  # Jazzy and later
    from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks, UnsupportedEventTypeError

HandOver = Callable[[Modality, Frame], None]


class CameraInput:
    """Subscribes to one camera's images and camera_info.

    Attributes:
        camera: ``rgb`` or ``thermal``.
        topic: Resolved name of the image topic.
        camera_info: The intrinsics, once received.
        incompatible: What keeps a publisher's images from us; empty once an image has come since.
    """

    def __init__(
        self,
        node: LifecycleNode,
        camera: Modality,
        transport: str,
        hand_over: HandOver,
        statistics: Statistics,
        max_pixels: Callable[[], int],
        group: CallbackGroup,
    ) -> None:
        self.camera = camera
        self.camera_info: CameraInfo | None = None
        self.incompatible = ""
        self._node = node
        self._hand_over = hand_over
        self._statistics = statistics
        self._max_pixels, self._group = max_pixels, group
        self._reported: set[str] = set()
        self._rejected: Frame | None = None
        message_type = CompressedImage if transport == "compressed" else Image
        self._images = self._subscribe(
            message_type, topics.image_topic(camera, transport), self._on_image
        )
        self.topic: str = self._images.topic_name
        self._info: Any = None
        try:
            self._info = self._subscribe(
                CameraInfo, topics.CAMERA_INFO_TOPICS[camera], self._on_camera_info
            )
        except Exception:
            self.destroy()
            raise

    @property
    def calibrated(self) -> bool:
        """Whether the intrinsics arrived and hold a focal length."""
        return self.camera_info is not None and markers.is_usable(self.camera_info)

    def destroy(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._images)
        self._drop_info()

    def reject(self, error: ImageError) -> None:
        """Count an image that cannot be used; log the first one of each kind."""
        line = f"topic {self.topic}: {error}"
        self._statistics.count(f"dropped_bad_image_{self.camera}")
        self._statistics.note(f"bad_image_{self.camera}", line)
        # Sizes and counts differ from image to image; the kind of mistake does not.
        kind = re.sub(r"\d+", "#", line)
        if kind not in self._reported:
            self._reported.add(kind)
            self._node.get_logger().error(line + " (logged once; see /diagnostics for the count)")

    def reject_frame(self, frame: Frame | None, error: ImageError) -> None:
        """The same for a frame that was handed over: once, also where it serves several pairs."""
        if frame is not self._rejected:
            self._rejected = frame
            self.reject(error)

    def _subscribe(self, message_type: type, topic: str, callback: Callable[[Any], None]) -> Any:
        """Subscribe newest-only, with QoS overrides and a report of incompatible publishers."""
        qos = topics.newest_sensor_data()
        name = self._node.resolve_topic_name(topic)
        events = SubscriptionEventCallbacks(
            incompatible_qos=lambda event: self._on_incompatible(name, event)
        )
        with overridable(name) as overrides:
            options: dict[str, Any] = {
                "qos_overriding_options": overrides,
                "callback_group": self._group,
            }
            try:
                return self._node.create_subscription(
                    message_type, topic, callback, qos, event_callbacks=events, **options
                )
            except UnsupportedEventTypeError:  # a middleware without QoS events
                return self._node.create_subscription(message_type, topic, callback, qos, **options)

    def _on_image(self, message: Image | CompressedImage) -> None:
        """Hand a usable image over; count the others."""
        self.incompatible = ""
        self._statistics.tick(f"frames_{self.camera}")
        try:
            frame = image_messages.hold(message, self.camera, self._max_pixels())
        except ImageError as error:
            self.reject(error)
            return
        self._hand_over(self.camera, frame)

    def _on_camera_info(self, message: CameraInfo) -> None:
        """Keep the intrinsics; a camera repeats them with every image, so one is enough."""
        self.camera_info = message
        self._drop_info()

    def _drop_info(self) -> None:
        """Unsubscribe from camera_info, which would cost as many callbacks as the images."""
        if self._info is not None:
            self._node.destroy_subscription(self._info)
            self._info = None

    def _on_incompatible(self, topic: str, event: Any) -> None:
        """Report a publisher whose QoS keeps its images from us."""
        policy = _policy_name(event.last_policy_kind)
        parameter = f"qos_overrides.{topic}.subscription.{policy}"
        tolerant = topics.MOST_TOLERANT.get(policy, "what the publisher offers")
        line = (
            f"topic {topic}: a publisher offers an incompatible QoS ({policy}), its messages do "
            f"not arrive; set parameter {parameter} to {tolerant}"
        )
        if topic == self.topic:
            self.incompatible = line
        self._statistics.count("incompatible_qos")
        self._statistics.note("incompatible_publisher", line)
        self._node.get_logger().error(line)


def _policy_name(kind: Any) -> str:
    """Name of a QoS policy as in qos_overrides parameters, e.g. ``reliability``."""
    try:
        from rclpy.qos import qos_policy_name_from_kind

        return qos_policy_name_from_kind(kind).replace("_QOS_POLICY", "").lower()
    except (ImportError, ValueError):
        return str(kind)
