"""Making ROS and its nodes from what a user wrote: command line, parameter files, environment."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node

from mdacl_ros.errors import ParameterError

NOT_STARTED = "not started"
"""Begins the detector's line that says that autostart failed; demo.launch.py waits for it."""

LATER = ("qos_overrides.",)
"""Beginnings of parameters that are declared only with the topics they are for."""


@contextmanager
def refusals_in_one_line(what: str) -> Iterator[None]:
    """Turn what rclpy raises for names, parameters and an environment of the user's into one line.

    Args:
        what: Begins the line.

    Raises:
        ParameterError: In place of rclpy's exceptions.
    """
    try:
        yield
    except (ParameterException, NameValidationException, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_ros_error(error):
            raise
        raise ParameterError(f"{what}: {_first_line(error)}") from error


def _is_ros_error(error: RuntimeError) -> bool:
    """Whether it comes from rcl; its classes are RuntimeErrors of the binding's own module."""
    return type(error).__module__ == rclpy_implementation.__name__


def _first_line(error: Exception) -> str:
    """What rcl says, without the places in its source."""
    said = re.sub(r",? at /\S+", "", str(error).split("\n", maxsplit=1)[0]).rstrip(":")
    said = said.removeprefix("failed to initialize rcl: ")
    if "log directory" in said or "logging" in said:
        said += "; set ROS_LOG_DIR to a folder that can be written"
    if said.startswith("["):  # a list of arguments that rcl does not know, and nothing else
        return f"unknown {said}; wanted -p NAME:=VALUE, -r FROM:=TO, --params-file FILE, ..."
    return said


def tell_unknown_parameters(node: Node, *, later: bool = False) -> None:
    """Warn of each parameter that was given to a node and that it does not have.

    Args:
        node: The node.
        later: Look at those that come with topics (:data:`LATER`), once all topics are made;
            otherwise at all others.

    Only in the log: a file for many nodes may well hold what one of them does not know.
    """
    # No public name in any distro: what a node's command line and files say of its parameters.
    given = getattr(node, "_parameter_overrides", {})
    strangers = [n for n in given if n.startswith(LATER) == later and not node.has_parameter(n)]
    for name in strangers:
        node.get_logger().warning(f"parameter {name} is unknown and ignored{_nearest(node, name)}")


def _nearest(node: Node, name: str) -> str:
    later = name.startswith(LATER)
    known = [parameter for parameter in node._parameters if parameter.startswith(LATER) == later]
    match = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {match[0]}?" if match else ""
