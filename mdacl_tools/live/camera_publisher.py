"""One played camera: image and camera_info publishers that reuse their messages."""

from __future__ import annotations

import array
import math

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from mdacl_ros.nodes.qos_overrides import overridable
from mdacl_ros.nodes.topics import CAMERA_INFO_TOPICS, IMAGE_TOPICS
from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import Frame, Modality

QUEUE_DEPTH = 5


class CameraPublisher:
    """Publishes frames as ``<camera>/image_raw`` and ``<camera>/camera_info``.

    Reliable, as camera drivers are by default, so that every subscriber matches; overridable
    through ``qos_overrides`` parameters.

    Args:
        node: Node that publishes.
        camera: ``rgb`` or ``thermal``.
        model: Intrinsics, where the recording knows them.
        assumed_fov: Horizontal field of view in degrees to make a pinhole from where ``model``
            has no matrix; 0: camera_info then says "not calibrated" (K all 0).
    """

    def __init__(
        self,
        node: Node,
        camera: Modality,
        model: CameraModel | None,
        assumed_fov: float = 0.0,
    ) -> None:
        self.camera = camera
        self._model = model
        self._assumed_fov = assumed_fov
        qos = QoSProfile(depth=QUEUE_DEPTH, reliability=ReliabilityPolicy.RELIABLE)
        self.topic, info = IMAGE_TOPICS[camera], CAMERA_INFO_TOPICS[camera]
        with overridable(self.topic) as overrides:
            self._images = node.create_publisher(
                Image, self.topic, qos, qos_overriding_options=overrides
            )
        with overridable(info) as overrides:
            self._infos = node.create_publisher(
                CameraInfo, info, qos, qos_overriding_options=overrides
            )
        self._image = Image()
        self._info = CameraInfo()
        self._buffer = np.zeros(0, np.uint8)
        self._size = (0, 0)

    @property
    def subscribers(self) -> int:
        """Number of subscribers to the images."""
        return int(self._images.get_subscription_count())

    def publish(self, frame: Frame, stamp_ns: int) -> None:
        """Publish one frame with another stamp."""
        image = frame.image
        size = image.shape[1], image.shape[0]
        if self._image.encoding != frame.encoding or self._size != size:
            self._reshape(frame)
            self._describe(size)
        self._image.height, self._image.width = image.shape[:2]
        self._image.step = image.nbytes // image.shape[0]
        self._buffer[:] = np.ascontiguousarray(image).reshape(-1).view(np.uint8)
        for message in (self._image, self._info):
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
            message.header.frame_id = frame.frame_id
        self._info.height, self._info.width = image.shape[:2]
        self._images.publish(self._image)
        self._infos.publish(self._info)

    def _reshape(self, frame: Frame) -> None:
        self._image.encoding = frame.encoding
        self._image.is_bigendian = int(frame.image.dtype.byteorder == ">")
        self._image.data = array.array("B", bytes(frame.image.nbytes))
        # A view of the message's own bytes: filling it costs one copy and no allocation.
        self._buffer = np.frombuffer(self._image.data, np.uint8)

    def _describe(self, size: tuple[int, int]) -> None:
        """Fill camera_info's intrinsics in, for images of ``size`` (width, height)."""
        self._size = size
        model = self._model
        if (model is None or model.matrix is None) and self._assumed_fov > 0:
            model = assumed_camera(size, self._assumed_fov)
        if model is not None:
            self._info.distortion_model = model.model
            self._info.d = list(model.distortion)
        if model is not None and model.matrix is not None:
            k = np.asarray(model.matrix, np.float64)
            self._info.k = k.reshape(-1).tolist()
            self._info.p = np.hstack([k, np.zeros((3, 1))]).reshape(-1).tolist()
            self._info.r = np.eye(3).reshape(-1).tolist()


def assumed_camera(size: tuple[int, int], fov: float) -> CameraModel:
    """A pinhole without distortion whose axis goes through the middle of the image.

    Args:
        size: ``(width, height)`` in pixels.
        fov: Horizontal field of view in degrees.
    """
    width, height = size
    focal = width / 2 / math.tan(math.radians(fov) / 2)
    matrix = np.array([[focal, 0, width / 2 - 0.5], [0, focal, height / 2 - 0.5], [0, 0, 1]])
    return CameraModel(size, matrix, (0.0,) * 5)
