"""QoS that users override by ``qos_overrides.<topic>.*``; a wrong value gets one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.exceptions import ParameterException
from rclpy.qos_overriding_options import QoSOverridingOptions

from mdacl_ros.errors import ParameterError


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
        if isinstance(error, RuntimeError) and "QoS override" not in str(error):
            raise
        raise ParameterError(
            f"parameter qos_overrides.{topic}: {error}; reliability takes reliable or best_effort, "
            "durability volatile or transient_local, history keep_last or keep_all, depth a number"
        ) from error
