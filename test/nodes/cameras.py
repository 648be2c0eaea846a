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

from .bench import RGB_FRAME, THERMAL_FRAME, image_message, rgb_scene, thermal_scene


class Cameras:
    """Context manager: a node whose executor spins in a thread, and a thread that streams.

    No two pictures of a camera are equal, as with real sensors.

    Args:
        namespace: Of the camera topics.
        jpeg: Send the RGB images compressed.
        rates: Frames per second of each camera.

    Attributes:
        sent: Monotonic times in seconds of the frames of each camera.
    """

    def __init__(self, namespace: str = "", *, jpeg: bool = False, **rates: float) -> None:
        self.context = Context()
        rclpy.init(context=self.context, signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node("cameras", context=self.context, namespace=namespace)
        self.rates = {"rgb": 20.0, "thermal": 10.0} | rates
        self.sent: dict[str, list[float]] = {"rgb": [], "thermal": []}
        self._pictures = {"rgb": rgb_pictures(jpeg=jpeg), "thermal": thermal_pictures()}
        self._publishers: dict[str, Any] = {
            name: self.node.create_publisher(
                type(self._pictures[name][0]),
                f"{name}/image_raw" + "/compressed" * (jpeg and name == "rgb"),
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


def rgb_pictures(*, jpeg: bool) -> list[Image] | list[CompressedImage]:
    """Eight colour images that differ in a corner."""
    scenes = [rgb_scene() for _ in range(8)]
    for number, scene in enumerate(scenes):
        scene[:16, :16] = 30 * number
    if not jpeg:
        return [image_message(scene, "rgb8", 0, RGB_FRAME) for scene in scenes]
    files = [cv2.imencode(".jpg", scene)[1].tobytes() for scene in scenes]
    pictures = [CompressedImage(format="jpeg", data=data) for data in files]
    for picture in pictures:
        picture.header.frame_id = RGB_FRAME
    return pictures


def thermal_pictures() -> list[Image]:
    """Eight thermal images that differ in a corner."""
    scenes = [thermal_scene() for _ in range(8)]
    for number, scene in enumerate(scenes):
        scene[:4, :4] = 20 + number
    return [image_message(scene, "mono8", 0, THERMAL_FRAME) for scene in scenes]
