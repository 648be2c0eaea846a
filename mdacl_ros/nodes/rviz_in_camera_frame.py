"""Starts RViz with the RGB camera's frame as its Fixed Frame, once that frame is known.

    ros2 run mdacl_ros rviz_in_camera_frame -d FILE --ros-args -r rgb/camera_info:=/cam/camera_info

The frame is that of the first camera_info, or of the detector's first answer, whichever arrives
first. perception.launch.py uses this for ``rviz:=true``, unless it is given ``rviz_frame``.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import rclpy
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo
from vision_msgs.msg import Detection2DArray

from mdacl_ros.errors import MdaclError, ParameterError
from mdacl_ros.nodes import topics
from mdacl_ros.nodes.node_creation import refusals_in_one_line
from mdacl_ros.nodes.process import init_ros

REMIND_S = 10.0
"""Seconds between two lines that say what is waited for."""


def main(args: list[str] | None = None) -> int:  # noqa: RET503 (execv does not return)
    """Wait for the frame, then become RViz.

    Returns:
        2 where RViz or ROS cannot be started; otherwise RViz' own status is the process's.
    """
    given = sys.argv[1:] if args is None else args[1:]
    try:
        program = rviz_program()
        init_ros(args)
        with refusals_in_one_line("rviz"):
            node = Node("rviz2")
        frame = wait_for_frame(node)
    except MdaclError as error:
        print(error, file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    node.destroy_node()
    rclpy.try_shutdown()
    # In front of --ros-args, behind which ROS looks for arguments of its own.
    os.execv(program, [program, "-f", frame, *given])


def rviz_program() -> str:
    """Path of rviz2.

    Raises:
        ParameterError: It is not installed.
    """
    try:
        return str(Path(get_package_prefix("rviz2"), "lib", "rviz2", "rviz2"))
    except PackageNotFoundError:
        raise ParameterError(
            "rviz: package rviz2 is not installed here; sudo apt install ros-$ROS_DISTRO-rviz2"
        ) from None


def wait_for_frame(node: Node) -> str:
    """The frame_id of the RGB camera, as soon as anybody says it."""
    frames: list[str] = []

    def on_message(message: Any) -> None:
        if message.header.frame_id:
            frames.append(message.header.frame_id)

    answers = topics.DETECTIONS.replace("~", f"/{topics.NODE_NAME}")
    info = topics.CAMERA_INFO_TOPICS["rgb"]
    qos = topics.newest_sensor_data()
    subscriptions = [
        node.create_subscription(CameraInfo, info, on_message, qos),
        node.create_subscription(Detection2DArray, answers, on_message, qos),
    ]
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    remind = time.monotonic() + REMIND_S
    while not frames:
        executor.spin_once(timeout_sec=0.2)
        if time.monotonic() > remind:
            remind += REMIND_S
            names = " or ".join(subscription.topic_name for subscription in subscriptions)
            node.get_logger().info(
                f"RViz waits for {names}, to know its Fixed Frame (rviz_frame:=NAME opens it now)"
            )
    executor.shutdown()
    return frames[0]
