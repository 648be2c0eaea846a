"""The commands of the nodes: SIGINT and SIGTERM end them cleanly before ROS is even imported.

    python -m mdacl_ros.nodes.start detector_node --ros-args -p autostart:=true

A node's module takes half a second to import rclpy, NumPy and OpenCV. Python would end that with
a traceback, or die of the signal; so this module imports next to nothing, takes the signals over,
and imports the node's module only then. :func:`.process.run_nodes` brings handlers of its own.
"""

import importlib
import os
import signal
import sys


def detector_node() -> int:
    """Run the detector node."""
    return start("detector_node")


def rigs() -> int:
    """Run several rigs in one process."""
    return start("rigs_node")


def rviz_in_camera_frame() -> int:
    """Start RViz once the camera's frame is known."""
    return start("rviz_in_camera_frame")


def start(module: str, package: str = "mdacl_ros.nodes") -> int:
    """Import a node's module and run its ``main``; a signal until then ends the process.

    With ``--help`` it prints what the module says of itself instead.

    Args:
        module: The node's.
        package: It is in.

    Returns:
        The process's exit status.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    loaded = importlib.import_module(f"{package}.{module}")
    if {"-h", "--help"} & set(sys.argv[1:]):
        print((loaded.__doc__ or "").strip())
        return 0
    return int(loaded.main())


def _leave(*_: object) -> None:
    """End the process with status 0: nothing is at work that would have to be ended in order.

    Not by an exception, which would surface in the midst of some library's import.
    """
    os._exit(0)


if __name__ == "__main__":
    sys.exit(start(sys.argv.pop(1)))
