"""Looks after the inference thread: replaces one that died, reports one that hangs."""

from __future__ import annotations

from typing import Any

from mdacl_ros.health.statistics import Statistics
from mdacl_ros.nodes.inference_thread import InferenceThread


class Watchdog:
    """Called several times a second from a thread that the inference cannot hold up.

    An inference that holds Python's interpreter lock while it hangs stops this thread too; the
    engines here release it.

    Args:
        inference: What is looked after.
        statistics: Where ``inference_hangs`` are counted.
        logger: The node's logger.
    """

    def __init__(self, inference: InferenceThread, statistics: Statistics, logger: Any) -> None:
        self._inference, self._statistics, self._logger = inference, statistics, logger
        self._reported = False

    def look(self, limit_s: float) -> None:
        """Look once.

        Args:
            limit_s: Seconds in one pair from which the inference hangs.
        """
        self._inference.supervise()
        busy_s = self._inference.busy_s
        if busy_s > limit_s and not self._reported:
            self._reported = True
            self._statistics.count("inference_hangs")
            self._logger.error(
                f"inference hangs: {busy_s:.1f} s in one pair, inference_timeout is {limit_s:.1f} s"
            )
        elif busy_s < limit_s and self._reported:
            self._reported = False
            self._logger.warning("inference returned, the node goes on")
