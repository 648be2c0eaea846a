"""One camera's subscriptions: checks each image, hands it over, never blocks, never gives up."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from mdacl_ros.errors import ImageError
from mdacl_ros.health.statistics import Statistics
from mdacl_ros.nodes import image_messages, markers, topics
from mdacl_ros.nodes.qos_overrides import overridable, policy_name
from mdacl_ros.types import Frame, Modality

try:  # Jazzy and later
    from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks, UnsupportedEventTypeError

TYPE_PERIOD_S = 0.5
"""Seconds without an image after which, and between which, publishers' types are looked at."""

INFO_PERIOD_S, INFO_RETRY_S = 30.0, 5.0
"""Seconds after which a camera_info is heard anew: one that can be used, and one that cannot."""

HandOver = Callable[[Modality, Frame], None]


class CameraInput:
    """Subscribes to one camera's images and camera_info.

    Attributes:
        camera: ``rgb`` or ``thermal``.
        topic: Resolved name of the image topic.
        camera_info: The newest intrinsics heard.
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
        self._incompatible = self._wrong_type = ""
        self._node = node
        self._hand_over = hand_over
        self._statistics = statistics
        self._max_pixels, self._group = max_pixels, group
        self._reported: set[str] = set()
        self._rejected: Frame | None = None
        self._looked_at, self._image_at = -math.inf, time.monotonic()
        message_type = CompressedImage if transport == "compressed" else Image
        self._type = topics.IMAGE_TYPES[transport]
        self._images = self._subscribe(
            message_type, topics.image_topic(camera, transport), self._on_image
        )
        self.topic: str = self._images.topic_name
        self._info: Any = None
        self._gone = False
        self._heard_info_at = -math.inf
        try:
            self._listen_to_info()
        except Exception:
            self.destroy()
            raise

    @property
    def incompatible(self) -> str:
        """What keeps a publisher's images from us; empty once an image has come since."""
        return self._wrong_type or self._incompatible

    def unusable_info(self, size: tuple[int, int] | None) -> str:
        """What is wrong with the intrinsics for images of a size; empty also while none came."""
        return "" if self.camera_info is None else markers.unusable(self.camera_info, size)

    def look_for_wrong_type(self) -> None:
        """Say so where somebody publishes our topic with another message type.

        DDS does not connect the two, and tells nobody. Called now and then from any thread; looks
        only while no image comes.
        """
        now = time.monotonic()
        if now - max(self._looked_at, self._image_at) < TYPE_PERIOD_S:
            return
        self._looked_at = now
        ends = self._node.get_publishers_info_by_topic(self.topic)
        others = sorted({end.topic_type for end in ends} - {self._type})
        if not others or any(end.topic_type == self._type for end in ends):
            self._wrong_type = ""
            return
        remedies = {
            "compressed": "compressed, and remap the topic with /compressed",
            "raw": f"raw, or remap {self.camera}/image_raw/compressed",
        }
        fitting = [key for key, kind in topics.IMAGE_TYPES.items() if kind == others[0]]
        remedy = "remap it to an image topic"
        if fitting:
            remedy = f"set parameter {self.camera}_transport to {remedies[fitting[0]]}"
        line = f"topic {self.topic}: carries {others[0]}, wanted {self._type}; {remedy}"
        self._wrong_type = line
        if line not in self._reported:
            self._reported.add(line)
            self._statistics.note("incompatible_publisher", line)
            self._node.get_logger().error(line)

    def destroy(self) -> None:
        """Unsubscribe."""
        self._gone = True
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

    def _report_once(self, line: str) -> None:
        """Warn of something that does not keep images from being used."""
        if line not in self._reported:
            self._reported.add(line)
            self._statistics.note(f"camera_remark_{self.camera}", line)
            self._node.get_logger().warning(line)

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
        self._incompatible = self._wrong_type = ""
        self._image_at = time.monotonic()
        if not message.header.frame_id:
            self._report_once(
                f"topic {self.topic}: images carry no frame_id, RViz shows neither markers nor "
                "images without one; set it in the camera's driver"
            )
        self._statistics.tick(f"frames_{self.camera}")
        try:
            frame = image_messages.hold(message, self.camera, self._max_pixels())
        except ImageError as error:
            self.reject(error)
            return
        self._hand_over(self.camera, frame)
        if self._info is None and self._image_at - self._heard_info_at >= INFO_RETRY_S:
            size = (message.width, message.height) if isinstance(message, Image) else None
            overdue = self._image_at - self._heard_info_at >= INFO_PERIOD_S
            if overdue or self.unusable_info(size):
                self._listen_to_info()

    def _listen_to_info(self) -> None:
        self._info = self._subscribe(
            CameraInfo, topics.CAMERA_INFO_TOPICS[self.camera], self._on_camera_info
        )
        if self._gone:  # destroyed meanwhile, in another thread of the executor
            self._drop_info()

    def _on_camera_info(self, message: CameraInfo) -> None:
        """Keep the intrinsics; a camera repeats them with every image, one now and then is enough.

        It may be calibrated, or change its resolution, while we run.
        """
        self.camera_info = message
        self._heard_info_at = time.monotonic()
        self._drop_info()

    def _drop_info(self) -> None:
        """Unsubscribe from camera_info, which would cost as many callbacks as the images."""
        if self._info is not None:
            self._node.destroy_subscription(self._info)
            self._info = None

    def _on_incompatible(self, topic: str, event: Any) -> None:
        """Report a publisher whose QoS keeps its images from us."""
        policy = policy_name(event.last_policy_kind)
        parameter = f"qos_overrides.{topic}.subscription.{policy}"
        tolerant = topics.MOST_TOLERANT.get(policy, "what the publisher offers")
        line = (
            f"topic {topic}: a publisher offers an incompatible QoS ({policy}), its messages do "
            f"not arrive; set parameter {parameter} to {tolerant}"
        )
        if topic == self.topic:
            self._incompatible = line
        elif line in self._reported:
            return  # camera_info is subscribed to again and again
        self._reported.add(line)
        self._statistics.count("incompatible_qos")
        self._statistics.note("incompatible_publisher", line)
        self._node.get_logger().error(line)
