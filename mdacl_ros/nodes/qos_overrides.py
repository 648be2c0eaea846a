"""QoS that users override by ``qos_overrides.<topic>.*``; a wrong value gets one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rclpy.exceptions import ParameterException
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible
from rclpy.qos_overriding_options import QoSOverridingOptions

from mdacl_ros.errors import ParameterError

REFUSED = re.compile("QoS override|history depth|topic QoS")
"""How rcl and the middlewares refuse a policy's value; ``topic QoS`` is Jazzy's Fast DDS."""


@contextmanager
def overridable(topic: str) -> Iterator[QoSOverridingOptions]:
    """Options with which a publisher or subscription of a topic is to be made in the block.

    Args:
        topic: As the parameters name it, for the message.

    Raises:
        ParameterError: A parameter has a value that no such policy takes.
    """
    try:
        yield QoSOverridingOptions.with_default_policies()
    except (ParameterException, RuntimeError) as error:
        said = " ".join(str(error).split())
        if isinstance(error, RuntimeError) and not REFUSED.search(said):
            raise
        said = re.sub(",? at /.*", "", said)
        raise ParameterError(
            f"parameter qos_overrides.{topic}: {said}; reliability takes reliable or best_effort, "
            "durability volatile or transient_local, history keep_last or keep_all, depth a number "
            "from 0 up"
        ) from error


def policy_name(kind: Any) -> str:
    """Name of a QoS policy as in qos_overrides parameters, e.g. ``reliability``."""
    try:
        from rclpy.qos import qos_policy_name_from_kind

        return qos_policy_name_from_kind(kind).replace("_QOS_POLICY", "").lower()
    except (ImportError, ValueError):
        return str(kind)


def qos_conflict(offered: QoSProfile, wanted: QoSProfile) -> str:
    """Why a publisher and a subscription do not hear each other; empty if they do.

    Args:
        offered: Of the publisher, as the graph tells it: what a node asked for has no deadline, and
            the graph's an endless one.
        wanted: Of the subscription, likewise.
    """
    verdict, reason = qos_check_compatible(offered, wanted)
    return " ".join(reason.split()).rstrip(";") if verdict == QoSCompatibility.ERROR else ""
