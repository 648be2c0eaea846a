"""Two cameras that stream over real DDS from a context of their own, beside node processes."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from .bench import RGB_FRAME, THERMAL_FRAME, image_message, rgb_scene, thermal_scene


class Cameras:
    """Context manager: a node whose executor spins in a thread, and a thread that streams.

    Args:
        namespace: Of the camera topics.
        rates: Frames per second of each camera.
    """

    def __init__(self, namespace: str = "", **rates: float) -> None:
        self.context = Context()
        rclpy.init(context=self.context, signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node("cameras", context=self.context, namespace=namespace)
        self.rates = {"rgb": 20.0, "thermal": 10.0} | rates
        self.sent: dict[str, list[int]] = {"rgb": [], "thermal": []}
        self._publishers: dict[str, Any] = {
            name: self.node.create_publisher(Image, f"{name}/image_raw", QoSProfile(depth=5))
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
        image = rgb_scene() if camera == "rgb" else thermal_scene()
        encoding, frame = {"rgb": ("rgb8", RGB_FRAME), "thermal": ("mono8", THERMAL_FRAME)}[camera]
        message = image_message(image, encoding, 0, frame)
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            stamp = time.time_ns()
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
            self._publishers[camera].publish(message)
            self.sent[camera].append(stamp)
            due += 1 / self.rates[camera]

    def _spin(self) -> None:
        while not self._stop.is_set():
            self._executor.spin_once(timeout_sec=0.05)
