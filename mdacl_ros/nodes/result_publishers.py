"""Publishes what the detector answers; what nobody subscribed to is not even drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Float32, Header
from vision_msgs.msg import Detection2DArray, LabelInfo
from visualization_msgs.msg import MarkerArray

from mdacl_ros.drawing.overlay import draw_detections, without_image
from mdacl_ros.health.statistics import Statistics
from mdacl_ros.nodes import markers, messages, topics
from mdacl_ros.nodes.qos_overrides import overridable, policy_name, qos_conflict
from mdacl_ros.types import FramePair, PerceptionResult

try:  # Jazzy and later
    from rclpy.event_handler import PublisherEventCallbacks, UnsupportedEventTypeError
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks, UnsupportedEventTypeError

NANOSECONDS_PER_MS = 1e6


class ResultPublishers:
    """The node's output topics, created on configure, enabled by activate.

    Attributes:
        statistics: Where published messages are counted; replaced at each activation.
    """

    def __init__(self, node: LifecycleNode, labels: tuple[str, ...]) -> None:
        self.statistics = Statistics()
        self._node = node
        self._labels = labels
        self._publishers: list[Any] = []
        self._deaf: dict[str, str] = {}
        self._name = (node.get_name(), node.get_namespace())
        # Dropped with the publishers: the node's own group would keep a reference to every one.
        self._group = MutuallyExclusiveCallbackGroup()
        try:
            self._create_all()
        except Exception:
            self.destroy()
            raise

    def _create_all(self) -> None:
        small, large = topics.reliable_results, topics.reliable_results(depth=1)
        self._detections = self._create(Detection2DArray, topics.DETECTIONS, small())
        self._dominance = self._create(DiagnosticArray, topics.DOMINANCE, small())
        self._reliance = self._create(Float32, topics.RELIANCE, small())
        self._mdi = self._create(Float32, topics.MDI, small())
        self._markers = self._create(MarkerArray, topics.MARKERS, small())
        self._overlay = self._create(Image, topics.OVERLAY, large)
        self._registered = self._create(
            Image, topics.THERMAL_REGISTERED, topics.reliable_results(depth=1)
        )
        self._label_info = self._create(LabelInfo, topics.LABEL_INFO, topics.latched())

    def _create(self, message_type: type, topic: str, qos: QoSProfile) -> Any:
        """Create one publisher that only publishes while the node is active."""
        name = self._node.resolve_topic_name(topic)
        events = PublisherEventCallbacks(
            incompatible_qos=lambda event: self._on_incompatible(name, event)
        )
        with overridable(name) as overrides:
            options: dict[str, Any] = {
                "callback_group": self._group,
                "qos_overriding_options": overrides,
            }
            create = self._node.create_lifecycle_publisher
            publisher: Any
            try:
                publisher = create(message_type, topic, qos, event_callbacks=events, **options)
            except UnsupportedEventTypeError:  # a middleware without QoS events
                publisher = create(message_type, topic, qos, **options)
        self._publishers.append(publisher)
        return publisher

    def _on_incompatible(self, topic: str, event: Any) -> None:
        """Report a listener whose QoS keeps our answers from it."""
        policy = policy_name(event.last_policy_kind)
        line = (
            f"topic {topic}: a subscriber with incompatible QoS ({policy}) receives "
            f"nothing; let it ask for best_effort and volatile, or set parameter "
            f"qos_overrides.{topic}.publisher.{policy}"
        )
        self.statistics.count("incompatible_listeners")
        self._deaf[topic] = line
        self._node.get_logger().error(line)

    def deaf(self) -> str:
        """What keeps a listener from our answers, while it is there; empty for nothing.

        Called now and then from any thread.
        """
        for topic in list(self._deaf):
            offers = [
                end.qos_profile
                for end in self._node.get_publishers_info_by_topic(topic)
                if (end.node_name, end.node_namespace) == self._name
            ]
            wanted = self._node.get_subscriptions_info_by_topic(topic)
            if not any(qos_conflict(offer, end.qos_profile) for offer in offers for end in wanted):
                self._deaf.pop(topic, None)
        return "; ".join(self._deaf.values())

    def destroy(self) -> None:
        """Take the topics away again."""
        for publisher in self._publishers:
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()

    def rename(self, labels: tuple[str, ...], score_threshold: float) -> None:
        """Use the class names of another model from the next answer on, and publish them."""
        if labels != self._labels:
            self._labels = labels
            self.publish_label_info(score_threshold)

    def publish_label_info(self, score_threshold: float) -> None:
        """Publish the class names, once after each activation and threshold change."""
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._label_info.publish(messages.to_label_info(self._labels, score_threshold, header))

    def wants_registered(self, pair: FramePair) -> bool:
        """Whether somebody looks at the warped thermal image (the overlay needs it without RGB)."""
        if pair.thermal is None:
            return False
        if self._registered.get_subscription_count() > 0:
            return True
        return pair.rgb is None and self._overlay.get_subscription_count() > 0

    def publish(
        self,
        result: PerceptionResult,
        pair: FramePair,
        header: Header,
        *,
        share_in_id: bool = False,
    ) -> None:
        """Publish one answer: detections first, pictures last.

        Args:
            result: The answer.
            pair: The frames it was made from.
            header: Stamp of the answer, RGB frame.
            share_in_id: Write what each detection rests on into its ``id``.
        """
        found = messages.to_detection_array(
            result.detections, self._labels, header, share_in_id=share_in_id
        )
        self._detections.publish(found)
        latency_ms = self._latency_ms(result.stamp_ns)
        self.statistics.tick("published")
        self.statistics.sample("latency_ms", latency_ms)
        self._reliance.publish(Float32(data=messages.reliance_or_nan(result.dominance)))
        self._mdi.publish(Float32(data=float(result.dominance.mdi)))
        values = messages.dominance_values(result.dominance, result.present)
        values |= {
            "detections": len(result.detections.scores),
            "latency_ms": latency_ms,
            "skew_ms": pair.skew_ns / NANOSECONDS_PER_MS,
        }
        values |= {f"{stage}_ms": float(ms) for stage, ms in result.timings_ms.items()}
        shares = messages.share_values(result.detections)
        self._dominance.publish(
            messages.to_dominance(self._node.get_name(), header, values, shares)
        )

    def publish_pictures(
        self,
        result: PerceptionResult,
        pair: FramePair,
        header: Header,
        camera: CameraInfo | None,
        marker_distance: float,
    ) -> None:
        """Draw and publish overlay, warped thermal image and markers for those who look.

        Args:
            result: The answer.
            pair: The frames it was made from.
            header: Stamp of the answer, RGB frame.
            camera: RGB intrinsics; without usable ones there are no markers.
            marker_distance: Distance of the markers' image plane in metres.
        """
        if self._overlay.get_subscription_count() > 0:
            self.statistics.count("overlays_drawn")
            self._overlay.publish(messages.to_image(self._draw(result, pair), header))
        if self._registered.get_subscription_count() > 0:
            preview = result.thermal_registered
            if preview is None and not result.present[1]:
                # Viewers keep the last image they got: it would look like a camera that works.
                preview = without_image(result.detections.image_size, "THERMAL")
            if preview is not None:
                self._registered.publish(messages.to_image(preview, header))
        if camera is None or self._markers.get_subscription_count() == 0:
            return
        if not markers.unusable(camera, result.detections.image_size):
            lifetime = markers.marker_lifetime(self.statistics.rate("published"))
            self._markers.publish(
                markers.to_markers(result, self._labels, camera, marker_distance, header, lifetime)
            )

    def _draw(self, result: PerceptionResult, pair: FramePair) -> np.ndarray:
        """Draw the detections over RGB, or over the warped thermal image without RGB."""
        if pair.rgb is not None:
            canvas = np.asarray(pair.rgb.image, np.uint8)
        elif result.thermal_registered is not None:
            canvas = np.repeat(result.thermal_registered[..., None], 3, axis=2)
        else:
            width, height = result.detections.image_size
            canvas = np.zeros((height, width, 3), np.uint8)
        return draw_detections(canvas, result.detections, self._labels, result.dominance)

    def _latency_ms(self, stamp_ns: int) -> float:
        """Milliseconds from the answer's stamp to now, on the node's clock."""
        now_ns = self._node.get_clock().now().nanoseconds
        return (now_ns - stamp_ns) / NANOSECONDS_PER_MS
