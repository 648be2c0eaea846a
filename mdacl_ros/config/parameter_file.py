"""``detector.yaml``: the detector node's ROS parameter file, read without ROS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mdacl_ros.config.parameters import SPECS, unknown
from mdacl_ros.errors import ParameterError
from mdacl_ros.small_file import read_small_text, user_path
from mdacl_ros.unique_yaml import load_unique_yaml

NODE = "detector_node"
ROS_OWN = ("use_sim_time", "qos_overrides")
"""Parameters of ROS itself, which mean nothing offline."""


def read_parameter_file(path: Path) -> dict[str, Any]:
    """Read the parameters of the detector node; blocks of other nodes are skipped.

    Args:
        path: A file like config/detector.yaml: ``/**: ros__parameters: ...``.

    Returns:
        Checked values by parameter name, without :data:`ROS_OWN`.

    Raises:
        ParameterError: It cannot be read, or holds a parameter or value that the node would refuse.
    """
    try:
        content = load_unique_yaml(read_small_text(user_path(path)))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ParameterError(f"parameter file {path}: cannot be read ({reason})") from error
    blocks = content.items() if isinstance(content, dict) else ()
    found: dict[str, Any] = {}
    count = 0
    for node, block in blocks:
        if str(node).rsplit("/", 1)[-1] in ("*", "**", NODE) and isinstance(block, dict):
            values = block.get("ros__parameters")
            count += isinstance(values, dict)
            found |= values if isinstance(values, dict) else {}
    if not count:
        raise ParameterError(
            f"parameter file {path}: has no ros__parameters of /** or {NODE}; wanted a file like "
            "config/detector.yaml"
        )
    return {
        name: _checked(path, name, value)
        for name, value in found.items()
        if name.split(".")[0] not in ROS_OWN
    }


def _checked(path: Path, name: str, value: Any) -> Any:
    """A value as the node would take it."""
    try:
        if name not in SPECS:
            raise ParameterError(f"parameter {name}: {unknown(name, list(SPECS))}")
        return SPECS[name].check(name, value)
    except ParameterError as error:
        raise ParameterError(f"parameter file {path}: {error}") from error
