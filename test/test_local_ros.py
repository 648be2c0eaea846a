from __future__ import annotations

import pytest

from mdacl_ros.local_ros import environment_of_node, local_environment, middleware_settings
from mdacl_ros.resources import find_resource

PROFILE = str(find_resource("config/fastdds.xml"))


@pytest.mark.parametrize(
    ("distribution", "wanted"),
    [
        (
            "kilted",
            {
                "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
                "FASTDDS_DEFAULT_PROFILES_FILE": PROFILE,
            },
        ),
        ("humble", {"ROS_LOCALHOST_ONLY": "1", "FASTRTPS_DEFAULT_PROFILES_FILE": PROFILE}),
    ],
)
def test_a_rehearsal_stays_on_this_machine(distribution: str, wanted: dict[str, str]) -> None:
    assert local_environment({"ROS_DISTRO": distribution}) == wanted
    if distribution == "kilted":
        assert local_environment({}) == wanted  # pip's wheels set no ROS_DISTRO


@pytest.mark.parametrize("distribution", ["kilted", "humble"])
def test_what_the_user_chose_stays(distribution: str) -> None:
    chosen = {
        "ROS_DISTRO": distribution,
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",
        "ROS_LOCALHOST_ONLY": "0",
        "FASTRTPS_DEFAULT_PROFILES_FILE": "/own.xml",
    }
    assert local_environment(chosen) == {}


def test_a_node_s_dds_settings_win_over_those_of_who_looks_at_it() -> None:
    node = middleware_settings({"FASTRTPS_DEFAULT_PROFILES_FILE": "/robot/profile.xml"})
    assert node == {"rmw_implementation": "", "dds_profile": "/robot/profile.xml"}
    own = {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp", "ROS_DOMAIN_ID": "7"}
    seen = environment_of_node(own, {"state": "active", **node})
    assert seen == {
        "ROS_DOMAIN_ID": "7",
        "FASTDDS_DEFAULT_PROFILES_FILE": "/robot/profile.xml",
    }
    assert environment_of_node(own, {"state": "active"}) == own  # a node that says nothing of it
