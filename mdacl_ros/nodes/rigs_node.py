"""Several rigs in one process: one detector node in each namespace, equal engines loaded once.

    ros2 run mdacl_ros rigs front rear --ros-args --params-file rigs.yaml

Each rig has its own node ``/<rig>/detector_node`` with its own parameters, cameras
(``/<rig>/rgb/image_raw``, ...), inference thread and diagnostics. They share the process, and
engines that were loaded with the same parameters; nothing else.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from rclpy.utilities import remove_ros_args

from mdacl_ros.errors import ParameterError
from mdacl_ros.nodes.detector_node import DetectorNode
from mdacl_ros.nodes.node_creation import refusals_in_one_line
from mdacl_ros.nodes.pipeline import EngineFactory
from mdacl_ros.nodes.process import RunnableNode, run_nodes
from mdacl_ros.runtime import load_engine
from mdacl_ros.runtime.shared import SharedEngines

_NAMESPACE = re.compile(r"/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*")


def checked_names(given: Sequence[str]) -> list[str]:
    """Check the rigs' names.

    Raises:
        ParameterError: None is given, one comes twice, or one is no ROS namespace.
    """
    names = [name.strip("/") for name in given]
    wrong = [name for name in given if not _NAMESPACE.fullmatch(name)]
    if not names or wrong or len(set(names)) < len(names):
        raise ParameterError(
            f"rigs: got {' '.join(given) or 'nothing'}, wanted one namespace or more, each once, "
            "e.g. `ros2 run mdacl_ros rigs front rear`"
        )
    return names


def make_rigs(given: Sequence[str], factory: EngineFactory = load_engine) -> list[RunnableNode]:
    """Create one detector node in each namespace.

    Raises:
        ParameterError: The names cannot be used.
    """
    engines = SharedEngines(factory)
    return [DetectorNode(engine_factory=engines, namespace=n) for n in checked_names(given)]


def run_rigs(args: list[str] | None = None, factory: EngineFactory = load_engine) -> int:
    """Run the rigs that the command line names until SIGINT or SIGTERM."""
    try:
        with refusals_in_one_line("ROS arguments"):
            names = remove_ros_args(args=args if args is not None else sys.argv)[1:]
    except ParameterError as error:
        print(error, file=sys.stderr)
        return 2
    return run_nodes(lambda: make_rigs(names, factory), args)


def main(args: list[str] | None = None) -> int:
    """Run several rigs; see the module."""
    return run_rigs(args)
