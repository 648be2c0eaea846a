"""The SROS2 policy allows what the node uses, and nothing else."""

from __future__ import annotations

import time
from pathlib import Path
from xml.etree import ElementTree

from lifecycle_msgs.msg import Transition

from mdacl_ros.nodes import topics
from mdacl_ros.nodes.detector_node import DetectorNode
from mdacl_ros.resources import find_resource

from .bench import GRAPH_TRIES, GRAPH_WAIT, Bench

NAME = topics.NODE_NAME
POLICY = find_resource("config/sros2_policy.xml")

Rules = dict[tuple[str, str], set[str]]


def allowed(node: str) -> Rules:
    """Full names by (kind, access) that the policy gives a node."""
    tree = ElementTree.parse(POLICY)
    profile = next(p for p in tree.iter("profile") if p.get("node") == node)
    rules: Rules = {}
    for kind, group, item in (("topics", "topics", "topic"), ("services", "services", "service")):
        for block in profile.findall(group):
            for access in ("publish", "subscribe", "reply", "request"):
                if block.get(access) == "ALLOW":
                    names = {str(e.text).strip() for e in block.findall(item)}
                    rules.setdefault((kind, access), set()).update(full(n, node) for n in names)
    return rules


def full(name: str, node: str) -> str:
    """A topic's full name in the root namespace."""
    return name.replace("~", f"/{node}") if name.startswith("~") else "/" + name.lstrip("/")


def used(node: DetectorNode) -> Rules:
    """What the running node really publishes, hears and serves."""
    found = {
        ("topics", "publish"): node.get_publisher_names_and_types_by_node,
        ("topics", "subscribe"): node.get_subscriber_names_and_types_by_node,
        ("services", "reply"): node.get_service_names_and_types_by_node,
        ("services", "request"): node.get_client_names_and_types_by_node,
    }
    return {key: {name for name, _ in get(NAME, "/")} for key, get in found.items()}


def hears(node: DetectorNode, topic: str) -> bool:
    """Whether the graph knows a subscription; it learns of them a moment later."""
    return f"/{topic}" in used(node)["topics", "subscribe"]


def used_while_active(transport: str, model: Path) -> Rules | None:
    """What an active node uses; ``None`` where the graph never learns of its camera."""
    values = {"rgb_transport": transport, "thermal_transport": transport, "model": str(model)}
    with Bench(values) as bench:
        assert bench.change_state(Transition.TRANSITION_CONFIGURE)
        assert bench.change_state(Transition.TRANSITION_ACTIVATE)
        image = topics.image_topic("thermal", transport)
        deadline = time.monotonic() + GRAPH_WAIT
        while not hears(bench.node, image):
            if time.monotonic() > deadline:
                return None
            time.sleep(0.01)
        return used(bench.node)


def test_the_policy_fits_the_node(model_folder: Path) -> None:
    seen: Rules = {}
    for transport in ("raw", "compressed"):
        tries = (used_while_active(transport, model_folder) for _ in range(GRAPH_TRIES))
        found = next(filter(None, tries), None)
        assert found is not None, f"the graph lacks the {transport} camera"
        for key, names in found.items():
            seen.setdefault(key, set()).update(names)
    rules = allowed(NAME)
    # /clock is heard only with simulated time; older ROS lacks some of the services.
    optional = {"/clock", f"/{NAME}/get_type_description", f"/{NAME}/get_transition_graph"}
    for key, names in seen.items():
        given = rules.get(key, set())
        assert names <= given, f"{key}: the policy lacks {sorted(names - given)}"
        assert given - names <= optional, f"{key}: nobody needs {sorted(given - names)}"
