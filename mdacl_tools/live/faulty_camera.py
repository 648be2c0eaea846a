"""One camera of the fault injector: its real topics in, the same topics with faults out."""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from mdacl_ros.nodes.messages import to_header, to_nanoseconds
from mdacl_ros.nodes.qos_overrides import overridable
from mdacl_ros.nodes.topics import CAMERA_INFO_TOPICS, image_topic
from mdacl_ros.types import Modality
from mdacl_tools.live.faults.message import ImageData
from mdacl_tools.live.faults.timing import Restart

PREFIX = "faulty/"
"""Put before a camera's topic names for what comes out."""

QUEUE_DEPTH = 5
ORDINARY = Restart(silence=0.0, reliability="reliable")
"""Quality of service of a camera that nothing has happened to: as drivers publish by default."""

Message: TypeAlias = Image | CompressedImage


class FaultyCamera:
    """Subscribes to a camera's images and camera_info, and publishes what is left of them.

    Args:
        node: Node to live in.
        camera: ``rgb`` or ``thermal``.
        transport: ``raw`` or ``compressed``.
        receive: Told of every image.
    """

    def __init__(
        self,
        node: Node,
        camera: Modality,
        transport: str,
        receive: Callable[[FaultyCamera, Message], None],
    ) -> None:
        self.camera = camera
        self._node = node
        self._type = CompressedImage if transport == "compressed" else Image
        self._topic = image_topic(camera, transport)
        self._service = ORDINARY
        self._images: Any = self._publisher()
        info = CAMERA_INFO_TOPICS[camera]
        self._infos = node.create_publisher(CameraInfo, PREFIX + info, QUEUE_DEPTH)
        listening = QoSProfile(depth=QUEUE_DEPTH, reliability=ReliabilityPolicy.BEST_EFFORT)
        with overridable(node.resolve_topic_name(self._topic)) as overrides:
            node.create_subscription(
                self._type,
                self._topic,
                lambda message: receive(self, message),
                listening,
                qos_overriding_options=overrides,
            )
        node.create_subscription(CameraInfo, info, self._infos.publish, listening)

    def serve(self, service: Restart | None) -> None:
        """Publish with the quality of service of a restart, or (``None``) the ordinary one."""
        wanted = service or ORDINARY
        if wanted == self._service:
            return
        self._service = wanted
        self._node.destroy_publisher(self._images)
        self._images = self._publisher()

    def publish(self, message: Message) -> None:
        """Send a message on."""
        self._images.publish(message)

    def _publisher(self) -> Any:
        qos = QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=QUEUE_DEPTH,
            reliability=ReliabilityPolicy[self._service.reliability.upper()],
            durability=DurabilityPolicy[self._service.durability.upper()],
        )
        return self._node.create_publisher(self._type, PREFIX + self._topic, qos)


def to_data(message: Message, camera: Modality) -> ImageData:
    """An image message as plain data; its pixels are viewed, not copied."""
    data = np.frombuffer(message.data, np.uint8)
    stamp, frame_id = to_nanoseconds(message.header.stamp), message.header.frame_id
    if isinstance(message, CompressedImage):
        return ImageData(camera, stamp, frame_id, message.format, 0, 0, 0, data, compressed=True)
    return ImageData(
        camera,
        stamp,
        frame_id,
        message.encoding,
        message.height,
        message.width,
        message.step,
        data,
        bool(message.is_bigendian),
    )


def to_message(data: ImageData) -> Message:
    """Plain data as an image message."""
    header = to_header(data.stamp_ns, data.frame_id)
    content = array.array("B", data.data.tobytes())
    if data.compressed:
        return CompressedImage(header=header, format=data.encoding, data=content)
    return Image(
        header=header,
        encoding=data.encoding,
        height=data.height,
        width=data.width,
        step=data.step,
        is_bigendian=int(data.is_bigendian),
        data=content,
    )
