"""``mdacl doctor``: look at a running system, say what is wrong and what to do."""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Mapping
from typing import Any

from mdacl_ros.config.parameters import SPECS, NodeParameters, updated
from mdacl_ros.doctor.checks import (
    check_camera,
    check_health,
    check_listeners,
    check_node,
    check_pairing,
)
from mdacl_ros.doctor.finding import Finding, as_json, as_text, warn
from mdacl_ros.doctor.surroundings import (
    check_calibration,
    check_dds,
    check_engine,
    check_shared_memory,
    environment,
)
from mdacl_ros.doctor.view import SystemView
from mdacl_ros.errors import MdaclError, ParameterError
from mdacl_ros.local_ros import environment_of_node

EXIT_BAD = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--node", default="/detector_node", help="full name of the detector node")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to listen")
    parser.add_argument("--json", action="store_true", help="print a JSON object instead")


def run(args: argparse.Namespace) -> int:
    """Print the findings.

    Returns:
        0, or 1 where something keeps the system from working.

    Raises:
        MdaclError: There is no ROS here, or an argument makes no sense.
    """
    if missing := [m for m in ("rclpy", "vision_msgs") if importlib.util.find_spec(m) is None]:
        raise MdaclError(
            f"doctor: {', '.join(missing)} cannot be imported, so no running system can be looked "
            "at; source /opt/ros/$ROS_DISTRO/setup.bash first, or run `make setup`"
        )
    if not 0.1 <= args.seconds <= 600:
        raise ParameterError(f"doctor: --seconds is {args.seconds}, wanted 0.1 to 600")
    name = _full_name(args.node)
    from mdacl_ros.doctor.listener import observe

    view = observe(name, args.seconds)
    findings = examine(view, environment())
    counts = {level: sum(f.level == level for f in findings) for level in ("ok", "warn", "bad")}
    if args.json:
        print(json.dumps({"node": view.node, **counts, "findings": as_json(findings)}, indent=1))
    else:
        print(as_text(findings))
        print(f"\n{counts['ok']} ok, {counts['warn']} to look at, {counts['bad']} bad")
    return EXIT_BAD if counts["bad"] else 0


def _full_name(node: str) -> str:
    """The name with its first slash.

    Raises:
        ParameterError: No node can have it.
    """
    from rclpy.exceptions import InvalidTopicNameException
    from rclpy.validate_full_topic_name import validate_full_topic_name

    name = "/" + node.strip("/")
    try:
        validate_full_topic_name(name)  # the same rules as for nodes
    except InvalidTopicNameException as error:
        raise ParameterError(
            f"doctor: --node is {node!r}, wanted a node's full name such as /robot/detector_node "
            "(letters, digits, underscores; `ros2 node list` shows them)"
        ) from error
    return name


def examine(view: SystemView, variables: Mapping[str, str]) -> list[Finding]:
    """Everything there is to say about a system, in the order in which to mend it.

    Args:
        view: What was seen of it.
        variables: Environment variables of this process; the node's own DDS profile and middleware,
            which its diagnostics tell, win over them.
    """
    limits = parameters_of(view.parameters)
    cameras = view.cameras
    findings = check_node(view)
    for name, camera in cameras.items():
        findings += check_camera(name, camera, limits, sim_time=view.sim_time)
    findings += check_pairing(view, limits) + check_listeners(view)
    sizes = {name: camera.size for name, camera in cameras.items()}
    if view.parameters:
        findings.append(check_calibration(limits.calibration, sizes))
    elif view.nodes:
        what = f"{view.node} did not tell them in time: defaults assumed, calibration not looked at"
        findings.append(warn("parameters", what, "is the machine or the node busy? try again"))
    findings += check_engine(limits)
    largest = max((c.image_bytes for c in cameras.values()), default=0)
    told = view.health["inference"][2] if "inference" in view.health else {}
    findings += [
        *check_dds(environment_of_node(variables, told), largest),
        check_shared_memory(),
    ]
    return findings + check_health(view)


def parameters_of(told: Mapping[str, Any]) -> NodeParameters:
    """The node's parameters; defaults where it did not tell, or told nonsense."""
    try:
        return updated(NodeParameters(), {n: v for n, v in told.items() if n in SPECS})
    except ParameterError:
        return NodeParameters()
