"""Runs nodes as a process: signals end it cleanly, in order, without a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Protocol, cast

import rclpy
from rclpy.context import Context
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from mdacl_ros.errors import MdaclError

JOIN_TIMEOUT = 10.0
"""Seconds granted to a callback in progress, and to an engine build, which gives up when it next
reports progress."""

LOAD_TIMEOUT = 0.5
"""Seconds granted to the loading of an engine that reports no progress: nothing can interrupt it,
and nothing is lost with it."""

POLL = 0.01
"""Seconds between looks whether all has ended."""

STOP_LATENCY = 0.2
"""Seconds after which an idle executor looks whether it is to stop."""


class RunnableNode(Protocol):
    """A node that :func:`run_node` can run: what it needs beyond ``rclpy.node.Node``."""

    @property
    def context(self) -> Context:
        """The node's ROS context."""

    def destroy_node(self) -> None:
        """Take the node down."""

    def start(self) -> None:
        """Do what is to be done first in the executor's thread."""

    def request_stop(self) -> None:
        """Give up what takes long; called from another thread."""

    @property
    def loads(self) -> bool:
        """Whether an engine is being loaded, in whatever thread."""

    @property
    def loads_silently(self) -> bool:
        """Whether it is loaded by a call that does not hear of :meth:`request_stop`."""

    @property
    def hangs(self) -> bool:
        """Whether a thread was left behind that does not return."""


def run_node(make_node: Callable[[], RunnableNode], args: list[str] | None = None) -> int:
    """Run one node, see :func:`run_nodes`."""
    return run_nodes(lambda: [make_node()], args)


def run_nodes(
    make_nodes: Callable[[], Sequence[RunnableNode]],
    args: list[str] | None = None,
    make_executor: Callable[[], Executor] = SingleThreadedExecutor,
) -> int:
    """Initialise ROS, spin nodes until SIGINT, SIGTERM or shutdown, and clean up.

    Our own signal handlers instead of rclpy's: those invalidate the context at once, and threads
    that still publish would fail. The executor spins in a thread of its own, because the main
    thread is the one that Python delivers signals to.

    Args:
        make_nodes: Creates the nodes.
        args: Command line; ``sys.argv`` if omitted.
        make_executor: Creates what runs their callbacks.

    Returns:
        The process's exit status: 0, 1 when a callback failed, 2 when a node cannot be made.
    """
    # A queue whose put() may interrupt itself: an Event set by a handler could deadlock.
    ended: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.put(None))
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        nodes = make_nodes()
    except MdaclError as error:
        print(error, file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    executor = make_executor()
    for node in nodes:
        executor.add_node(cast(Node, node))
    spinning = _Spinning(executor, nodes)
    if ended.empty():  # no signal came while the nodes were made
        spinning.start()
    while spinning.is_alive():
        with contextlib.suppress(Empty):
            ended.get(timeout=STOP_LATENCY)
            break
    spinning.finish()
    for failure in spinning.failures:
        sys.excepthook(type(failure), failure, failure.__traceback__)
    return 1 if spinning.failures else 0


class _Spinning(threading.Thread):
    """Starts the nodes and runs their callbacks until told to stop.

    Attributes:
        failures: What a callback raised; it ends the process.
    """

    def __init__(self, executor: Executor, nodes: Sequence[RunnableNode]) -> None:
        super().__init__(name="executor", daemon=True)
        self.failures: list[BaseException] = []
        self._executor, self._nodes = executor, nodes
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Run callbacks."""
        try:
            for node in self._nodes:
                node.start()
            while not self._stop_asked.is_set() and self._nodes[0].context.ok():
                self._executor.spin_once(timeout_sec=STOP_LATENCY)
        except ExternalShutdownException:
            pass
        except Exception as error:  # the boundary of the thread: reported by the main thread
            self.failures.append(error)

    def finish(self) -> None:
        """Join, then destroy the nodes, then ROS: in this order nothing aborts."""
        self._stop_asked.set()
        for node in self._nodes:
            node.request_stop()
        self._wait()
        self._executor.shutdown()
        for node in self._nodes:
            node.destroy_node()
        rclpy.try_shutdown()
        if any(node.hangs for node in self._nodes):
            _leave("An inference does not return: leaving without it.", 0)

    def _wait(self) -> None:
        """Wait for the callback in progress and for engines being loaded; leave if they hang.

        Python cannot end a thread. Destroying what a callback still uses, or ending Python while a
        library loads an engine, would abort in native code.
        """
        began = time.monotonic()
        while self.is_alive() or any(node.loads for node in self._nodes):
            waited = time.monotonic() - began
            if waited > LOAD_TIMEOUT and any(node.loads_silently for node in self._nodes):
                _leave("An engine is being loaded: leaving without it.", 0)
            if waited > JOIN_TIMEOUT:
                _leave("A callback does not end: leaving without clean-up.", 1)
            time.sleep(POLL)


def _leave(why: str, status: int) -> None:
    """End the process at once, whatever its threads do."""
    print(why, file=sys.stderr)
    sys.stderr.flush()
    os._exit(status)
