"""The SROS2 policy allows what the node uses, and nothing else."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from lifecycle_msgs.msg import Transition

from mdacl_ros.nodes import topics
from mdacl_ros.nodes.detector_node import DetectorNode
from mdacl_ros.resources import find_resource

from .bench import Bench

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
    """What the running node really publishes, hears and serves.

    From the node's own entities: Fast DDS may be late to tell a participant of its own endpoints.
    """
    return {
        ("topics", "publish"): {p.topic_name for p in node.publishers},
        ("topics", "subscribe"): {s.topic_name for s in node.subscriptions},
        ("services", "reply"): {full(s.srv_name, NAME) for s in node.services},
        ("services", "request"): {full(c.srv_name, NAME) for c in node.clients},
    }


def used_while_active(transport: str, model: Path) -> Rules:
    values = {"rgb_transport": transport, "thermal_transport": transport, "model": str(model)}
    with Bench(values) as bench:
        assert bench.change_state(Transition.TRANSITION_CONFIGURE)
        assert bench.change_state(Transition.TRANSITION_ACTIVATE)
        return used(bench.node)


def test_the_policy_fits_the_node(model_folder: Path) -> None:
    seen: Rules = {}
    for transport in ("raw", "compressed"):
        for key, names in used_while_active(transport, model_folder).items():
            seen.setdefault(key, set()).update(names)
    rules = allowed(NAME)
    # /clock is heard only with simulated time; older ROS lacks some of the services; rcl itself
    # makes the publishers of /rosout and of the transitions.
    optional = {"/clock", "/rosout"} | {
        f"/{NAME}/{own}"
        for own in ("get_type_description", "get_transition_graph", "transition_event")
    }
    for key, names in seen.items():
        given = rules.get(key, set())
        assert names <= given, f"{key}: the policy lacks {sorted(names - given)}"
        assert given - names <= optional, f"{key}: nobody needs {sorted(given - names)}"
