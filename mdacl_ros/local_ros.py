"""ROS settings of a rehearsal: it stays on this machine, and images pass whole."""

from __future__ import annotations

from collections.abc import Mapping

from mdacl_ros.resources import find_resource


def local_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that keep ROS traffic on this machine and let shared memory hold whole images.

    Args:
        environment: The variables so far; what the user has chosen there is left alone.

    Returns:
        Those to add. Humble knows only the older name of each.
    """
    humble = environment.get("ROS_DISTRO") == "humble"
    profiles = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
    wanted = (
        {"ROS_LOCALHOST_ONLY": "1"} if humble else {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    )
    if not any(name in environment for name in profiles):
        wanted[profiles[humble]] = str(find_resource("config/fastdds.xml"))
    return {name: value for name, value in wanted.items() if name not in environment}
