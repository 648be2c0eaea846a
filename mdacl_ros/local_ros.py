"""ROS settings of a rehearsal: it stays on this machine, and images pass whole."""

from __future__ import annotations

from collections.abc import Mapping

from mdacl_ros.resources import find_resource

PROFILES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""Variables that name Fast DDS's profile file; the second is Humble's."""

MIDDLEWARE = {
    "rmw_implementation": ("RMW_IMPLEMENTATION",),
    "dds_profile": PROFILES,
}
"""Key of a node's diagnostics to the variables, the first that is set, that it holds."""


def middleware_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """What a process's environment says of DDS, by the keys of :data:`MIDDLEWARE`; empty: unset."""
    return {
        key: next((environment[name] for name in names if environment.get(name)), "")
        for key, names in MIDDLEWARE.items()
    }


def environment_of_node(own: Mapping[str, str], told: Mapping[str, str]) -> Mapping[str, str]:
    """The variables of this process with what a node says of DDS in place of our own.

    Args:
        own: ``os.environ``.
        told: Values of the node's diagnostics; without :data:`MIDDLEWARE`'s keys (an older node),
            ``own`` is all there is.
    """
    if not set(MIDDLEWARE) <= set(told):
        return own
    replaced = {name for names in MIDDLEWARE.values() for name in names}
    kept = {name: value for name, value in own.items() if name not in replaced}
    return kept | {names[0]: told[key] for key, names in MIDDLEWARE.items() if told[key]}


def local_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that keep ROS traffic on this machine and let shared memory hold whole images.

    Args:
        environment: The variables so far; what the user has chosen there is left alone.

    Returns:
        Those to add. Humble knows only the older name of each.
    """
    humble = environment.get("ROS_DISTRO") == "humble"
    wanted = (
        {"ROS_LOCALHOST_ONLY": "1"} if humble else {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    )
    if not any(name in environment for name in PROFILES):
        wanted[PROFILES[humble]] = str(find_resource("config/fastdds.xml"))
    return {name: value for name, value in wanted.items() if name not in environment}
