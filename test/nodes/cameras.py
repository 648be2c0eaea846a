"""Two cameras that stream over real DDS from a context of their own, beside node processes."""

from __future__ import annotations

import itertools
import threading
import time
from types import TracebackType
from typing import Any

import cv2
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CompressedImage, Image

from mdacl_ros.types import ByteArray

from .bench import RGB_FRAME, THERMAL_FRAME, image_message, rgb_scene, thermal_scene

Pictures = list[Image] | list[CompressedImage]


class Cameras:
    """Context manager: a node whose executor spins in a thread, and a thread that streams.

    No two pictures of a camera are equal, as with real sensors.

    Args:
        namespace: Of the camera topics.
        compressed: Send RGB images as JPEG and thermal images as PNG.
        rates: Frames per second of each camera.

    Attributes:
        sent: Monotonic times in seconds of the frames of each camera.
    """

    def __init__(self, namespace: str = "", *, compressed: bool = False, **rates: float) -> None:
        self.context = Context()
        rclpy.init(context=self.context, signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node("cameras", context=self.context, namespace=namespace)
        self.rates = {"rgb": 20.0, "thermal": 10.0} | rates
        self.sent: dict[str, list[float]] = {"rgb": [], "thermal": []}
        self._pictures = {
            "rgb": rgb_pictures(compressed=compressed),
            "thermal": thermal_pictures(compressed=compressed),
        }
        self._publishers: dict[str, Any] = {
            name: self.node.create_publisher(
                type(self._pictures[name][0]),
                f"{name}/image_raw" + "/compressed" * compressed,
                QoSProfile(depth=5),
            )
            for name in self.rates
        }
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._spin, name="cameras")]

    def __enter__(self) -> Cameras:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)

    def stream(self) -> None:
        """Start streaming until the end."""
        for camera in self.rates:
            thread = threading.Thread(target=self._stream, args=(camera,), name=camera)
            self._threads.append(thread)
            thread.start()

    def _stream(self, camera: str) -> None:
        due = time.monotonic()
        for message in itertools.cycle(self._pictures[camera]):
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(time.time_ns(), 10**9)
            self._publishers[camera].publish(message)
            self.sent[camera].append(time.monotonic())
            due += 1 / self.rates[camera]

    def _spin(self) -> None:
        while not self._stop.is_set():
            self._executor.spin_once(timeout_sec=0.05)


def rgb_pictures(*, compressed: bool) -> Pictures:
    """Eight colour images that differ in a corner."""
    scenes = [rgb_scene() for _ in range(8)]
    for number, scene in enumerate(scenes):
        scene[:16, :16] = 30 * number
    return _messages(scenes, "rgb8", RGB_FRAME, ".jpg" if compressed else "")


def thermal_pictures(*, compressed: bool) -> Pictures:
    """Eight thermal images that differ in a corner."""
    scenes = [thermal_scene() for _ in range(8)]
    for number, scene in enumerate(scenes):
        scene[:4, :4] = 20 + number
    return _messages(scenes, "mono8", THERMAL_FRAME, ".png" if compressed else "")


def _messages(scenes: list[ByteArray], encoding: str, frame_id: str, suffix: str) -> Pictures:
    """Raw images, or files of a kind."""
    if not suffix:
        return [image_message(scene, encoding, 0, frame_id) for scene in scenes]
    kind = {".jpg": "jpeg", ".png": "png"}[suffix]
    files = [cv2.imencode(suffix, scene)[1].tobytes() for scene in scenes]
    pictures = [CompressedImage(format=kind, data=data) for data in files]
    for picture in pictures:
        picture.header.frame_id = frame_id
    return pictures
