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
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from mdacl_ros.errors import MdaclError
from mdacl_ros.nodes.node_creation import refusals_in_one_line, tell_unknown_parameters

CALLBACK_TIMEOUT = 1.0
"""Seconds granted to a callback in progress."""

BUILD_TIMEOUT = 10.0
"""Seconds granted to an engine build, which gives up when it next reports progress."""

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
        """Begin to end what takes long; called from another thread, returns at once."""

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
) -> int:
    """Initialise ROS, spin nodes until SIGINT, SIGTERM or shutdown, and clean up.

    Each node has an executor and a thread of its own: what one waits for holds up no other.
    rclpy's MultiThreadedExecutor would not do: its pool's threads are joined at the end, without
    a bound (Kilted's ``shutdown()``; Python's own exit on Humble and Jazzy).

    Our own signal handlers instead of rclpy's: those invalidate the context at once, and threads
    that still publish would fail. No executor spins in the main thread, because that is the one
    that Python delivers signals to.

    Args:
        make_nodes: Creates the nodes.
        args: Command line; ``sys.argv`` if omitted.

    Returns:
        The process's exit status: 0, 1 when a callback failed, 2 when a node cannot be made.
    """
    # A queue whose put() may interrupt itself: an Event set by a handler could deadlock.
    ended: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.put(None))
    try:
        init_ros(args)
        with refusals_in_one_line("node"):
            nodes = make_nodes()
    except MdaclError as error:
        print(error, file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    for node in nodes:
        tell_unknown_parameters(cast(Node, node))
    spinning = [_Spinning(node) for node in nodes]
    if ended.empty():  # no signal came while the nodes were made
        for thread in spinning:
            thread.start()
    while all(thread.is_alive() for thread in spinning):
        with contextlib.suppress(Empty):
            ended.get(timeout=STOP_LATENCY)
            break
    _finish(spinning)
    failures = [thread.failure for thread in spinning if thread.failure is not None]
    for failure in failures:
        sys.excepthook(type(failure), failure, failure.__traceback__)
    return 1 if failures else 0


def init_ros(args: list[str] | None) -> None:
    """Initialise ROS without signal handlers.

    Args:
        args: Command line; ``sys.argv`` if omitted.

    Raises:
        ParameterError: The ROS arguments cannot be read: no such parameter file, not YAML, ...
    """
    with refusals_in_one_line("ROS arguments"):
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)


class _Spinning(threading.Thread):
    """Starts a node and runs its callbacks until told to stop.

    Attributes:
        node: The node.
        executor: What runs its callbacks.
        failure: What a callback raised; it ends the process.
    """

    def __init__(self, node: RunnableNode) -> None:
        super().__init__(name="executor", daemon=True)
        self.node = node
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(cast(Node, node))
        self.failure: BaseException | None = None
        self._stop_asked = threading.Event()

    def request_stop(self) -> None:
        """Let the thread end after the callback in progress."""
        self._stop_asked.set()
        self.node.request_stop()

    def run(self) -> None:
        """Run callbacks."""
        try:
            self.node.start()
            while not self._stop_asked.is_set() and self.node.context.ok():
                self.executor.spin_once(timeout_sec=STOP_LATENCY)
        except ExternalShutdownException:
            pass
        except Exception as error:  # the boundary of the thread: reported by the main thread
            self.failure = error


def _finish(spinning: Sequence[_Spinning]) -> None:
    """Join, then destroy the nodes, then ROS: in this order nothing aborts."""
    for thread in spinning:
        thread.request_stop()
    _wait(spinning)
    for thread in spinning:
        thread.executor.shutdown()
    for thread in spinning:
        thread.node.destroy_node()
    rclpy.try_shutdown()
    if any(thread.node.hangs for thread in spinning):
        _leave("An inference does not return: leaving without it.", 0)


def _wait(spinning: Sequence[_Spinning]) -> None:
    """Wait for callbacks in progress and for engines being loaded; leave if they hang.

    Python cannot end a thread. Destroying what a callback still uses, or ending Python while a
    library loads an engine, would abort in native code.
    """
    began = time.monotonic()
    while any(thread.is_alive() or thread.node.loads for thread in spinning):
        waited = time.monotonic() - began
        if waited > LOAD_TIMEOUT and any(thread.node.loads_silently for thread in spinning):
            _leave("An engine is being loaded: leaving without it.", 0)
        builds = any(thread.node.loads for thread in spinning)
        if waited > (BUILD_TIMEOUT if builds else CALLBACK_TIMEOUT):
            _leave("A callback does not end: leaving without clean-up.", 1)
        time.sleep(POLL)


def _leave(why: str, status: int) -> None:
    """End the process at once, whatever its threads do."""
    print(why, file=sys.stderr)
    sys.stderr.flush()
    os._exit(status)
